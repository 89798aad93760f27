"""The records about a person, for an export."""

import json

import pytest

from flexiapi.errors import TooManyRequests
from flexiapi.model import EVERYWHERE, Actor, ActorKind, ReportedDevice, ReportedOutcome, ReportKind, SipReport
from flexiapi.store import FiledReport
from tests.kit.server import shared_by_module

server = shared_by_module({"limits": {"exports_per_hour": 2}, "statistics": {"days": 30}})


def records_of(server, person):
    return server.run(server.services.accounts.personal_data.of(server.account(person.id)))


def test_events_name_the_person_and_tell_nothing_of_others(server):
    alice, boss = server.person(), server.person(admin_since=server.clock.second())
    mine = Actor(ActorKind.ACCOUNT, alice.id, "key", "192.0.2.7", "Phone/1")
    theirs = Actor(ActorKind.ACCOUNT, boss.id, "key", "198.51.100.9", "Office/2")
    token = server.run(server.services.sign_in.api_keys.new_auth_token(mine)).token
    server.run(server.services.sign_in.api_keys.attach(token, server.account(alice.id), mine))
    server.run(server.services.accounts.administration.block(alice.id, theirs, "Reported for spam"))
    server.run(server.store.journal.pending.move())
    found = records_of(server, alice)
    by = {event.name: (event.by, event.address, event.user_agent) for event in found.events}
    assert by["account.blocked"] == ("another account", "", "")
    assert by["auth_token.attached"] == ("you", "192.0.2.7", "Phone/1")
    told = json.dumps([str(event) for event in found.events])
    assert "198.51.100.9" not in told
    assert "Reported for spam" not in told
    assert [(token.kind, token.is_used) for token in found.tokens] == [("auth_token", False)]
    blocked = next(event for event in found.events if event.name == "account.blocked")
    assert "blocked_at" in blocked.details["fields"]
    seen_by_boss = next(event for event in records_of(server, boss).events if event.name == "account.blocked")
    assert (seen_by_boss.by, seen_by_boss.details) == ("you", {})


def test_lists_and_types_are_those_of_the_account(server):
    made = server.run(server.store.contacts_lists.add("Neighbours", "Of the house", server.actor))
    other = server.run(server.store.contacts_lists.add("Others", "", server.actor))
    alice = server.person(contacts_list_ids=(made.id,))
    assert [one.title for one in records_of(server, alice).contacts_lists] == ["Neighbours"]
    assert other.id != made.id


def test_exports_are_limited(server):
    alice = server.person()
    for _ in range(2):
        records_of(server, alice)
    with pytest.raises(TooManyRequests):
        records_of(server, alice)


def test_events_of_an_account_are_found_by_indexes(server):
    async def plan():
        events = server.store._database["events"]
        changed = {"collection": "accounts", "$or": [{"subject": 5}, {"details.ids": 5}]}
        query = {"$or": [changed, {"actor.account": 5}]}
        return await events.find(query).sort("at", -1).limit(10).explain()

    assert "COLLSCAN" not in json.dumps(server.run(plan())["queryPlanner"]["winningPlan"], default=str)


def test_calls_and_messages_are_there_with_the_own_part_of_what_others_sent(server):
    alice, bob, carol, now = server.person(), server.person(), server.person(), server.clock.second()
    phones = [ReportedDevice(f"phone-of-{one.id}", one.sip, outcome=ReportedOutcome(now, 200)) for one in (bob, carol)]
    call = SipReport(kind=ReportKind.CALL, id="call", sender=alice.sip, receivers=(bob.sip,), begun_at=now)
    sent = SipReport(
        kind=ReportKind.MESSAGE,
        id="message",
        sender=alice.sip,
        receivers=(bob.sip, carol.sip),
        begun_at=now,
        devices=phones,
    )
    room = SipReport(kind=ReportKind.CONFERENCE, id="room", receivers=(bob.sip, carol.sip), devices=phones)
    filed = [FiledReport(report, server.store.spaces.default, EVERYWHERE) for report in (call, sent, room)]
    server.run(server.store.sip_reports.write(filed, now))
    of_alice, of_bob = records_of(server, alice).reports, records_of(server, bob).reports
    assert [one.receiver for one in of_alice.calls] == [one.receiver for one in of_bob.calls] == [bob.sip]
    assert [list(one.receivers) for one in of_alice.messages] == [[bob.sip, carol.sip]]
    assert [(one.sender, one.receivers) for one in of_bob.messages] == [(alice.sip, [bob.sip])]
    assert carol.sip not in str(of_bob)
    assert [one.device for one in of_bob.conferences[0].devices] == [f"phone-of-{bob.id}"]
    assert of_bob.are_all
    assert not records_of(server, carol).reports.calls
