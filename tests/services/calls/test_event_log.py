"""The buffer of the event log, its removal with accounts and by age, and its borders between spaces."""

import asyncio
import secrets
from dataclasses import replace
from datetime import timedelta

import pytest
from pymongo import MongoClient

from flexiapi.errors import ReportsRefused, StoreUnavailable
from flexiapi.model import Actor, ReportedDevice, ReportedOutcome, ReportKind, SipReport
from flexiapi.services.calls import event_log
from flexiapi.store import Store
from tests.kit.server import serving, shared_by_module

B = "b.example.org"

server = shared_by_module({"statistics": {"days": 30}, "spaces": {B: {"name": "Bee"}}})


@pytest.fixture
def log(server):
    return server.services.calls.event_log


@pytest.fixture
def space(server):
    return server.store.spaces.default


def call(call_id, sender, receiver, **fields):
    return SipReport(
        kind=ReportKind.CALL,
        id=call_id,
        sender=sender,
        receivers=(receiver,),
        **{"begun_at": fields.pop("at"), **fields},
    )


class Notes:
    """Reports that are noted and written on the server's loop."""

    def __init__(self, server, log, space):
        self.server, self.log, self.space = server, log, space

    def note(self, *reports, space=None):
        async def noted():
            for report in reports:
                self.log.note(report, space or self.space, (space or self.space).reach)

        self.server.run(noted())

    def write(self):
        self.server.run(self.log.write())

    def of(self, account_id):
        return self.server.run(self.server.store.sip_reports.listings.calls_of(account_id, 0, 10**4))

    def ids_of(self, account_id):
        return [one.id for one in self.of(account_id).calls]

    def records(self, kind="calls"):
        async def found():
            return await self.server.store._database[f"reported_{kind}"].find().to_list(None)

        return {(one["_id"]["space"], one["_id"]["id"]): one for one in self.server.run(found())}


@pytest.fixture
def notes(server, log, space):
    return Notes(server, log, space)


@pytest.fixture
def person(server):
    return server.person()


@pytest.fixture
def failing(server, log, notes, monkeypatch):
    """A function that makes writes fail with an error until it is called with `None`."""
    reports, write = log._reports, log._reports.write
    outcome = [None]

    async def written(filed, now):
        if outcome[0] is not None:
            raise outcome[0]
        await write(filed, now)

    async def quiet():
        """The loop beside the test does not write while it looks."""
        await asyncio.sleep(3600)

    monkeypatch.setattr(reports, "write", written)
    monkeypatch.setattr(log, "_attempted", quiet)

    def fail(error):
        outcome[0] = error

    yield fail
    fail(None)
    log._waiting.clear()
    log._weight, log._is_away, log._has_failed = 0, False, False


def test_thousands_of_reports_in_bursts_are_all_stored_in_their_order(server, notes, person):
    now = server.clock.second()
    reports = [
        SipReport(kind=ReportKind.CALL, id=f"burst{number % 500}", ended_at=now + timedelta(seconds=number))
        for number in range(1500)
    ]
    begun = [
        call(f"burst{number}", person.sip, "bob@far.example.org", at=now + timedelta(seconds=number))
        for number in range(500)
    ]
    for burst in range(0, 1500, 300):
        notes.note(*reports[burst : burst + 300])
    notes.note(*begun)
    notes.write()
    found = notes.of(person.id)
    assert found.total == 500
    assert [one.id for one in found.calls] == [f"burst{number}" for number in range(499, -1, -1)]
    assert [one.ended_at - now for one in found.calls] == [timedelta(seconds=number) for number in range(1499, 999, -1)]


def test_reports_are_written_within_a_second_without_being_asked_for(server, notes, person):
    async def noted_and_written():
        notes.log.note(
            call("soon", person.sip, "bob@far.example.org", at=server.clock.now()), notes.space, notes.space.reach
        )
        while notes.log._waiting:  # noqa: ASYNC110  # the loop of the server tells nothing
            await asyncio.sleep(0.01)

    server.run(noted_and_written())
    notes.write()
    assert notes.ids_of(person.id) == ["soon"]


def test_while_the_database_is_away_reports_wait_and_new_ones_are_refused(server, notes, person, failing):
    failing(StoreUnavailable("it is away"))
    first, second = (
        call(name, person.sip, "bob@far.example.org", at=server.clock.now()) for name in ("waits", "refused")
    )
    notes.note(first)
    with pytest.raises(StoreUnavailable):
        notes.write()
    with pytest.raises(ReportsRefused):
        notes.note(second)
    failing(None)
    notes.write()
    assert notes.ids_of(person.id) == ["waits"]
    notes.note(replace(second, id="taken"))
    notes.write()
    assert sorted(notes.ids_of(person.id)) == ["taken", "waits"]


def test_the_memory_of_reports_is_bounded(server, notes, person, failing, monkeypatch):
    monkeypatch.setattr(event_log, "MOST_WAITING", 10)
    small = call("small", person.sip, "bob@far.example.org", at=server.clock.now())
    notes.note(*[small] * 5)
    with pytest.raises(ReportsRefused):
        notes.note(small)
    assert len(notes.log._waiting) == 5
    notes.write()
    notes.note(replace(small, devices=[ReportedDevice(str(number)) for number in range(8)]))
    with pytest.raises(ReportsRefused):
        notes.note(small)


