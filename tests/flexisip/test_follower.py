"""The replica, a real MongoDB, and several writers."""

import asyncio
import contextlib
import io
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from flexiapi import observing
from flexiapi.concurrency.tasks import beside
from flexiapi.crypto.keys import ApplicationKey
from flexiapi.errors import ChangesLost, ChangesUnsupported
from flexiapi.events import AccountFeeds, Moving, Numbering, numbering
from flexiapi.flexisip import follower
from flexiapi.flexisip.follower import Follower
from flexiapi.flexisip.replica import SignInReplica
from flexiapi.model import Actor
from flexiapi.settings import Settings
from flexiapi.store import Store
from tests.kit.changes import add, put, remove
from tests.kit.mongod import standalone_mongod
from tests.kit.sign_in_replica import account, asked

KEY = "k" * 32


@pytest.fixture
def database(request):
    return f"test_{abs(hash(request.node.nodeid)):x}"


def store_of(uri, database):
    return Store(Settings(mongodb={"database": database}), ApplicationKey(KEY, []), uri)


@contextlib.asynccontextmanager
async def opened(mongod_uri, database):
    store = store_of(mongod_uri, database)
    try:
        yield store
    finally:
        await store.close()


async def no_old_servers():
    return False


def feeds_of(store):
    return AccountFeeds(store.journal.events, store.changes, no_old_servers)


@contextlib.asynccontextmanager
async def following(store, path, *, changes=None):
    """Follow as a server does that moves and numbers its events."""
    replica = SignInReplica(path, store.accounts)
    await replica.start()
    try:
        async with (
            beside(Follower(replica, changes or feeds_of(store), path).run()),
            Moving(store.journal.pending).running(),
            Numbering(store, 14).running(),
        ):
            yield replica
    finally:
        await replica.close()


def _has(path, username):
    """Return whether Flexisip finds the account, also while the file is being made."""
    try:
        return bool(asked(path, username))
    except sqlite3.OperationalError:
        return False


async def until(condition):
    async with asyncio.timeout(100):
        while not condition():  # noqa: ASYNC110  # other processes make it true
            await asyncio.sleep(0.02)


