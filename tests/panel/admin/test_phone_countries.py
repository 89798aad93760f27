"""Countries of phone numbers, on the page of administrators."""

import re

from tests.kit.server import shared_by_module

NARROW = "narrow.example.org"
server = shared_by_module({"spaces": {NARROW: {"host": f"accounts.{NARROW}", "phone_countries": ["FR"]}}})
PAGE = "/admin/phone_countries"


def refused(page):
    return re.findall(r"<li><bdi>([^<]+)</bdi></li>", page.text)


def test_a_country_is_switched_off_and_on_with_those_of_its_calling_code(server, browser):
    assert refused(browser.open(PAGE)) == []
    page = browser.send(PAGE, country="US", state="off")
    assert "New numbers of the country are refused." in page.text
    assert {"United States (+1)", "Canada (+1)"} <= set(refused(page))
    assert all(name.endswith(" (+1)") for name in refused(page))
    page = browser.send(PAGE, country="CA", state="on")
    assert "New numbers of the country are allowed." in page.text
    assert refused(page) == []


def test_countries_have_their_names_in_the_language_of_the_page(browser):
    page = browser.http.get(PAGE, headers={"Accept": "text/html", "Accept-Language": "fr"})
    assert "Allemagne (+49)" in page.text


def test_what_the_settings_do_not_allow_is_told_at_the_form(server, visitor_of):
    visitor = visitor_of(server, NARROW)
    assert "Germany (+49)" in refused(visitor.open(PAGE))
    form = visitor.form(PAGE).fields
    page = visitor.http.post(PAGE, data={**form, "country": "DE", "state": "on"}, headers={"Accept": "text/html"})
    assert (page.status_code, "do not allow phone numbers of this country" in page.text) == (403, True)
    unknown = visitor.http.post(PAGE, data={**form, "country": "ZZ", "state": "off"}, headers={"Accept": "text/html"})
    assert unknown.status_code == 404
    wrong = visitor.http.post(PAGE, data={**form, "country": "", "state": "x"}, headers={"Accept": "text/html"})
    assert wrong.status_code == 422
