"""Steps of the document layout: what may run, resumption, one runner at a time, and refusal of what is too new."""

import asyncio
import secrets
from datetime import timedelta

import pytest

from flexiapi.crypto.keys import ApplicationKey
from flexiapi.errors import ConfigurationError
from flexiapi.settings import Settings
from flexiapi.store import Store, steps
from flexiapi.store.migrations import LEASE, LEASE_LIFE, Layout, Migrations, plan_of
from flexiapi.store.servers import ServerProcessRecord
from flexiapi.store.steps import STEPS, BatchDone, LayoutStep, StepKind

ME, OTHER = "process 1 on a", "process 2 on b"


async def nothing(_database, _after):
    return None


def step(number, kind=StepKind.EXPAND, batch=nothing, *, is_long=False):
    return LayoutStep(number, "Do something.", kind, batch, is_long)


def running(knows, name="x"):
    return ServerProcessRecord(name, "a.example.org", 7, "0.9", 0, knows)


class TestPlan:
    EXPAND, CONTRACT = step(1), step(2, StepKind.CONTRACT)
    BOTH = (EXPAND, CONTRACT)

    def test_nothing_is_left_at_the_newest_layout(self):
        plan = plan_of(Layout(2), [running(1)], self.BOTH)
        assert (plan.pending, plan.next, plan.waits_for, plan.is_needed) == ((), None, "", False)

    def test_an_expanding_step_runs_beside_older_servers(self):
        plan = plan_of(Layout(0), [running(0)], self.BOTH)
        assert plan.next is self.EXPAND
        assert plan.is_needed

    def test_a_contracting_step_waits_for_older_servers_and_names_them(self):
        plan = plan_of(Layout(1, has_unlisted_servers=False), [running(1), running(2)], self.BOTH)
        assert plan.next is None
        assert plan.waits_for == "process 7 on a.example.org (flexiapi 0.9)"
        assert not plan.is_needed

    def test_a_contracting_step_runs_when_all_servers_know_it(self):
        assert plan_of(Layout(1, has_unlisted_servers=False), [running(2), running(3)], self.BOTH).next is self.CONTRACT

    def test_a_contracting_step_waits_for_servers_without_heartbeats(self):
        plan = plan_of(Layout(1), [], self.BOTH)
        assert plan.next is None
        assert "flexiapi migrate --old-servers-stopped" in plan.waits_for

    def test_a_contracting_step_that_has_begun_goes_on(self):
        """Older servers that are still seen refuse requests by then."""
        assert plan_of(Layout(1, readable_from=2, begun=2), [running(1)], self.BOTH).next is self.CONTRACT

    def test_a_step_behind_a_waiting_one_waits_too(self):
        plan = plan_of(Layout(0), [], (step(1, StepKind.CONTRACT), step(2)))
        assert plan.next is None
        assert plan.is_needed

    def test_long_steps_are_not_needed(self):
        assert not plan_of(Layout(0), [], (step(1, is_long=True),)).is_needed


def test_the_steps_of_this_release_are_numbered_without_gaps():
    assert [one.number for one in STEPS] == list(range(1, len(STEPS) + 1))
    assert all(one.sentence.endswith(".") for one in STEPS)


@pytest.fixture
def call(mongod_uri):
    """Call a coroutine function with a store on a new database."""

    def run(function):
        async def work():
            database = f"test_{secrets.token_hex(6)}"
            settings = Settings(mongodb={"database": database, "timeout_seconds": 30})
            store = Store(settings, ApplicationKey("k" * 40), mongod_uri)
            try:
                return await function(store)
            finally:
                await store._database.client.drop_database(database)
                await store.close()

        return asyncio.run(work())

    return run


async def older(store, accounts=0):
    """Make the database one that a release before the first step has written."""
    await store._database["meta"].insert_one({"_id": "application_key", "fingerprint": store._key.fingerprint()})
    if accounts:
        await store._database["accounts"].insert_many(
            [{"_id": number, "identifiers": [f"sip:{number}"]} for number in range(1, accounts + 1)]
        )


