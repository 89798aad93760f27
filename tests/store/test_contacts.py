"""Contacts, read without the rest of their accounts."""

from dataclasses import replace

import pytest

from flexiapi.api.views.accounts import ViewData
from flexiapi.api.views.contacts import ContactView
from flexiapi.model import EVERYWHERE, Action, ContactRecord, DtmfProtocol, Scope
from flexiapi.rendering import vcards

MORE_THAN_A_BATCH = 120
NOTHING = ViewData(None, {})


def contacts(server, ids, scope=EVERYWHERE):
    return server.run(server.store.contacts.by_ids(ids, scope))


def write(server, account_id, **values):
    """Change a document by hand."""

    async def change():
        await server.store._database["accounts"].update_one({"_id": account_id}, {"$set": values})

    server.run(change())


@pytest.fixture
def people(server):
    """Accounts with everything that contacts show, with some of it, and with nothing."""
    kind = server.run(server.store.types.add("phone", server.actor))
    actions = (Action(1, "open", "12;3"), Action(2, "light, hall", "7a"))
    shown = {"display_name": "Döor, front", "phone": "+33600000001", "type_ids": (kind.id,), "actions": actions}
    return [
        server.person("plain"),
        server.person("door", dtmf_protocol=DtmfProtocol.SIPINFO, **shown),
        server.person("quiet.door", **{**shown, "phone": None}),
        server.person("sleeper", activated=False),
    ]


def agree(server, people):
    """Compare contacts with the same accounts, as cards and as JSON, and return them."""
    ids = [person.id for person in people]
    found, whole = contacts(server, ids), server.run(server.store.accounts.by_ids(ids))
    types = server.run(server.services.accounts.types.of(whole))
    assert server.run(server.services.accounts.types.of(found)) == types
    assert vcards.cards(found, types) == vcards.cards(whole, types)
    data = replace(NOTHING, types=types)
    assert [ContactView.of(one, data) for one in found] == [ContactView.of(one, data) for one in whole]
    return found


def test_they_show_the_same_as_whole_accounts(server, people):
    found = agree(server, people)
    assert {type(contact) for contact in found} == {ContactRecord}


ODD = (
    {"username": 7},
    {"domain": None},
    {"activated": "yes"},
    {"phone": 33},
    {"display_name": ["x"]},
    {"dtmf_protocol": "smoke"},
    {"types": 3},
    {"actions": [{"id": 1, "key": "open", "code": "1", "of_a_newer_release": True}]},
    {"actions": ["open"]},
)
EMPTY = ({"display_name": None}, {"phone": None}, {"dtmf_protocol": ""}, {"types": []}, {"actions": None})


def test_accounts_that_cannot_be_read_show_the_same_as_whole_accounts(server, people):
    server.expect_errors("an account cannot be read as a whole")
    for values in ODD:
        odd = server.person(dtmf_protocol=DtmfProtocol.RFC2833, actions=(Action(1, "open", "1"),))
        write(server, odd.id, **values)
        agree(server, [people[1], odd])


def test_values_that_are_there_and_empty_show_the_same_as_whole_accounts(server, people):
    for values in EMPTY:
        write(server, people[1].id, **values)
        found = agree(server, people)
        assert {type(contact) for contact in found} == {ContactRecord}


def test_more_of_them_than_a_first_batch_of_mongodb_come_at_once(server):
    made = server.clock.second()
    one = {"domain": "sip.example.org", "created_at": made, "updated_at": made, "activated": True}
    documents = [
        {**one, "_id": 1000 + n, "username": f"u{n}", "identifiers": [f"sip:u{n}"]} for n in range(MORE_THAN_A_BATCH)
    ]
    sent = []

    async def fill():
        await server.store._database["accounts"].insert_many(documents)

    async def look():
        await server.store._database.command("profile", 2)
        try:
            found = await server.store.contacts.by_ids([*range(2000, 900, -1)], EVERYWHERE)
        finally:
            await server.store._database.command("profile", 0)
        profile = server.store._database["system.profile"]
        sent.extend(await profile.find({"ns": f"{server.store._database.name}.accounts"}).to_list(None))
        await server.store._database.drop_collection("system.profile")
        return [contact.id for contact in found]

    server.run(fill())
    assert server.run(look()) == list(range(1000, 1000 + MORE_THAN_A_BATCH))
    assert [operation["op"] for operation in sent] == ["query"]


def test_those_of_other_scopes_are_not_among_them(server, people):
    stranger = server.person("stranger", domain="other.example.org")
    ids = [stranger.id, people[0].id]
    assert [one.id for one in contacts(server, ids, Scope(only="other.example.org"))] == [stranger.id]
    assert [one.id for one in contacts(server, ids)] == sorted(ids)
    assert contacts(server, []) == []
