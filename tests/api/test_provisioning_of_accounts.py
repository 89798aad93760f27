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


def test_each_fetch_of_a_link_is_noted_with_its_outcome_and_the_problems_of_the_app(server, http, admin):
    person = server.person(provisioning_token=f"link-{admin.id}")
    url, link = f"/api/accounts/{person.id}/provisioning/fetches", f"/provisioning/link-{admin.id}"
    assert http.get(url, headers=admin.headers).json() == []
    old, new = "Desk/1 (x) LinphoneSDK/5.2.99", "LinphoneAndroid/6.0 LinphoneSDK/5.4.1"
    http.get(link, headers={"User-Agent": old})
    http.get(link, headers={"User-Agent": new})
    server.set(person.id, provisioning_token=f"more-{admin.id}", provisioning_token_until=server.clock.second())
    http.get(f"/provisioning/more-{admin.id}", headers={"User-Agent": "curl/8"})
    server.set(person.id, blocked_at=server.clock.second())
    http.get(f"/provisioning/more-{admin.id}")
    http.get("/provisioning/unknown-token")
    found = http.get(url, headers=admin.headers).json()
    assert [one["outcome"] for one in found] == ["blocked", "expired", "spent", "given"]
    assert [one["user_agent"] for one in found[1:]] == ["curl/8", new, old]
    assert "It does not follow redirections." in found[3]["known_problems"]
    assert len(found[2]["known_problems"]) == 1
    assert found[1]["known_problems"] == []
    assert found[0]["ip_address"] == "127.0.0.1"
    browser = Visitor(server.url)
    browser.sign_in(admin)
    page = browser.open(f"/admin/accounts/{person.id}/provisioning").text
    browser.close()
    assert "refused: the link was used before" in page
    http.delete(f"/api/accounts/{person.id}", headers=admin.headers)
    assert server.run(server.store.provisioning_fetches.of(person.id)) == []


def test_the_last_20_fetches_stay(server, http, admin):
    person = server.person(provisioning_token=f"often-{admin.id}")
    for _ in range(22):
        http.get(f"/provisioning/often-{admin.id}")
    found = http.get(f"/api/accounts/{person.id}/provisioning/fetches", headers=admin.headers).json()
    assert [one["outcome"] for one in found] == ["spent"] * 20