async def until_noted(replica, position=None):
    """Wait until the file has a position, or this one."""
    async with asyncio.timeout(100):
        while (noted := await replica.position()) is None or position not in (None, noted):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def told(feed):
    """The next change: the feed answers `None` each second until there is one."""
    async with asyncio.timeout(100):
        while (changed := await feed.next()) is None:
            pass
        return changed


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr(follower, "NOTE_SECONDS", 0.05)
    monkeypatch.setattr(follower, "LOCK_SECONDS", 0.05)
    monkeypatch.setattr(follower, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(numbering, "LEASE_SECONDS", 0.5)


def test_replicas_on_other_hosts_follow(tmp_path, mongod_uri, database):
    paths = [tmp_path / host / "auth.sqlite" for host in ("one", "two")]

    async def run():
        async with opened(mongod_uri, database) as store:
            before = await add(store, account(0, "alice"))
            async with following(store, paths[0]), following(store, paths[1]):
                await until(lambda: all(_has(path, "alice") for path in paths))
                await add(store, account(0, "bob"))
                await until(lambda: all(_has(path, "bob") for path in paths))
                await put(store, before, activated=False)
                await until(lambda: not any(_has(path, "alice") for path in paths))
                await remove(store, await store.accounts.by_address("bob", "sip.example.org"))
                await until(lambda: not any(_has(path, "bob") for path in paths))

    asyncio.run(run())


def test_replicas_on_other_hosts_follow_a_standalone_mongodb(folder, database):
    paths = [folder / host / "auth.sqlite" for host in ("one", "two")]

    async def run(uri):
        async with opened(uri, database) as store:
            await store.prepare()
            with pytest.raises(ChangesUnsupported):
                async with store.changes.watch(None) as feed:
                    await feed.next()
            async with following(store, paths[0]), following(store, paths[1]):
                alice = await add(store, account(0, "alice"))
                await until(lambda: all(_has(path, "alice") for path in paths))
                await remove(store, alice)
                await until(lambda: not any(_has(path, "alice") for path in paths))

    with standalone_mongod(folder) as uri:
        asyncio.run(run(uri))


def test_beside_old_servers_a_standalone_mongodb_is_followed_too(folder, database):
    async def old_servers():
        return True

    async def run(uri):
        async with opened(uri, database) as store:
            await store.prepare()
            feeds = AccountFeeds(store.journal.events, store.changes, old_servers)
            async with following(store, folder / "auth.sqlite", changes=feeds) as replica:
                async with asyncio.timeout(100):
                    while not await replica.is_complete():  # noqa: ASYNC110  # only the file tells
                        await asyncio.sleep(0.02)
                await add(store, account(0, "alice"))
                await until(lambda: _has(folder / "auth.sqlite", "alice"))

    with standalone_mongod(folder) as uri, capture_logs() as logs:
        asyncio.run(run(uri))
    assert any("compared at intervals" in entry["event"] for entry in logs)


def test_a_restart_goes_on_where_the_last_one_ended(tmp_path, mongod_uri, database):
    path = tmp_path / "auth.sqlite"

    class Counted:
        """The store's changes, and from where each watch began."""

        def __init__(self, changes):
            self.changes, self.began = changes, []

        def watch(self, position, *, with_stream=True):
            self.began.append(position)
            return self.changes.watch(position, with_stream=with_stream)

    async def run():
        async with opened(mongod_uri, database) as store:
            changes = Counted(feeds_of(store))
            async with following(store, path, changes=changes) as replica:
                await add(store, account(0, "alice"))
                await until(lambda: _has(path, "alice"))
                await until_noted(replica)
            await add(store, account(0, "bob"))
            async with following(store, path, changes=changes):
                await until(lambda: _has(path, "bob"))
            assert changes.began[0] is None
            assert changes.began[1]

    asyncio.run(run())


def test_a_lost_position_is_made_good_by_comparing(tmp_path, mongod_uri, database):
    path = tmp_path / "auth.sqlite"

    async def run():
        async with opened(mongod_uri, database) as store:
            await add(store, account(0, "alice"))
            replica = SignInReplica(path, store.accounts)
            await replica.start()
            await replica.set_position("82" + "0" * 30)
            await replica.close()
            async with following(store, path):
                await until(lambda: _has(path, "alice"))
                await add(store, account(0, "bob"))
                await until(lambda: _has(path, "bob"))

    asyncio.run(run())


def test_a_file_taken_away_comes_back_whole(tmp_path, mongod_uri, database):
    path = tmp_path / "auth.sqlite"

    async def run():
        async with opened(mongod_uri, database) as store:
            await add(store, account(0, "alice"))
            async with following(store, path):
                await until(lambda: path.exists() and _has(path, "alice"))
                path.unlink()
                await until(lambda: path.exists() and _has(path, "alice"))

    asyncio.run(run())


def test_one_process_follows_and_another_takes_over(tmp_path, mongod_uri, database):
    path = tmp_path / "auth.sqlite"

    class Watched:
        def __init__(self, changes):
            self.changes, self.watches = changes, 0

        def watch(self, position, *, with_stream=True):
            self.watches += 1
            return self.changes.watch(position, with_stream=with_stream)

    async def run():
        async with opened(mongod_uri, database) as store:
            second = Watched(feeds_of(store))
            async with contextlib.AsyncExitStack() as first:
                await first.enter_async_context(following(store, path))
                await add(store, account(0, "alice"))
                await until(lambda: _has(path, "alice"))
                async with following(store, path, changes=second):
                    await asyncio.sleep(0.3)
                    assert second.watches == 0
                    await first.aclose()
                    await add(store, account(0, "bob"))
                    await until(lambda: _has(path, "bob"))
                    assert second.watches == 1

    asyncio.run(run())


def test_a_lock_that_cannot_be_had_is_tried_again(tmp_path, mongod_uri, database):
    path = tmp_path / "auth.sqlite"
    lock = tmp_path / "auth.sqlite.lock"
    lock.mkdir()

    async def run():
        async with opened(mongod_uri, database) as store, following(store, path):
            await until(lambda: any("cannot be locked" in entry["event"] for entry in logs))
            lock.rmdir()
            await add(store, account(0, "alice"))
            await until(lambda: _has(path, "alice"))

    with capture_logs() as logs:
        asyncio.run(run())
    assert logs[0] == {
        "event": "the sign-in replica cannot be locked",
        "log_level": "warning",
        "path": str(lock),
        "reason": f"[Errno 21] Is a directory: '{lock}'",
    }


def test_a_correction_of_the_replica_is_logged_at_info(tmp_path, mongod_uri, database):
    stream = io.StringIO()
    observing.configure("info", stream=stream)

    async def run():
        async with opened(mongod_uri, database) as store:
            for username in ("alice", "bob"):
                await add(store, account(0, username))
            async with following(store, tmp_path / "auth.sqlite") as replica:
                await until_noted(replica)

    asyncio.run(run())
    (line,) = stream.getvalue().splitlines()
    assert line.endswith(" info    the sign-in replica had 2 of 2 accounts wrong")


def test_uses_of_keys_are_no_changes(mongod_uri, database):
    async def run():
        async with opened(mongod_uri, database) as store:
            alice = await add(store, account(0, "alice"))
            bob = await add(store, account(0, "bob"))
            async with store.changes.watch(None) as feed:
                assert await feed.next() is None
                await store.accounts.apply(alice.with_api_key(b"hash", datetime.now(UTC)), Actor.system())
                await put(store, bob, display_name="Bob")
                assert await told(feed) == bob.id
                await put(store, alice, activated=False, passwords=())
                assert await told(feed) == alice.id

    asyncio.run(run())


def test_a_dropped_database_and_a_wrong_position_are_told(mongod_uri, database):
    async def run():
        async with opened(mongod_uri, database) as store:
            await add(store, account(0, "alice"))
            with pytest.raises(ChangesLost):
                await store.changes.watch("nonsense").__aenter__()
            async with store.changes.watch(None) as feed:
                await feed.next()
                await store._database.drop_collection("accounts")
                with pytest.raises(ChangesLost):
                    await told(feed)

    asyncio.run(run())


def test_without_a_replica_set_everything_is_compared_again_and_again(tmp_path, mongod_uri, database, monkeypatch):
    path = tmp_path / "auth.sqlite"
    monkeypatch.setattr(follower, "COMPARE_OFTEN_SECONDS", 0.05)

    class Mute:
        position = None

        async def next(self):
            await asyncio.sleep(1)

    class Unsupported:
        @contextlib.asynccontextmanager
        async def watch(self, position, *, with_stream=True):
            if with_stream:
                raise ChangesUnsupported
            yield Mute()

    async def run():
        async with opened(mongod_uri, database) as store, following(store, path, changes=Unsupported()):
            await add(store, account(0, "alice"))
            await until(lambda: _has(path, "alice"))
            await add(store, account(0, "bob"))
            await until(lambda: _has(path, "bob"))

    asyncio.run(run())


def test_a_failure_at_the_moment_of_the_end_does_not_undo_that(tmp_path, mongod_uri, database):
    class Failing:
        position = None

        async def next(self):
            began.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if failed:
                    raise
                failed.append(True)
                raise ChangesLost from None

    class Changes:
        @contextlib.asynccontextmanager
        async def watch(self, position, *, with_stream=True):
            yield Failing()

    began, failed = asyncio.Event(), []

    async def run():
        async with (
            opened(mongod_uri, database) as store,
            asyncio.timeout(50),
            following(store, tmp_path / "auth.sqlite", changes=Changes()),
        ):
            await began.wait()

    asyncio.run(run())


KILLED = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from flexiapi import observing
from tests.flexisip.test_follower import SignInReplica, put, store_of

class Slow:
    def __init__(self, accounts): self.accounts = accounts
    async def by_ids(self, ids):
        found = await self.accounts.by_ids(ids)
        print("stored", flush=True)
        await asyncio.sleep(60)
        return found

observing.configure()

async def main():
    store = store_of(sys.argv[2], sys.argv[3])
    alice = await store.accounts.by_address("alice", "sip.example.org")
    replica = SignInReplica(Path(sys.argv[4]), Slow(store.accounts))
    await replica.start()
    await put(store, alice, activated=False)
    await replica.project(alice.id)

asyncio.run(main())
"""


def test_a_kill_between_mongodb_and_the_replica_is_made_good(tmp_path, mongod_uri, database):
    path = tmp_path / "auth.sqlite"

    async def run():
        async with opened(mongod_uri, database) as store:
            await add(store, account(0, "alice"))
            async with following(store, path) as replica:
                await until(lambda: _has(path, "alice"))
                await until_noted(replica)
            arguments = ["-c", KILLED, Path(__file__).parents[2], mongod_uri, database, path]
            victim = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=subprocess.PIPE)
            assert await victim.stdout.readline() == b"stored\n"
            victim.kill()
            assert await victim.wait() == -signal.SIGKILL
            assert _has(path, "alice"), "the replica is behind, as it should be for this test"
            async with following(store, path):
                await until(lambda: not _has(path, "alice"))

    asyncio.run(run())


def test_a_path_that_becomes_unusable_is_warned_of_and_heals(tmp_path, mongod_uri, database):
    path = tmp_path / "auth.sqlite"

    def warnings():
        return [entry for entry in logs if "does not follow now" in entry["event"]]

    async def run():
        async with opened(mongod_uri, database) as store:
            await add(store, account(0, "alice"))
            async with following(store, path) as replica:
                await until_noted(replica, "#1")  # a change that is not written yet would be tried in silence
                path.unlink()
                path.mkdir()
                await until(lambda: len(warnings()) > 1)
                path.rmdir()
                await until(lambda: path.exists() and _has(path, "alice"))

    with capture_logs() as logs:
        asyncio.run(run())
    for entry in warnings():
        assert entry["log_level"] == "warning"
        assert "exc_info" not in entry
        assert f"{path} cannot be written" in entry["reason"]
