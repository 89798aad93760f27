"""The creation of accounts by administrators."""

import re

from tests.kit.server import shared_by_module

server = shared_by_module({})

PAGE, TARGET = "/admin/accounts/create", "/admin/accounts/accounts"


def created(server, username):
    return server.run(server.store.accounts.by_address(username, "sip.example.org"))


def test_a_new_account_hands_over_its_link_which_activates_it(server, browser):
    browser.open(PAGE)
    page = browser.send(TARGET, username="new+person", display_name="New", email="new@example.org")
    account = created(server, "new+person")
    assert (page.status_code, page.url.path) == (200, f"/admin/accounts/{account.id}/provisioning")
    assert not account.activated
    link = re.search(r"<code data-copy>([^<]+)</code>", page.text)[1]
    assert 'src="data:image/png;base64,' in page.text
    assert f"/admin/accounts/{account.id}/provision-mail" in page.text
    browser.http.get(link, headers={"X-Linphone-Provisioning": "1"})
    assert created(server, "new+person").activated


def test_all_fields_of_the_api_are_taken(server, browser):
    browser.open(PAGE)
    values = {
        "username": "everything",
        "display_name": "\u0645\u0631\u062d\u0628\u0627",
        "email": "every@example.org",
        "phone": "0033 6 12 34 56 70",
        "password": "correct-horse-battery",
        "algorithm": "MD5",
        "role": "admin",
        "dtmf_protocol": "rfc2833",
        "language": "fr",
        "expires": "2040-02-28",
    }
    assert browser.send(TARGET, **values).status_code == 200
    account = created(server, "everything")
    assert (account.email, account.phone, account.is_admin) == ("every@example.org", "+33612345670", True)
    assert (account.dtmf_protocol, account.language) == ("rfc2833", "fr")
    assert str(account.passwords[0].algorithm) == "MD5"
    assert f"{account.confirmation.expires_at:%Y-%m-%d %H:%M}" == "2040-02-29 00:00"
    server.apply(account.remove())


def test_an_active_one_has_a_link_too(server, browser):
    browser.open(PAGE)
    page = browser.send(TARGET, username="at.once", activated="true")
    assert created(server, "at.once").activated
    assert "<code data-copy>" in page.text


def test_errors_stand_at_their_fields_and_what_was_typed_is_kept_but_for_the_password(server, browser):
    server.person("taken.name")
    browser.open(PAGE)
    page = browser.send(TARGET, username="taken.name", email="x", password="short-and-known", display_name="Kept")
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert {'href="#field-username"', 'href="#field-email"'} <= set(re.findall(r'href="#field-\w+"', page.text))
    assert 'value="Kept"' in page.text
    assert "short-and-known" not in page.text
    page = browser.send(TARGET, username="free.name", email="")
    assert page.status_code == 200


def test_a_form_that_was_sent_twice_makes_one_account(server, browser):
    browser.open(PAGE)
    form = browser.form(TARGET)
    for status in (303, 422):
        answer = browser.http.post(form.action, data={**form.fields, "username": "only.once"})
        assert answer.status_code == status
