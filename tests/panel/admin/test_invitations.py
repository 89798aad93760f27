"""Invitations in the administration."""

import re
import secrets

import pytest

from tests.kit.person import PASSWORD
from tests.kit.server import serving, shared_by_module
from tests.kit.visitor import Visitor
from tests.kit.watched_log import LOG

INVITATIONS = "/admin/invitations"

server = shared_by_module({"panel": {"registration": "invited"}})


def made(browser, **fields):
    """Make an invitation on the page. Returns the page, and the link on it."""
    browser.open(f"{INVITATIONS}/create")
    page = browser.send("/create", **{"name": f"For {secrets.token_hex(4)}", **fields})
    link = re.search(r'value="([^"]*/register\?token=([A-Za-z0-9]{13}))"', page.text)
    LOG.secrets |= {link.group(2)} if link else set()
    return page, link and link.group(1)


def test_one_is_made_shown_once_and_used(server, browser):
    kind = server.run(server.services.accounts.types.add(f"t{secrets.token_hex(4)}", server.actor))
    page, link = made(browser, name="Building A", uses="3", types=[str(kind.id)])
    assert 'src="data:image/png;base64,' in page.text
    listed = browser.open(INVITATIONS).text
    assert link.rpartition("=")[2] not in listed
    assert "0 of 3" in listed
    assert kind.key in listed
    visitor = Visitor(server.url)
    visitor.open(link.removeprefix(server.url))
    passwords = {"password": PASSWORD, "password_confirmation": PASSWORD}
    sent = visitor.send("/accounts", username="bob.invited", email="bob.invited@example.org", **passwords)
    visitor.close()
    assert sent.url.path == "/activate"
    assert "1 of 3" in browser.open(INVITATIONS).text


def test_one_is_revoked_after_a_question(browser):
    made(browser, name="To be revoked")
    listed = browser.open(INVITATIONS).text
    path = re.search(rf"{INVITATIONS}/[0-9]+/delete", listed).group()  # the newest comes first
    assert "To be revoked" in browser.open(path).text
    page = browser.send("/delete")
    assert "The invitation is revoked." in page.text
    assert "To be revoked" not in page.text
    assert browser.open(path).status_code == 404


def test_the_page_says_what_is_used_up(server, browser):
    _, link = made(browser)
    token = link.rpartition("=")[2]
    body = {"username": "used.up", "password": PASSWORD, "algorithm": "SHA-256", "account_creation_token": token}
    assert server.http.post("/api/accounts/with-account-creation-token", json=body).status_code == 200
    assert "Used up" in browser.open(INVITATIONS).text


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("name", "", "For is missing"),
        ("email", "bob", "E-mail address must be an e-mail address"),
        ("uses", "0", "Accounts that it may create must be at least 1"),
        ("expires_days", "366", "Days until it is over must be at most 365"),
        ("types", ["999"], "Types of the accounts must be ids of types that exist here"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(browser, field, value, text):
    page, _ = made(browser, **{field: value})
    assert page.status_code == 422
    assert text in page.text


def test_where_pages_are_closed_there_is_only_a_code(tmp_path, mongod_uri):
    with serving({}, tmp_path, mongod_uri) as server:
        browser = Visitor(server.url)
        browser.sign_in(server.person(admin_since=server.clock.second()))
        page, link = made(browser)
        browser.close()
        assert link is None
        assert "registration on pages is closed here" in page.text
        LOG.secrets.add(re.search(r'id="new-token"[^>]* value="([A-Za-z0-9]{13})"', page.text).group(1))
