"""Changes of chosen accounts."""

import re

import pytest

from tests.kit.server import shared_by_module

server = shared_by_module({})

TARGET = "/admin/accounts/bulk"


def send(browser, change, ids, **values):
    browser.open("/admin/accounts")
    return browser.send(TARGET, change=change, ids=[str(one) for one in ids], **values)


def test_chosen_accounts_are_deactivated_and_activated(server, browser):
    people = [server.person() for _ in range(3)]
    page = send(browser, "deactivate", [people[0].id, people[1].id, 999999])
    assert page.status_code == 200
    assert "Done for 2 of 3 accounts." in page.text
    assert "There is no such account." in page.text
    assert [server.account(one.id).activated for one in people] == [False, False, True]
    send(browser, "activate", [people[0].id])
    assert server.account(people[0].id).activated


def test_a_deletion_lists_the_accounts_and_asks(server, browser):
    people = [server.person(display_name="<b>") for _ in range(2)]
    page = send(browser, "delete", [one.id for one in people])
    assert page.status_code == 200
    for one in people:
        assert one.account.address in page.text
        assert server.account(one.id) is not None
    ids = re.findall(r'name="ids" value="(\d+)"', page.text)
    page = browser.send(TARGET, ids=ids)
    assert "Done for 2 of 2 accounts." in page.text
    assert [server.account(one.id) for one in people] == [None, None]
    assert server.run(server.store.tombstones.has(people[0].account.address))


def test_accounts_are_added_to_a_list(server, browser):
    family = server.run(server.store.contacts_lists.add("Family", "", server.actor))
    person = server.person()
    page = send(browser, "add_to_list", [person.id])
    assert page.status_code == 422
    assert "Choose the contacts list." in page.text
    page = send(browser, "add_to_list", [person.id], to_list=str(family.id))
    assert "Done for 1 of 1 accounts." in page.text
    space = server.store.spaces.default
    assert server.run(server.store.contacts_lists.by_id(family.id, space)).contact_ids == (person.id,)
    page = send(browser, "add_to_list", [person.id], to_list=str(family.id))
    assert "Done for 0 of 1 accounts." in page.text


@pytest.mark.parametrize("ids", [[], range(1, 102)], ids=["none", "too many"])
def test_none_and_more_than_100_are_refused(browser, ids):
    page = send(browser, "deactivate", ids)
    assert page.status_code == 422
    assert "There is a problem" in page.text


def test_one_administrator_stays(server, browser):
    other = server.person(admin_since=server.clock.second())
    for one in server.run(server.store.accounts.after(0, 1000)):
        if one.is_admin and one.id not in (browser.person.id, other.id):
            server.apply(one.remove())
    page = send(browser, "deactivate", [other.id, browser.person.id])
    assert "Done for 1 of 2 accounts." in page.text
    assert "This is the last activated administrator." in page.text
    assert server.account(browser.person.id).activated
