"""Events on their way: from the changed documents to numbers, in the order of each record, none lost and none twice."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from flexiapi.crypto.keys import ApplicationKey
from flexiapi.errors import ChangesLost
from flexiapi.events import AccountFeeds, EventFigures, Numbering, numbering
from flexiapi.model import Account, Actor, ActorKind, EventSelection
from flexiapi.settings import Settings
from flexiapi.store import Store
from flexiapi.store.pending_events import MOST, event_document, placed
from tests.kit.ledger import Ledger

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ALL = EventSelection()
ACTOR = Actor(ActorKind.ACCOUNT, 7, "digest", "192.0.2.1", "a phone")


@pytest.fixture
def database(request):
    return f"test_{abs(hash(request.node.nodeid)):x}"


@pytest.fixture
def ledger(mongod_uri, database):
    ledger = Ledger(mongod_uri, database)
    yield ledger
    ledger.client.drop_database(database)
    ledger.close()


@contextlib.asynccontextmanager
async def opened(uri, database):
    store = Store(Settings(mongodb={"database": database, "timeout_seconds": 30}), ApplicationKey("k" * 32), uri)
    try:
        await store.prepare()
        yield store
    finally:
        await store.close()


def new(username="alice", **fields):
    return Account.new(NOW, username=username, domain="sip.example.org", **fields)


async def number_all(store):
    while await store.journal.events.numbers.give(100):
        pass


async def newest(store):
    await store.journal.pending.move()
    await number_all(store)
    return await store.journal.events.newest(ALL, 1000, 10**6)


def test_a_change_is_told_with_its_actor_and_its_place(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await store.accounts.apply(new(), ACTOR)
            await store.accounts.apply(alice.activate(NOW), ACTOR)
            await store.accounts.apply(alice.add_contact(9), Actor.cli())
            return await newest(store)

    created, activated, added = asyncio.run(run())
    assert [event.name for event in (created, activated, added)] == [
        "account.created",
        "account.activated",
        "account.contact_added",
    ]
    assert [(event.number, event.revision) for event in (created, activated, added)] == [(1, 1), (2, 2), (3, 3)]
    assert {(event.collection, event.subject) for event in (created, activated, added)} == {("accounts", 1)}
    assert (activated.actor, added.actor) == (ACTOR, Actor.cli())
    assert activated.details == {"address": "alice@sip.example.org", "fields": ["activated", "activated_at"]}
    assert added.details == {"address": "alice@sip.example.org", "fields": ["contact_ids"], "element": 9}
    assert [event.touches_credentials for event in (created, activated, added)] == [True, True, False]
    assert ledger.faults == []


def test_a_change_that_is_refused_is_no_event(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await store.accounts.apply(new(), ACTOR)
            await store.accounts.apply(alice.add_contact(9), ACTOR)
            assert await store.accounts.apply(alice.add_contact(9), ACTOR) is None
            assert not await store.contacts_lists.add_contact(5, 1, ACTOR)
            return await newest(store)

    assert [event.name for event in asyncio.run(run())] == ["account.created", "account.contact_added"]


def test_a_document_that_is_full_of_events_gets_room(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await store.accounts.apply(new(), ACTOR)
            for number in range(2 * MOST):
                assert await store.accounts.apply(alice.add_contact(100 + number), ACTOR)
                assert len(ledger.database.accounts.find_one()["pending_events"]) <= MOST
            return await newest(store)

    events = asyncio.run(run())
    assert [event.revision for event in events] == list(range(1, 2 * MOST + 2))
    assert ledger.faults == []
    assert ledger.is_settled


def test_a_removal_moves_what_is_pending_and_is_told_last(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await store.accounts.apply(new(), ACTOR)
            alice = await store.accounts.apply(alice.activate(NOW), ACTOR)
            assert await store.accounts.apply(alice.remove(), ACTOR)
            assert await store.accounts.apply(alice.remove(), ACTOR) is None
            return await newest(store)

    events = asyncio.run(run())
    assert [event.name for event in events] == ["account.created", "account.activated", "account.removed"]
    assert [event.revision for event in events] == [1, 2, 3]
    assert ledger.faults == []


def test_a_removal_that_is_refused_is_not_told(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            read = await store.accounts.apply(new(), ACTOR)
            await store.accounts.apply(read.activate(NOW), ACTOR)
            assert await store.accounts.apply(read.remove("activated"), ACTOR) is None
            await newest(store)

    asyncio.run(run())
    assert ledger.names(1) == ["account.created", "account.activated"]
    assert ledger.is_settled


def test_fifty_removals_at_once_are_one_event(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await store.accounts.apply(new(), ACTOR)
            removed = await asyncio.gather(*(store.accounts.apply(alice.remove(), ACTOR) for _ in range(50)))
            assert sum(account is not None for account in removed) == 1
            await newest(store)

    asyncio.run(run())
    assert ledger.names(1) == ["account.created", "account.removed"]
    assert ledger.is_settled


def test_an_account_that_is_removed_while_it_changes(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            for username in ("alice", "bob", "carol"):
                one = await store.accounts.apply(new(username), ACTOR)
                changes = [store.accounts.apply(one.add_contact(100 + number), ACTOR) for number in range(20)]
                moves = [store.journal.pending.move() for _ in range(5)]
                done = await asyncio.gather(*changes, *moves, store.accounts.apply(one.remove(), ACTOR))
                assert done[-1] is not None
            await newest(store)

    asyncio.run(run())
    assert ledger.faults == []
    assert ledger.is_settled


def test_two_processes_move_the_events_of_one_account_in_order(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as one, opened(mongod_uri, database) as other:
            alice = await one.accounts.apply(new(), ACTOR)

            async def change(store, first):
                for number in range(first, first + 40):
                    assert await store.accounts.apply(alice.add_contact(number), ACTOR)
                    if number % 3 == 0:
                        await store.journal.pending.move()

            await asyncio.gather(change(one, 100), change(other, 200), change(one, 300), change(other, 400))
            await asyncio.gather(one.journal.pending.move(), other.journal.pending.move())
            await number_all(one)

    asyncio.run(run())
    assert ledger.faults == []
    assert ledger.is_settled
    assert len(ledger.events) == 161


def test_processes_that_number_at_once_leave_no_hole(mongod_uri, database, ledger):
    async def run():
        async with contextlib.AsyncExitStack() as stack:
            stores = [await stack.enter_async_context(opened(mongod_uri, database)) for _ in range(4)]
            people = [await stores[0].accounts.apply(new(f"person.{number}"), ACTOR) for number in range(10)]
            for number in range(6):
                for store in stores:
                    changes = (store.accounts.apply(one.add_contact(1000 + number), ACTOR) for one in people)
                    await asyncio.gather(*changes)
                await asyncio.gather(*(store.journal.pending.move() for store in stores))
                await asyncio.gather(*(store.journal.events.numbers.give(7) for store in stores))
            await number_all(stores[0])

    asyncio.run(run())
    assert ledger.faults == []
    assert ledger.is_settled
    assert len(ledger.events) == 10 + 10 * 6


def test_a_process_that_stood_still_numbers_nothing_twice(mongod_uri, database, ledger):
    """It still believes to know the last batch, of long ago, when all of its events are removed."""

    async def run():
        async with opened(mongod_uri, database) as still, opened(mongod_uri, database) as other:

            async def change(store, name):
                await store.accounts.apply(new(name), ACTOR)
                await store.journal.pending.move()

            await number_all(still)
            for number in range(6):
                await change(other, f"person.{number}")
                await (still if number == 0 else other).journal.events.numbers.give(10)
            assert len(ledger.events) == 6
            assert ledger.faults == []
            await other.journal.events.remove_older(datetime.now(UTC) + timedelta(hours=1))
            await change(still, "late")
            await number_all(still)
            assert [event["number"] for event in ledger.events] == [7]
            assert [event.number for event in await other.journal.events.after(6, 10)] == [7]

    asyncio.run(run())


def test_a_batch_that_was_interrupted_is_completed_before_the_next(mongod_uri, database, ledger, monkeypatch):
    async def run():
        async with opened(mongod_uri, database) as killed, opened(mongod_uri, database) as other:
            for number in range(5):
                await killed.accounts.apply(new(f"person.{number}"), ACTOR)
            await killed.journal.pending.move()
            numbers = killed.journal.events.numbers
            await number_all(other)
            await killed.accounts.apply(new("person.5"), ACTOR)
            await killed.journal.pending.move()

            async def fail(_batch):
                raise ConnectionError

            await numbers.give(10)
            await killed.accounts.apply(new("person.6"), ACTOR)
            await killed.journal.pending.move()
            monkeypatch.setattr(numbers, "_complete", fail)
            with pytest.raises(ConnectionError):
                await numbers.give(10)
            assert ledger.unfinished["unnumbered"] == 1
            # Its number was given, and the event has it soon: that is no gap.
            assert await other.journal.events.after(6, 10) == []
            await number_all(other)

    asyncio.run(run())
    assert len(ledger.events) == 7
    assert ledger.faults == []


def test_a_missing_event_is_told(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            for number in range(4):
                await store.accounts.apply(new(f"person.{number}"), ACTOR)
                await newest(store)
            ledger.database.events.delete_one({"number": 2})
            assert len(await store.journal.events.after(0, 10)) == 1
            with pytest.raises(ChangesLost, match="the event 2 is missing"):
                await store.journal.events.after(1, 10)
            assert await store.journal.events.beyond_gap(1) == 2
            assert [event.number for event in await store.journal.events.after(2, 10)] == [3, 4]
            assert await store.journal.events.beyond_gap(9) == 4

    asyncio.run(run())


def test_imports_are_told_in_their_order(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            for id_ in range(70, 75):
                await store.bulk.put([new(f"bob.{id_}", id=id_).after], ACTOR)
            return [event.details["ids"] for event in await newest(store)]

    assert asyncio.run(run()) == [[70], [71], [72], [73], [74]]


def test_an_import_between_the_moves_of_two_processes_keeps_the_order(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as one, opened(mongod_uri, database) as other:
            alice = await one.accounts.apply(new(), ACTOR)
            await newest(one)
            await one.accounts.apply(alice.add_contact(1), ACTOR)
            await one.accounts.apply(alice.add_contact(2), ACTOR)
            await other.bulk.put([alice], ACTOR)
            await other.accounts.apply(alice.add_contact(3), ACTOR)
            await asyncio.gather(one.journal.pending.move(), other.journal.pending.move())
            await number_all(one)
            return await one.journal.events.newest(EventSelection(account_id=1, name="account.c*"), 10, 100)

    assert [event.details.get("element") for event in asyncio.run(run())] == [None, 1, 2, 3]
    assert ledger.faults == []


def test_a_failing_part_of_the_sweep_holds_up_no_other(mongod_uri, database, ledger, monkeypatch):
    async def run():
        async with opened(mongod_uri, database) as ended:
            await ended.accounts.apply(new(), ACTOR)
        async with opened(mongod_uri, database) as store:

            async def fail(_age):
                raise ValueError

            monkeypatch.setattr(store.journal.announcements, "resolve", fail)
            monkeypatch.setattr(numbering, "LEFT_BEHIND", timedelta(0))
            with capture_logs() as logs:
                await Numbering(store, 14).sweep()
            assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == [
                "the sweep of events failed in part"
            ]
            await number_all(store)

    asyncio.run(run())
    assert ledger.names(1) == ["account.created"]


def test_metrics_tell_what_waits_and_for_how_long(mongod_uri, database, ledger):
    def value(name, **labels):
        return REGISTRY.get_sample_value(f"flexiapi_events_{name}", labels)

    async def run():
        async with opened(mongod_uri, database) as store:
            measured = EventFigures(store.journal)
            await store.accounts.apply(new(), ACTOR)
            announced = await store.journal.announcements.announce("accounts", ACTOR, "accounts.imported", {"ids": []})
            await measured.measure()
            for station, count in (("pending", 1), ("unnumbered", 0), ("announced", 1)):
                assert value("waiting", station=station) == count
                assert (value("waiting_seconds", station=station) > 0) == bool(count)
            await store.journal.pending.move()
            await store.journal.announcements.drop(announced)
            await measured.measure()
            assert [value("waiting", station=one) for one in ("pending", "unnumbered", "announced")] == [0, 1, 0]
            await number_all(store)
            monitored = AccountFeeds(store.journal.events, store.changes, None)
            async with monitored.watch("#0", with_stream=False) as feed:
                await feed._fetch()
                await measured.measure()
                assert (value("last_number"), value("reader_lag", reader="sign-in replica")) == (1, 1)
                assert await feed.next() == 1
                await measured.measure()
                assert value("reader_lag", reader="sign-in replica") == 0

    asyncio.run(run())


def test_an_event_is_never_numbered_before_an_earlier_one_of_its_record(mongod_uri, database, ledger):
    """The clocks of hosts differ: the later event has the earlier time."""

    async def run():
        async with opened(mongod_uri, database) as store:
            late = placed(event_document(ACTOR, "second"), "accounts", 5, 2)
            early = placed({**event_document(ACTOR, "first"), "at": late["at"] + timedelta(hours=1)}, "accounts", 5, 1)
            await store.journal.events.add([early, late])
            assert await store.journal.events.numbers.give(1) in (1, 2)
            await number_all(store)

    asyncio.run(run())
    assert ledger.names(5) == ["first", "second"]


def test_the_sweep_moves_what_an_ended_process_left(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as ended:
            alice = await ended.accounts.apply(new(), ACTOR)
            await ended.accounts.apply(alice.activate(NOW), ACTOR)
            await ended.types.add("phone", ACTOR)
            await ended.creation_tokens.add("token", NOW, NOW + timedelta(days=400), ACTOR)
        async with opened(mongod_uri, database) as store:
            assert await store.journal.pending.sweep(datetime.now(UTC) - timedelta(hours=1)) == 0
            assert (await store.journal.pending.counts())[0] == 3
            assert await store.journal.pending.sweep(datetime.now(UTC) + timedelta(seconds=1)) == 3
            await number_all(store)

    asyncio.run(run())
    assert ledger.faults == []
    assert ledger.is_settled
    assert len(ledger.events) == 4


def test_events_wait_while_the_move_fails_and_keep_their_order(mongod_uri, database, ledger, monkeypatch):
    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await store.accounts.apply(new(), ACTOR)
            adding = store.journal.events.add

            async def fail(_documents):
                await store.accounts.apply(alice.add_contact(2), ACTOR)
                raise ConnectionError

            monkeypatch.setattr(store.journal.events, "add", fail)
            with pytest.raises(ConnectionError):
                await store.journal.pending.move()
            monkeypatch.setattr(store.journal.events, "add", adding)
            assert store.journal.pending.noted.is_set()
            await newest(store)

    asyncio.run(run())
    assert ledger.names(1) == ["account.created", "account.contact_added"]
    assert ledger.faults == []


def test_types_lists_and_tokens_are_told(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            kind = await store.types.add("phone", ACTOR)
            await store.types.rename(kind.id, "other", ACTOR)
            assert await store.types.remove(kind.id, ACTOR)
            assert not await store.types.remove(kind.id, ACTOR)
            team = await store.contacts_lists.add("team", "", ACTOR)
            await store.contacts_lists.change(team.id, "crew", "", ACTOR)
            await store.contacts_lists.add_contact(team.id, 1, ACTOR)
            await store.contacts_lists.remove_contact(team.id, 1, ACTOR)
            await store.contacts_lists.remove(team.id, ACTOR)
            ends = NOW + timedelta(days=400)
            await store.creation_tokens.add("creation", NOW, ends, ACTOR)
            await store.creation_tokens.consume("creation", NOW, ACTOR)
            await store.creation_tokens.give_back("creation", ACTOR)
            await store.request_tokens.add("request", NOW, ends, ACTOR)
            await store.request_tokens.validate("request", NOW, ACTOR)
            await store.request_tokens.consume("request", NOW, "creation", ACTOR)
            await store.auth_tokens.add("auth", NOW, ends, ACTOR)
            await store.auth_tokens.attach("auth", 1, 0, NOW, ACTOR)
            assert await store.auth_tokens.consume("auth", NOW, ACTOR)
            assert not await store.auth_tokens.consume("auth", NOW, ACTOR)
            assert not await store.auth_tokens.attach("auth", 2, 0, NOW, ACTOR)
            assert await store.auth_tokens.attached("auth", NOW) is None
            events = await newest(store)
            assert await store.creation_tokens.clear(ends + timedelta(1)) == 1
            return events

    assert [event.name for event in asyncio.run(run())] == [
        *("type.created", "type.renamed", "type.removed"),
        *("contacts_list.created", "contacts_list.changed", "contacts_list.contact_added"),
        *("contacts_list.contact_removed", "contacts_list.removed"),
        *("creation_token.created", "creation_token.used", "creation_token.given_back"),
        *("request_token.created", "request_token.validated", "request_token.used"),
        *("auth_token.created", "auth_token.attached", "auth_token.used"),
    ]
    assert ledger.faults == []
    assert ledger.is_settled


def test_a_token_is_deleted_only_after_its_events_are_moved(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            for number in range(3):
                await store.creation_tokens.add(f"token {number}", NOW, NOW, ACTOR)
            assert await store.creation_tokens.clear(NOW + timedelta(1)) == 3
            assert await store.journal.events.counts() != (0, None)
            await number_all(store)

    asyncio.run(run())
    assert [event["name"] for event in ledger.events] == ["creation_token.created"] * 3


def test_an_import_is_one_event_and_keeps_what_accounts_have_pending(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await store.accounts.apply(new(display_name="$group"), ACTOR)
            bob = new("bob", id=70, display_name="$name {$literal: 1}").after
            await store.bulk.put([alice, bob], Actor.cli())
            alice = await store.accounts.by_id(alice.id)
            await store.accounts.apply(alice.activate(NOW), ACTOR)
            assert (await store.accounts.by_id(70)).display_name == "$name {$literal: 1}"
            return await newest(store)

    events = asyncio.run(run())
    assert sorted(event.name for event in events) == ["account.activated", "account.created", "accounts.imported"]
    (imported,) = [event for event in events if event.name == "accounts.imported"]
    assert (imported.subject, list(imported.account_ids), imported.touches_credentials) == (None, [1, 70], True)
    assert ledger.names(1) == ["account.created", "account.activated"]
    assert ledger.faults == []
    assert ledger.is_settled


def test_an_account_that_is_imported_again_after_its_removal_is_told_each_time(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            for _ in range(3):
                await store.bulk.put([new("bob", id=70).after], ACTOR)
                assert await store.accounts.apply((await store.accounts.by_id(70)).remove(), ACTOR)
            return [event.name for event in await newest(store)]

    assert sorted(asyncio.run(run())) == ["account.removed"] * 3 + ["accounts.imported"] * 3
    assert ledger.faults == []


def test_a_reader_learns_of_a_gap_and_of_a_number_that_was_never_given(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            events = store.journal.events
            assert await events.after(0, 10) == []
            for number in range(5):
                await store.accounts.apply(new(f"person.{number}"), ACTOR)
            await newest(store)
            assert [event.number for event in await events.after(2, 2)] == [3, 4]
            assert await events.after(5, 10) == []
            with pytest.raises(ChangesLost, match="the last event is number 5, not 6"):
                await events.after(6, 10)
            await events.remove_older(datetime.now(UTC) - timedelta(hours=1))
            assert await events.before_first() == 0
            assert await events.remove_older(datetime.now(UTC) + timedelta(hours=1)) == 5
            with pytest.raises(ChangesLost, match="the events 2 to 5 are no longer kept"):
                await events.after(1, 10)
            # The last number is not given again, although no event has it any more.
            assert (await events.before_first(), await events.numbers.last()) == (5, 5)
            await store.accounts.apply(new("another"), ACTOR)
            assert [event.number for event in await newest(store)] == [6]

    asyncio.run(run())


def test_an_announced_removal_that_did_not_take_place_is_forgotten(mongod_uri, database, ledger, monkeypatch):
    class Killed(BaseException):
        pass

    def reach(name):
        if name == point:
            raise Killed

    point = "removal-announced"
    monkeypatch.setattr("flexiapi.failpoints.reach", reach)

    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await store.accounts.apply(new(), ACTOR)
            with pytest.raises(Killed):
                await store.accounts.apply(alice.remove(), ACTOR)
            assert await store.journal.announcements.counts() != (0, None)
            assert await store.journal.announcements.resolve(timedelta(hours=1)) == 0
            assert await store.journal.announcements.counts() != (0, None)
            assert await store.journal.announcements.resolve(timedelta(hours=-1)) == 0
            assert await store.journal.announcements.counts() == (0, None)
            await newest(store)

    asyncio.run(run())
    assert ledger.names(1) == ["account.created"]


def test_events_are_found_by_name_account_and_actor(mongod_uri, database, ledger):
    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await store.accounts.apply(new(), Actor.cli())
            await store.accounts.apply(new("bob"), ACTOR)
            await store.accounts.apply(alice.activate(NOW), ACTOR)
            await store.bulk.put([alice], Actor.cli())
            await newest(store)

            async def numbers(**wanted):
                return [one.number for one in await store.journal.events.newest(EventSelection(**wanted), 10, 100)]

            names = {event["name"]: event["number"] for event in ledger.events}
            assert await numbers(name="account.activated") == [names["account.activated"]]
            assert len(await numbers(name="account.*")) == 3
            assert await numbers(name="account.") == []
            assert len(await numbers(account_id=1)) == 3
            assert len(await numbers(actor="cli")) == 2
            assert len(await numbers(actor="7")) == 2
            assert [one.number for one in await store.journal.events.between(EventSelection(actor="7"), 0, 2)] == [2]

    asyncio.run(run())


def test_a_named_key_is_told_from_the_server_by_servers_that_know_keys(mongod_uri, database):
    """Those of earlier releases read its changes as those of the system."""

    async def scenario():
        async with opened(mongod_uri, database) as store:
            for actor in (Actor(ActorKind.KEY, key_id=3), Actor(ActorKind.KEY, key_id=4), Actor.system()):
                await store.types.add(f"type-{actor.label.replace(':', '-')}", actor)
            assert [event.actor.label for event in await newest(store)] == ["key:3", "key:4", "system"]
            stored = await store._database["events"].find({}, {"actor": 1}).sort("number").to_list(None)
            assert [event["actor"]["kind"] for event in stored] == ["system"] * 3
            found = {}
            for wanted in ("key", "key:4", "system"):
                events = await store.journal.events.newest(EventSelection(actor=wanted), 9, 9)
                found[wanted] = [event.actor.label for event in events]
            assert found == {"key": ["key:3", "key:4"], "key:4": ["key:4"], "system": ["system"]}

    asyncio.run(scenario())