def with_steps(store, *declared):
    return Migrations(store._database, store.leases, store.servers, nothing, declared)


class TestBegin:
    def test_a_new_database_has_the_newest_layout(self, call):
        async def begun(store):
            await store.prepare()
            return await store.migrations.layout()

        assert call(begun) == Layout(len(STEPS), len(STEPS), len(STEPS), has_unlisted_servers=False)

    def test_a_database_of_before_has_no_step(self, call):
        async def begun(store):
            await older(store)
            await store.prepare()
            return await store.migrations.layout(), store.account_ranges.has_older_servers

        assert call(begun) == (Layout(0, 0, 0, has_unlisted_servers=True), True)

    def test_alone_no_older_server_can_be_running(self, call):
        async def begun(store):
            await older(store)
            await store.servers.beat(running(0))
            await store.prepare(alone=True)
            return (await store.migrations.plan()).next

        assert call(begun) is STEPS[0]

    def test_a_layout_that_is_too_new_is_refused_and_nothing_changes(self, call):
        async def begun(store):
            await older(store)
            layout = {"_id": "layout", "version": 9, "readable_from": 8, "has_unlisted_servers": False}
            await store._database["meta"].insert_one(layout)
            for refuse in (store.prepare, store.check):
                with pytest.raises(ConfigurationError, match=rf"step 8 .* up to {len(STEPS)}\. Install the release"):
                    await refuse()
            return await store._database.list_collection_names()

        assert call(begun) == ["meta"]

    def test_a_newer_layout_that_can_be_read_is_not_refused(self, call):
        async def begun(store):
            layout = {"_id": "layout", "version": 9, "readable_from": 2, "has_unlisted_servers": False}
            await store._database["meta"].insert_one(layout)
            await store.prepare()
            return await store.migrations.plan()

        assert call(begun).pending == ()


