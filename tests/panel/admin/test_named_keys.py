"""The named API keys in the administration."""

import re

import pytest

from flexiapi.model import Actor, ActorKind, KeyScope
from flexiapi.rendering.panel.named_keys import SCOPES
from tests.kit.server import shared_by_module
from tests.kit.watched_log import LOG

KEYS = "/admin/api_keys"

server = shared_by_module({})


@pytest.fixture(autouse=True)
def no_keys(server):
    async def remove():
        await server.store._database["named_keys"].delete_many({})

    server.run(remove())


def made(browser, **fields):
    browser.open(f"{KEYS}/create")
    page = browser.send("/create", **{"name": "Billing", "scopes": ["accounts:read"], **fields})
    shown = re.search(r"fxk_[A-Za-z0-9]{40}", page.text)
    LOG.secrets |= {shown.group()} if shown else set()
    return page, shown and shown.group()


def test_a_key_is_shown_once_and_works(server, browser):
    page, key = made(browser, expires_days="30")
    assert page.status_code == 200
    assert "it is shown only this once" in page.text
    assert server.http.get("/api/accounts", headers={"x-api-key": key}).status_code == 200
    listed = browser.open(KEYS).text
    assert key not in listed
    assert "Billing" in listed
    assert "<code>accounts:read</code>" in listed
    assert browser.person.sip in listed


def test_a_key_is_revoked_after_a_question(server, browser):
    _, key = made(browser)
    server.run(server.store.key_uses.write())
    listed = browser.open(KEYS).text
    path = re.search(rf"{KEYS}/[0-9]+/delete", listed).group()
    assert "Billing" in browser.open(path).text
    assert server.http.get("/api/accounts", headers={"x-api-key": key}).status_code == 200
    page = browser.send("/delete")
    assert "The API key is revoked." in page.text
    assert "There are none." in page.text
    assert server.http.get("/api/accounts", headers={"x-api-key": key}).status_code == 401
    assert browser.open(path).status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("name", "", "Name is missing"),
        ("scopes", [], "Scopes is missing"),
        ("expires_days", "0", "Days until it is over must be at least 1"),
        ("idle_days", "soon", "Days without use until it is over must be a number"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(browser, field, value, text):
    page, _ = made(browser, **{field: value})
    assert page.status_code == 422
    assert re.search(rf'<a href="#field-{field}(-0)?">{text}', page.text), page.text


def test_a_taken_name_is_told(browser):
    made(browser)
    page, key = made(browser, name="BILLING")
    assert (page.status_code, key) == (422, None)
    assert "Name is taken by another key" in page.text


def test_a_key_needs_a_fresh_proof(server, browser, monkeypatch):
    monkeypatch.setattr(server.clock, "offset", server.clock.offset)
    server.later(minutes=11)
    page, key = made(browser)
    assert (page.status_code, key) == (403, None)
    assert "Your password" in page.text
    page = browser.send("/create", name="Billing", scopes=["push"], current_password=browser.person.password)
    assert "fxk_" in page.text
    LOG.secrets.add(re.search(r"fxk_[A-Za-z0-9]{40}", page.text).group())


def test_the_page_says_which_key_does_not_work(server, browser):
    boss = server.person(admin_since=server.clock.second())
    server.named_key("push", actor=Actor(ActorKind.ACCOUNT, boss.id))
    assert "Does not work" not in browser.open(KEYS).text
    server.set(boss.id, admin_since=None)
    assert "Does not work" in browser.open(KEYS).text


def test_the_scopes_are_told_as_the_document_tells_them():
    told = {scope: f"{scope}: {scope.description[0].lower()}{scope.description[1:]}" for scope in KeyScope}
    assert told == dict(SCOPES)
