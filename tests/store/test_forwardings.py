"""Accounts by the targets of their rules of call forwarding."""

import json

import pytest
from pymongo import MongoClient

from flexiapi.model import CallForwarding, ForwardingKind, ForwardingTarget
from tests.kit.server import shared_by_module

server = shared_by_module({})


def rule(server, number, **target):
    kind = ForwardingTarget.CONTACT if "contact_id" in target else ForwardingTarget.SIP_URI
    now = server.clock.second()
    enabled = target.pop("enabled", True)
    return CallForwarding(number, ForwardingKind.ALWAYS, kind, enabled, now, now, **target)


@pytest.mark.parametrize(
    "query",
    [
        {"call_forwardings.contact_id": {"$in": [12]}},
        {
            "$or": [
                {"call_forwardings.contact_id": {"$in": [12]}},
                {"call_forwardings.target": {"$in": ["bob@sip.example.org"]}},
            ]
        },
    ],
    ids=["contacts", "contacts and addresses"],
)
def test_they_are_found_by_an_index(server, query):
    with MongoClient(server.uri) as client:
        database = client[server.settings.mongodb.database]
        plan = json.dumps(database.command("explain", {"find": "accounts", "filter": query}), default=str)
    assert "IXSCAN" in plan
    assert "COLLSCAN" not in plan


def test_only_enabled_rules_lead_somewhere_and_all_name_their_contact(server):
    on, off, to_address = (server.person() for _ in range(3))
    server.set(on.id, call_forwardings=(rule(server, 1, contact_id=9001),))
    server.set(off.id, call_forwardings=(rule(server, 2, contact_id=9001, enabled=False),))
    server.set(to_address.id, call_forwardings=(rule(server, 3, sip_uri="sip:B%6Fb@SIP.example.org:5061"),))
    store = server.store.forwardings
    assert sorted(server.run(store.to_contacts([9001]))) == [on.id, off.id]
    found = server.run(store.leading_to([9001], ["bob@sip.example.org"]))
    assert sorted(found) == [(on.id, on.sip), (to_address.id, to_address.sip)]


def test_rules_are_read_as_they_were_written(server):
    person = server.person()
    rules = (rule(server, 4, contact_id=9002), rule(server, 5, sip_uri="sip:bob@sip.example.org", enabled=False))
    server.set(person.id, call_forwardings=rules)
    assert server.account(person.id).call_forwardings == rules
