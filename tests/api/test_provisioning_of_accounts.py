"""Provisioning of accounts as administrators see it."""

import pytest

from tests.kit.server import shared_by_module
from tests.kit.visitor import Visitor

server = shared_by_module({"ui": {"hide_settings": True}})


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


def test_a_preview_is_what_a_phone_gets_without_secrets_and_uses_nothing_up(server, http, admin):
    person = server.person(activated=False, provisioning_token=f"token-{admin.id}")
    url = f"/api/accounts/{person.id}/provisioning/preview"
    before = server.account(person.id)
    shown = http.get(url, headers=admin.headers).json()
    assert server.account(person.id) == before
    values = {(one["section"], one["name"]): (one["value"], one["is_secret"]) for one in shown}
    assert values["ui", "hide_settings"] == ("1", False)
    assert values["proxy_0", "reg_identity"] == (f"<sip:{person.sip}>", False)
    assert values["auth_info_0", "ha1"] == (None, True)
    document = http.get(f"/provisioning/token-{admin.id}").text
    assert [one["name"] for one in shown] == [part.split('"')[1] for part in document.split("<entry name=")[1:]]
    assert before.passwords[0].ha1 in document
    assert before.passwords[0].ha1 not in str(shown)


def test_only_administrators_see_it(server, http, admin):
    person = server.person()
    url = f"/api/accounts/{person.id}/provisioning/preview"
    assert http.get(url, headers=person.headers).status_code == 403
    assert http.get(url.replace(str(person.id), "999999"), headers=admin.headers).status_code == 404


def test_the_page_of_the_account_shows_it(server, admin):
    person = server.person(display_name="<b>Zoé</b>")
    browser = Visitor(server.url)
    browser.sign_in(admin)
    page = browser.open(f"/admin/accounts/{person.id}/provisioning").text
    browser.close()
    assert "What a phone would be given" in page
    assert "&lt;b&gt;Zoé&lt;/b&gt;" in page
    assert server.account(person.id).passwords[0].ha1 not in page
