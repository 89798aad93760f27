"""The feed of changed accounts, from events and, beside old servers, from the change stream too."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from flexiapi.crypto.keys import ApplicationKey
from flexiapi.errors import ChangesLost
from flexiapi.events import AccountFeeds, Numbering
from flexiapi.events.moving import Moving
from flexiapi.model import Account, Actor
from flexiapi.settings import Settings
from flexiapi.store import Store

NOW = datetime(2026, 11, 29, tzinfo=UTC)
ACTOR = Actor.system()


@pytest.fixture
def database(request):
    return f"test_{abs(hash(request.node.nodeid)):x}"


@contextlib.asynccontextmanager
async def opened(uri, database):
    """A store whose events are moved and numbered."""
    store = Store(Settings(mongodb={"database": database, "timeout_seconds": 30}), ApplicationKey("k" * 32), uri)
    try:
        await store.prepare()
        async with Moving(store.journal.pending).running(), Numbering(store, 14).running():
            yield store
    finally:
        await store.close()


def feeds_of(store, *, old_servers=False):
    async def may_run():
        return old_servers

    return AccountFeeds(store.journal.events, store.changes, may_run)


def new(username, **fields):
    return Account.new(NOW, username=username, domain="sip.example.org", **fields)


async def told(feed):
    """The next change: the feed answers `None` each second until there is one."""
    async with asyncio.timeout(100):
        while (changed := await feed.next()) is None:
            pass
        return changed


def test_what_touches_no_credentials_is_not_told(mongod_uri, database):
    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await store.accounts.apply(new("alice"), ACTOR)
            async with feeds_of(store).watch("#0") as feed:
                assert await told(feed) == alice.id
                await store.accounts.apply(alice.with_api_key(b"hash", NOW), ACTOR)
                await store.accounts.apply(alice.add_contact(5), ACTOR)
                await store.types.add("phone", ACTOR)
                bob = await store.accounts.apply(new("bob"), ACTOR)
                assert await told(feed) == bob.id
                assert feed.position == f"#{await store.journal.events.numbers.last()}"

    asyncio.run(run())


def test_a_position_is_kept_until_all_accounts_of_an_event_are_told(mongod_uri, database):
    async def run():
        async with opened(mongod_uri, database) as store:
            await store.bulk.put([new("bob", id=70).after, new("carol", id=71).after], ACTOR)
            async with feeds_of(store).watch("#0") as feed:
                assert await told(feed) == 70
                assert feed.position == "#0"
                assert await told(feed) == 71
                assert feed.position == "#1"
            async with feeds_of(store).watch("#1") as feed:
                assert await feed.next() is None

    asyncio.run(run())


def test_a_gap_and_a_position_of_an_earlier_release_are_told(mongod_uri, database):
    async def run():
        async with opened(mongod_uri, database) as store:
            for number in range(3):
                await store.accounts.apply(new(f"person.{number}"), ACTOR)
            async with feeds_of(store).watch("#0") as feed:
                for _ in range(3):
                    await told(feed)
            await store.journal.events.remove_older(datetime.now(UTC) + timedelta(hours=1))
            async with feeds_of(store).watch("#0") as feed:
                with pytest.raises(ChangesLost, match="no longer kept"):
                    await feed.next()
            with pytest.raises(ChangesLost, match="release before"):
                await feeds_of(store).watch("8268A1B2").__aenter__()

    asyncio.run(run())


def test_beside_old_servers_their_changes_are_told_too(mongod_uri, database):
    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await store.accounts.apply(new("alice"), ACTOR)
            async with feeds_of(store, old_servers=True).watch(None) as feed:
                while await feed.next() is not None:
                    pass
                await store._database["accounts"].update_one({"_id": alice.id}, {"$set": {"activated": True}})
                assert await told(feed) == alice.id
                number, token = feed.position.split(" ")
                assert number.startswith("#")
                assert token
            # A change made meanwhile is in the stream, from its part of the position on.
            await store._database["accounts"].update_one({"_id": alice.id}, {"$set": {"activated": False}})
            async with feeds_of(store, old_servers=True).watch(f"{number} {token}") as feed:
                assert await told(feed) == alice.id
            async with feeds_of(store).watch(f"{number} {token}") as feed:
                assert feed.position == number

    asyncio.run(run())


def test_a_process_that_may_not_work_moves_and_numbers_nothing(mongod_uri, database):
    async def run():
        store = Store(
            Settings(mongodb={"database": database, "timeout_seconds": 30}), ApplicationKey("k" * 32), mongod_uri
        )
        may_work = [False]
        try:
            await store.prepare()
            async with (
                Moving(store.journal.pending).running(lambda: may_work[0]),
                Numbering(store, 14).running(lambda: may_work[0]),
            ):
                await store.accounts.apply(new("alice"), ACTOR)
                await asyncio.sleep(0.5)
                assert (await store.journal.pending.counts())[0] == 1
                assert await store.leases.holder("events") is None
                may_work[0] = True
                async with asyncio.timeout(100):
                    while await store.journal.events.numbers.last() != 1:  # noqa: ASYNC110  # other tasks make it true
                        await asyncio.sleep(0.05)
        finally:
            await store.close()

    asyncio.run(run())