class TestAdvance:
    def test_the_steps_of_this_release_change_an_older_database(self, call, monkeypatch):
        monkeypatch.setattr(steps, "ACCOUNTS_AT_ONCE", 3)

        async def work(store):
            await older(store, accounts=10)
            await store._database["accounts"].update_one({"_id": 4}, {"$set": {"revision": 7}})
            await store._database["census"].insert_one({"_id": "sip.example.org"})
            await store.prepare(alone=True)
            counted = []
            plan = await store.migrations.advance(ME, lambda one, documents: counted.append((one.number, documents)))
            assert plan.pending == ()
            by_threes = {number: [(number, 3), (number, 3), (number, 3), (number, 1)] for number in (2, 4, 5)}
            assert counted == [*by_threes[2], (3, 10), *by_threes[4], *by_threes[5]]
            assert "census" not in await store._database.list_collection_names()
            found = await store._database["accounts"].find().sort("_id").to_list(None)
            assert [one["revision"] for one in found] == [0, 0, 0, 7, 0, 0, 0, 0, 0, 0]
            assert await store.migrations.layout() == Layout(5, readable_from=5, begun=5, has_unlisted_servers=False)
            assert await store.migrations.runner() is None

        call(work)

    def test_a_step_continues_where_it_was_interrupted(self, call):
        async def work(store):
            seen = []

            async def batch(_database, after):
                seen.append(after)
                if after == 2 and seen.count(2) == 1:
                    raise RuntimeError
                return BatchDone((after or 0) + 1, 1) if after != 3 else None

            migrations = with_steps(store, step(1, batch=batch))
            await older(store)
            await migrations.begin(alone=True)
            with pytest.raises(RuntimeError):
                await migrations.advance(ME)
            assert (await migrations.layout()).position == 2
            assert (await migrations.advance(OTHER)).pending == ()
            assert seen == [None, 1, 2, 2, 3]
            assert (await migrations.layout()).position is None

        call(work)

    def test_one_process_runs_a_step_and_others_wait(self, call):
        async def work(store):
            migrations = with_steps(store, step(1))
            await older(store)
            await migrations.begin(alone=True)
            assert await store.leases.keep(LEASE, OTHER, LEASE_LIFE)
            assert await migrations.advance(ME) is None
            assert await migrations.runner() == OTHER
            await store.leases.give_back(LEASE, OTHER)
            assert (await migrations.advance(ME)).pending == ()

        call(work)

    def test_who_loses_the_lease_stops(self, call):
        async def work(store):
            batches = []

            async def batch(_database, after):
                batches.append(after)
                await store._database["leases"].update_one({"_id": LEASE}, {"$set": {"holder": OTHER}})
                return BatchDone(1, 1)

            migrations = with_steps(store, step(1, batch=batch))
            await older(store)
            await migrations.begin(alone=True)
            assert await migrations.advance(ME) is None
            assert batches == [None]
            assert await migrations.runner() == OTHER

        call(work)

    def test_a_server_that_starts_just_before_a_contraction_is_noticed(self, call, monkeypatch):
        async def work(store):
            migrations = with_steps(store, step(1, StepKind.CONTRACT))
            await older(store)
            await migrations.begin(alone=True)
            note = migrations._note

            async def noted(*arguments):
                await store.servers.beat(running(0))
                return await note(*arguments)

            monkeypatch.setattr(migrations, "_note", noted)
            assert await migrations.advance(ME) is None
            assert await migrations.layout() == Layout(0, 0, 0, has_unlisted_servers=False)
            assert (await migrations.plan()).waits_for

        call(work)

    def test_a_command_waits_for_a_step_that_is_needed(self, call):
        async def work(store):
            migrations = with_steps(store, step(1), step(2, StepKind.CONTRACT))
            await older(store)
            await migrations.begin(alone=False)
            await migrations.ensure_usable(ME)
            assert (await migrations.layout()).version == 1
            blocked = with_steps(store, step(1), step(2, StepKind.CONTRACT), step(3))
            with pytest.raises(ConfigurationError, match=r"Step 2 .* --old-servers-stopped"):
                await blocked.ensure_usable(ME)

        call(work)


class TestHeartbeats:
    def test_a_server_is_seen_until_it_leaves(self, call):
        async def work(store):
            server = ServerProcessRecord("id", "$host", 12, "0.9", 1, 2)
            await store.servers.beat(server)
            (seen,) = await store.servers.seen()
            assert timedelta() <= seen.age < timedelta(seconds=60)
            assert (seen.host, seen.pid, seen.release, seen.writes, seen.knows) == ("$host", 12, "0.9", 1, 2)
            await store.servers.leave("id")
            assert await store.servers.seen() == []

        call(work)

    def test_a_server_that_is_silent_is_seen_no_more(self, call):
        async def work(store):
            await store.servers.beat(running(1))
            change = [{"$set": {"seen_at": {"$subtract": ["$seen_at", 119_000]}}}]
            await store._database["servers"].update_one({}, change)
            assert len(await store.servers.seen()) in (0, 1)  # a slow machine takes a second
            await store._database["servers"].update_one({}, change)
            assert await store.servers.seen() == []

        call(work)


class TestKeepingLeases:
    def test_a_holder_extends_its_lease_and_another_waits(self, call):
        async def work(store):
            leases = store.leases
            assert await leases.holder("name") is None
            assert await leases.keep("name", "one", LEASE_LIFE)
            assert await leases.keep("name", "one", LEASE_LIFE)
            assert not await leases.keep("name", "two", LEASE_LIFE)
            assert await leases.holder("name") == "one"
            assert await leases.keep("name", "one", timedelta())
            assert await leases.holder("name") is None
            assert await leases.keep("name", "two", LEASE_LIFE)

        call(work)
