"""Contacts lists and their members in the administration."""

import re

import pytest

from flexiapi.services.contacts.lists import MEMBERS_AT_ONCE
from tests.kit.server import shared_by_module

server = shared_by_module({})

LISTS = "/admin/contacts_lists"


@pytest.fixture
def made(server):
    """A contacts list."""
    return server.run(server.services.contacts.lists.add("Building A", "All intercoms", server.actor))


def members(server, made):
    lists = server.services.contacts.lists
    return server.run(lists.by_id(made.id, server.services.spaces.default)).contact_ids


def test_a_list_is_created_changed_and_deleted(server, browser):
    browser.open(f"{LISTS}/create")
    page = browser.send("/create", title="Floor <1>", description="Phones")
    assert "The contacts list is created." in page.text
    assert "Floor &lt;1&gt;" in page.text
    place = page.url.path
    person = server.person(contacts_list_ids=(int(place.rpartition("/")[2]),))

    browser.open(f"{place}/edit")
    assert browser.form("/edit").fields["title"] == "Floor <1>"
    assert "Floor 2" in browser.send("/edit", title="Floor 2", description="Phones").text
    assert re.search(rf'{place.rpartition("/")[2]}">1<', browser.open(LISTS).text)

    browser.open(f"{place}/delete")
    assert server.account(person.id).contacts_list_ids
    assert "The contacts list is deleted." in browser.send("/delete").text
    assert browser.open(place).status_code == 404
    assert server.account(person.id).contacts_list_ids == ()


def test_what_is_missing_is_told_at_its_field(browser):
    browser.open(f"{LISTS}/create")
    page = browser.send("/create", title="", description="")
    assert page.status_code == 422
    assert re.findall(r'<a href="(#field-\w+)">', page.text) == ["#field-title", "#field-description"]


def test_members_are_added_by_address_or_name(server, browser, made):
    alice, bob = server.person("alice.list"), server.person("bob.list")
    for typed in (f"sip:{alice.sip}", "bob.list"):
        browser.open(f"{LISTS}/{made.id}/contacts/add")
        assert "Members added to the list: 1." in browser.send("/contacts/add", contact=typed).text
    assert members(server, made) == (alice.id, bob.id)
    page = browser.open(f"{LISTS}/{made.id}")
    assert alice.sip in page.text
    assert bob.sip in page.text


def test_a_search_finds_those_that_are_not_members(server, browser, made):
    first, second = server.person("carol.search.one"), server.person("carol.search.two")
    server.run(server.services.contacts.lists.add_contact(made.id, first.id, server.actor))
    page = browser.open(f"{LISTS}/{made.id}/contacts/add?search=carol.search")
    found = re.findall(r'name="ids" value="(\d+)"', page.text)
    assert found == [str(second.id)]
    assert browser.form("/contacts/add").fields["search"] == "carol.search"
    # One who became a member meanwhile stays one.
    page = browser.send("/contacts/add", ids=[str(second.id), str(first.id)])
    assert "Members added to the list: 1." in page.text
    assert members(server, made) == (first.id, second.id)
    assert "No further account was found." in browser.open(f"{LISTS}/{made.id}/contacts/add?search=carol.search").text


@pytest.mark.parametrize("values", [{}, {"contact": "no.such.account"}, {"contact": "a b@c"}])
def test_without_an_account_the_form_says_so_and_keeps_the_search(browser, made, values):
    browser.open(f"{LISTS}/{made.id}/contacts/add?search=somebody")
    page = browser.send("/contacts/add", **values)
    assert page.status_code == 422
    assert '<a href="#field-contact">SIP address ' in page.text
    assert 'id="search" name="search" value="somebody"' in page.text


def test_a_member_is_removed_after_a_question(server, browser, made):
    dora = server.person("dora.list")
    server.run(server.services.contacts.lists.add_contact(made.id, dora.id, server.actor))
    page = browser.open(f"{LISTS}/{made.id}/contacts/{dora.id}/delete")
    assert dora.sip in page.text
    assert members(server, made) == (dora.id,)
    assert "The member is removed from the list." in browser.send("/delete").text
    assert members(server, made) == ()
    assert browser.open(f"{LISTS}/{made.id}/contacts/{dora.id}/delete").status_code == 404


def test_a_long_list_has_pages(server, browser, made):
    async def fill():
        accounts, lists = server.store._database["accounts"], server.store._database["contacts_lists"]
        now = server.clock.second()
        one = {"domain": "sip.example.org", "created_at": now, "updated_at": now}
        ids = range(50_001, 50_003 + MEMBERS_AT_ONCE)
        await accounts.insert_many(
            [{**one, "_id": n, "username": f"many{n}", "identifiers": [f"sip:many{n}"]} for n in ids]
        )
        await lists.update_one({"_id": made.id}, {"$set": {"contacts": [*reversed(ids)]}})
        return list(ids)

    ids = server.run(fill())
    first = browser.open(f"{LISTS}/{made.id}").text
    following = re.search(r'href="([^"]+after=\d+)">Next page', first)[1]
    second = browser.open(following).text
    shown = [re.findall(r"many(\d+)@", page.partition("<tbody>")[2]) for page in (first, second)]
    assert [set(map(int, one)) for one in shown] == [{*ids[:MEMBERS_AT_ONCE]}, {*ids[MEMBERS_AT_ONCE:]}]
    assert "First page" in second
    assert "Next page" not in second
