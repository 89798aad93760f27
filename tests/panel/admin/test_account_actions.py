"""Changes of an account by one button."""

import pytest

from flexiapi.panel.admin.account_actions import ACTIONS
from tests.kit.server import shared_by_module

server = shared_by_module({})

OUTCOMES = {
    "activate": ({"activated": False}, lambda account: account.activated),
    "deactivate": ({}, lambda account: not account.activated),
    "unblock": ({"blocked_at": True}, lambda account: not account.is_blocked),
    "unlock": ({}, lambda account: account.unlocked_at is not None),
    "sign-out": ({}, lambda account: account.api_key is None and account.sign_in_epoch == 1),
    "provision": ({}, lambda account: account.provisioning_by == "admin"),
    "provision-mail": ({}, lambda account: account.provisioning_by == "mail"),
}


def place(person, action=""):
    return f"/admin/accounts/{person.id}/{action}".rstrip("/")


@pytest.mark.parametrize("action", sorted(OUTCOMES))
def test_a_get_shows_it_and_a_post_does_it(server, browser, action):
    fields, is_done = OUTCOMES[action]
    fields = {name: server.clock.second() if name == "blocked_at" else value for name, value in fields.items()}
    person = server.person(email=f"{action}@example.org", **fields)
    before = server.account(person.id)
    page = browser.open(place(person, action))
    assert page.status_code == 200
    assert person.account.address in page.text
    assert server.account(person.id) == before
    assert not is_done(before)
    page = browser.send(place(person, action))
    assert page.status_code == 200
    assert 'class="note" role="status"' in page.text
    assert is_done(server.account(person.id))


def test_a_link_for_a_new_password_is_mailed(server, browser):
    person = server.person(email="reset@example.org")
    browser.open(place(person, "reset-password"))
    assert "A link for a new password is mailed." in browser.send(place(person, "reset-password")).text
    assert "/reset_password/" in server.messages[-1]["text"]


def test_a_block_has_a_reason_that_administrators_see(server, browser):
    person = server.person()
    assert person.account.address in browser.open(place(person, "block")).text
    page = browser.send(place(person, "block"), reason="Reported for <spam>")
    assert "The account is blocked." in page.text
    assert "Reported for &lt;spam&gt;" in page.text
    assert server.account(person.id).block_reason == "Reported for <spam>"
    server.run(server.store.journal.pending.move())
    activity = browser.open(place(person, "activity")).text
    assert activity.count("Reported for &lt;spam&gt;") == 2
    assert 'value="Reported for &lt;spam&gt;"' in browser.open(place(person, "block")).text
    assert person.account.address in browser.open(f"/admin/accounts?blocked=true&search={person.account.username}").text
    others = browser.open(f"/admin/accounts?blocked=false&search={person.account.username}").text
    assert person.account.address not in others


def test_ones_own_account_offers_no_block_and_takes_none(server, browser):
    server.person(admin_since=server.clock.second())
    assert f"{place(browser.person)}/block" not in browser.open(place(browser.person)).text
    browser.open(place(browser.person, "block"))
    page = browser.send(place(browser.person, "block"))
    assert (page.status_code, "You cannot block your own account." in page.text) == (403, True)
    assert not server.account(browser.person.id).is_blocked


def test_every_action_is_tested():
    assert ACTIONS.keys() == {*OUTCOMES, "reset-password", "external-account"}


@pytest.mark.parametrize("action", ["deactivate", "block", "delete"])
def test_the_last_administrator_is_refused_on_the_page(server, browser, action):
    for other in server.run(server.store.accounts.after(0, 1000)):
        if other.is_admin and other.id != browser.person.id:
            server.apply(other.remove())
    browser.open(place(browser.person, action))
    page = browser.send(place(browser.person, action))
    assert page.status_code == 403
    assert "This is the last activated administrator." in page.text
    assert server.account(browser.person.id).activated


def test_a_deletion_leaves_a_tombstone(server, browser):
    person = server.person()
    browser.open(place(person, "delete"))
    assert server.account(person.id) is not None
    page = browser.send(place(person, "delete"))
    assert (page.status_code, page.url.path) == (200, "/admin/accounts")
    assert "The account is deleted." in page.text
    assert server.account(person.id) is None
    assert server.run(server.store.tombstones.has(person.account.address))
    assert browser.open(place(person)).status_code == 404