def test_what_is_refused_twice_is_logged_once_with_its_number_and_blocks_nothing(server, notes, person, failing):
    server.expect_errors("reports of the SIP server were refused twice")
    failing(ValueError("no document"))
    notes.note(*[call("poison", person.sip, "bob@far.example.org", at=server.clock.now())] * 3)
    with pytest.raises(ValueError, match="no document"):
        notes.write()
    notes.write()
    assert not notes.log._waiting
    failing(None)
    notes.note(call("after", person.sip, "bob@far.example.org", at=server.clock.now()))
    notes.write()
    assert notes.ids_of(person.id) == ["after"]


def test_nothing_is_kept_unless_the_setting_says_so(server, notes, person, monkeypatch):
    monkeypatch.setattr(notes.log, "_is_kept", False)
    notes.note(call("off", person.sip, "bob@far.example.org", at=server.clock.now()))
    notes.write()
    assert notes.ids_of(person.id) == []


def test_calls_and_messages_go_with_the_account_and_a_later_one_of_the_name_does_not_see_them(server, notes, person):
    now, other = server.clock.now(), server.person()
    device = ReportedDevice("key", person.sip, outcome=ReportedOutcome(now, 200))
    sent = SipReport(kind=ReportKind.MESSAGE, id="sent", sender=person.sip, receivers=(other.sip,), begun_at=now)
    got = replace(sent, id="got", sender=other.sip, receivers=(person.sip, "c@far.example.org"), devices=(device,))
    room = SipReport(kind=ReportKind.CONFERENCE, id="left", receivers=(person.sip,), devices=(device,))
    notes.note(
        call("made", person.sip, other.sip, at=now), call("taken-by", other.sip, person.sip, at=now), sent, got, room
    )
    notes.write()
    assert notes.of(person.id).total == 2
    server.run(server.services.accounts.removal.remove(person.account, Actor.system()))
    assert notes.of(other.id).total == 0
    messages = notes.records("messages")
    assert ("", "sent") not in messages
    kept = messages["", "got"]
    assert ([one["address"] for one in kept["receivers"]], kept["devices"]) == (["c@far.example.org"], [])
    assert notes.records("conferences")["", "left"]["receivers"] == []
    assert person.sip not in str([notes.records(kind) for kind in ReportKind])
    later = server.person(person.account.username)
    assert notes.ids_of(later.id) == []
    notes.note(SipReport(kind=ReportKind.CALL, id="made", ended_at=now))
    notes.write()
    assert notes.ids_of(later.id) == []


def test_a_report_written_while_its_account_is_removed_goes_with_it(server, notes, person, monkeypatch):
    reports = server.store.sip_reports
    owners = reports._owners

    async def owners_before_the_removal(addresses):
        found = await owners(addresses)
        await server.services.accounts.removal.remove(person.account, Actor.system())
        return found

    monkeypatch.setattr(reports, "_owners", owners_before_the_removal)
    notes.note(call("late", person.sip, "bob@far.example.org", at=server.clock.now()))
    notes.write()
    assert notes.ids_of(person.id) == []
    assert ("", "late") not in notes.records()


def test_each_space_has_records_of_its_own_and_only_its_accounts_see_them(server, notes, person):
    there, now = server.person(domain=B), server.clock.now()
    of_b = server.store.spaces.by_domain[B]
    both = call("between", person.sip, there.sip, at=now)
    notes.note(both)
    notes.note(replace(both, ended_at=now), space=of_b)
    notes.write()
    (mine,), (theirs,) = notes.of(person.id).calls, notes.of(there.id).calls
    assert (mine.id, mine.ended_at) == ("between", None)
    assert (theirs.id, theirs.ended_at is None) == ("between", False)
    assert [notes.records()[space, "between"]["domains"] for space in ("", B)] == [["sip.example.org"], [B]]
    values = {"from": there.sip, "to": "c@b.example.org"}
    assert list(server.run(notes.log.faults(values, notes.space.reach))) == ["from"]
    assert server.run(notes.log.faults(values, of_b.reach)) == {}


def test_the_age_of_records_follows_a_changed_setting_and_none_are_kept_at_zero(server, notes):
    async def lives():
        store: Store = server.store
        found = {}
        for days in (30, 7, 0, 30):
            await store.sip_reports.removals.keep_for(timedelta(days=days))
            indexes = await store._database["reported_calls"].index_information()
            found[days] = indexes["reported_at_1"]["expireAfterSeconds"]
        return found

    assert server.run(lives()) == {30: 2_592_000, 7: 604_800, 0: 0}


def test_the_call_log_reads_no_more_than_a_page_by_its_index(server, notes, person):
    notes.note(*[call(f"one{n}", person.sip, "bob@far.example.org", at=server.clock.now()) for n in range(40)])
    notes.write()

    async def plan():
        calls = server.store._database["reported_calls"]
        cursor = calls.find({"accounts": person.id}, sort=[("begun_at", -1), ("_id", -1)], limit=30)
        return (await cursor.explain())["executionStats"]

    stats = server.run(plan())
    assert (stats["totalDocsExamined"], stats["totalKeysExamined"]) == (30, 30)


def test_a_server_that_stops_writes_what_waits(mongod_uri, tmp_path):
    database = f"test_{secrets.token_hex(6)}"
    with serving({"statistics": {"days": 30}, "mongodb": {"database": database}}, tmp_path, mongod_uri) as running:
        alice = running.person()
        log, space = running.services.calls.event_log, running.store.spaces.default

        async def noted():
            log.note(call("last", alice.sip, "bob@far.example.org", at=running.clock.now()), space, space.reach)
            return len(log._waiting)

        assert running.run(noted()) == 1
    with MongoClient(mongod_uri) as client:
        assert [one["_id"]["id"] for one in client[database]["reported_calls"].find()] == ["last"]
        client.drop_database(database)
