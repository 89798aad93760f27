import asyncio
import grp
import os
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from flexiapi.crypto import digest
from flexiapi.errors import ConfigurationError, ReplicaUnavailable, StoreUnavailable
from flexiapi.flexisip.replica import SignInReplica
from flexiapi.model import Algorithm, Password
from tests.kit.sign_in_replica import FLEXISIP_REQUEST, Accounts, account, asked


def with_replica(path, accounts, test, **options):
    async def run():
        replica = SignInReplica(path, accounts, **options)
        await replica.start()
        try:
            return await test(replica)
        finally:
            await replica.close()

    return asyncio.run(run())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sip" / "auth.sqlite"


def test_flexisip_finds_hashes_of_activated_accounts(path):
    accounts = Accounts(account(1, "alice"), account(2, "bob", activated=False))
    with_replica(path, accounts, lambda replica: replica.project(1, 2))
    assert asked(path, "alice") == {
        "MD5": digest.ha1("MD5", "alice", "sip.example.org", "secret"),
        "SHA-256": digest.ha1("SHA-256", "alice", "sip.example.org", "secret"),
    }
    assert asked(path, "bob") == {}


def test_clear_text_goes_out_as_both_hashes_of_the_realm(path):
    clear = account(1, "alice", passwords=(Password(Algorithm.CLRTXT, "wonderland"),))
    with_replica(path, Accounts(clear), lambda replica: replica.project(1), realm_of=lambda _domain: "Realm")
    assert asked(path, "alice") == {
        name: digest.ha1(name, "alice", "Realm", "wonderland") for name in digest.ALGORITHMS
    }


@pytest.mark.parametrize("change", [lambda a: replace(a, activated=False), lambda a: None])
def test_deactivation_and_deletion_leave_at_once(path, change):
    accounts = Accounts(account(1, "alice", phone="+33612345678"))

    async def test(replica):
        await replica.project(1)
        assert asked(path, "alice")
        changed = change(accounts.all.pop(1))
        if changed:
            accounts.put(changed)
        await replica.project(1)

    with_replica(path, accounts, test)
    assert asked(path, "alice") == {}
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM passwords)").fetchone() == (
            0,
            0,
        )
    file.close()


def test_a_name_may_go_to_another_account_in_any_order(path):
    accounts = Accounts(account(1, "alice"), account(2, "bob"))

    async def test(replica):
        await replica.project(1, 2)
        accounts.all = {1: account(1, "bob", "new"), 2: account(2, "alice", "new")}
        await replica.project(2)
        await replica.project(1)
        assert asked(path, "alice")["MD5"] == digest.ha1("MD5", "alice", "sip.example.org", "new")
        assert asked(path, "bob")["MD5"] == digest.ha1("MD5", "bob", "sip.example.org", "new")
        accounts.all = {1: account(1, "alice"), 2: account(2, "bob")}
        await replica.project(1, 2)

    with_replica(path, accounts, test)
    assert asked(path, "alice")["MD5"] == digest.ha1("MD5", "alice", "sip.example.org", "secret")


def test_concurrent_changes_share_one_read_and_one_commit(path):
    accounts = Accounts(*(account(id_, f"user{id_}") for id_ in range(1, 201)))

    async def test(replica):
        await asyncio.gather(*(replica.project(id_) for id_ in range(1, 201)))

    with_replica(path, accounts, test)
    assert accounts.reads <= 2
    assert asked(path, "user200")


def test_an_old_state_never_overwrites_a_newer_one(path):
    """Two processes (two connections): the one that read first must not write last."""
    accounts = Accounts(account(1, "alice", "old"))

    async def run():
        slow_accounts = Accounts()
        slow_accounts.all = accounts.all
        first, second = SignInReplica(path, slow_accounts), SignInReplica(path, accounts)
        await first.start()
        await second.start()
        has_read, may_answer = asyncio.Event(), asyncio.Event()

        async def pause():
            has_read.set()
            await may_answer.wait()

        slow_accounts.before_answer = pause
        slow = asyncio.create_task(first.project(1))
        await has_read.wait()
        accounts.put(account(1, "alice", "new"))
        fast = asyncio.create_task(second.project(1))
        await asyncio.sleep(0.1)
        may_answer.set()
        await asyncio.gather(slow, fast)
        await first.close()
        await second.close()

    asyncio.run(run())
    assert asked(path, "alice")["MD5"] == digest.ha1("MD5", "alice", "sip.example.org", "new")


def test_what_arrives_after_the_read_waits_for_the_next_one(path):
    accounts = Accounts(account(1, "alice", "old"))

    async def test(replica):
        later = []

        async def change_meanwhile():
            accounts.before_answer = None
            accounts.put(account(1, "alice", "new"))
            later.append(asyncio.create_task(replica.project(1)))
            await asyncio.sleep(0)

        accounts.before_answer = change_meanwhile
        await replica.project(1)
        await later[0]

    with_replica(path, accounts, test)
    assert asked(path, "alice")["MD5"] == digest.ha1("MD5", "alice", "sip.example.org", "new")


def test_a_cancelled_waiter_harms_nobody(path):
    accounts = Accounts(account(1, "alice"), account(2, "bob"))

    async def test(replica):
        leaving, staying = (asyncio.create_task(replica.project(id_)) for id_ in (1, 2))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying

    with_replica(path, accounts, test)
    assert asked(path, "alice")
    assert asked(path, "bob")


def test_a_failing_store_or_a_locked_file_is_told_and_heals(path, monkeypatch):
    monkeypatch.setattr("flexiapi.flexisip.replica_file.BUSY_SECONDS", 0.1)
    accounts = Accounts(account(1, "alice"))

    async def test(replica):
        async def away():
            raise StoreUnavailable

        accounts.before_answer = away
        with pytest.raises(ReplicaUnavailable):
            await replica.project(1)
        accounts.before_answer = None
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        for write in (replica.project(1), replica.rebuild(), replica.set_position("there")):
            with pytest.raises(ReplicaUnavailable):
                await write
        other.close()
        await replica.project(1)

    with_replica(path, accounts, test)
    assert asked(path, "alice")


def test_rebuild_corrects_every_difference_in_pages(path):
    accounts = Accounts(*(account(id_, f"user{id_}") for id_ in range(1, 3500)))
    told = []

    async def test(replica):
        first = await replica.rebuild(told.append)
        assert (first.compared, first.corrected) == (3499, 3499)
        assert told == [*range(200, 3500, 200), 3499]
        assert await replica.is_complete()
        accounts.all = {id_: made for id_, made in accounts.all.items() if id_ < 3000}
        accounts.put(account(7, "user7", "changed"))
        accounts.put(account(9000, "late"))
        accounts.put(account(8, "user8", activated=False))
        second = await replica.rebuild()
        assert second.corrected == 500 + 3
        reads = accounts.reads
        assert (await replica.rebuild()).corrected == 0
        assert accounts.reads == reads

    with_replica(path, accounts, test)
    assert asked(path, "user7")["MD5"] == digest.ha1("MD5", "user7", "sip.example.org", "changed")
    assert asked(path, "late")
    assert [asked(path, name) for name in ("user8", "user3000", "user3499")] == [{}, {}, {}]


def test_rebuild_removes_what_others_wrote(path):
    async def test(replica):
        await replica.project(1)
        with sqlite3.connect(path) as other:
            other.execute("INSERT INTO accounts VALUES (5, 'mallory', 'sip.example.org', NULL, 1)")
            other.execute("INSERT INTO accounts VALUES (6, 'trudy', 'sip.example.org', NULL, 0)")
            other.execute("INSERT INTO passwords VALUES (5, 'x', 'MD5')")
            other.execute("INSERT INTO passwords VALUES (99, 'x', 'MD5')")
        other.close()
        await replica.rebuild()

    with_replica(path, Accounts(account(1, "alice")), test)
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT id FROM accounts").fetchall() == [(1,)]
        assert file.execute("SELECT DISTINCT account_id FROM passwords").fetchall() == [(1,)]
    file.close()


def test_the_sip_server_is_told_to_forget_credentials_that_are_no_longer_right(path):
    accounts = Accounts(account(1, "alice"), account(2, "bob"), account(3, "carol"))
    forgotten = []

    async def forget(username, domain):
        forgotten.append((username, domain))
        if username == "carol":
            raise OSError("no such socket")

    async def test(replica):
        await replica.project(1, 2, 3)
        accounts.put(account(1, "alice", phone="+33612345678"))
        await replica.project(1)
        assert forgotten == []
        accounts.put(account(1, "alice", "new"))
        await replica.project(1)
        del accounts.all[2]
        await replica.project(2)
        accounts.put(account(3, "carol", activated=False))
        await replica.project(3)

    with_replica(path, accounts, test, forget=forget)
    assert forgotten == [(name, "sip.example.org") for name in ("alice", "bob", "carol")]


def test_the_file_is_for_its_owner_and_the_group_of_flexisip(path):
    group = grp.getgrgid(os.getgroups()[-1] if os.geteuid() else 1).gr_name
    with_replica(path, Accounts(account(1, "alice")), lambda replica: replica.project(1), group=group)
    state = path.stat()
    assert (stat.S_IMODE(state.st_mode), grp.getgrgid(state.st_gid).gr_name) == (0o640, group)
    path.chmod(0o644)
    with_replica(path, Accounts(), lambda replica: replica.project(1), group=group)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_what_root_makes_belongs_to_the_owner_of_the_folder(path):
    path.parent.mkdir()
    os.chown(path.parent, 12345, -1)
    with_replica(path, Accounts(account(1, "alice")), lambda replica: replica.project(1))
    assert path.stat().st_uid == 12345


def test_an_open_reader_sees_changes_and_the_file_is_never_another(path):
    accounts = Accounts(account(1, "alice"))

    async def test(replica):
        await replica.project(1)
        inode = path.stat().st_ino
        reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        assert len(reader.execute(FLEXISIP_REQUEST, {"id": "alice", "domain": "sip.example.org"}).fetchall()) == 2
        accounts.put(account(2, "bob"))
        await replica.rebuild()
        assert len(reader.execute(FLEXISIP_REQUEST, {"id": "bob", "domain": "sip.example.org"}).fetchall()) == 2
        assert reader.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert path.stat().st_ino == inode
        reader.close()

    with_replica(path, accounts, test)


def test_a_file_that_was_taken_away_is_made_anew_and_known_to_be_incomplete(path):
    accounts = Accounts(account(1, "alice"), account(2, "bob"))

    async def test(replica):
        await replica.rebuild()
        path.unlink()
        assert not await replica.is_complete()
        await replica.project(2)
        assert asked(path, "bob")
        await replica.rebuild()

    with_replica(path, accounts, test)
    assert asked(path, "alice")


def test_a_file_that_is_taken_away_during_a_rebuild_is_rebuilt_too(path):
    accounts = Accounts(*(account(id_, f"user{id_}") for id_ in range(1, 500)))

    def take_away(compared):
        if path.exists() and compared == 400 and not taken:
            taken.append(path)
            path.unlink()

    taken = []
    with_replica(path, accounts, lambda replica: replica.rebuild(take_away))
    assert taken
    assert asked(path, "user1")


@pytest.mark.parametrize("fault", ["other tables", "no database", "folder", "group"])
def test_a_path_that_cannot_be_a_replica_stops_the_start(path, fault):
    path.parent.mkdir()
    group = None
    if fault == "other tables":
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE accounts(name)")
        other.close()
    elif fault == "no database":
        path.write_text("no database at all, and long enough to be seen as none" * 20)
    elif fault == "folder":
        path.mkdir()
    else:
        group = "no-such-group"

    async def run():
        replica = SignInReplica(path, Accounts(), group=group)
        try:
            await replica.start()
        finally:
            await replica.close()

    with pytest.raises(ConfigurationError, match="AUTH_REPLICA"):
        asyncio.run(run())


def test_the_position_is_kept(path):
    async def test(replica):
        assert await replica.position() is None
        await replica.set_position("8263")

    with_replica(path, Accounts(), test)
    assert with_replica(path, Accounts(), lambda replica: replica.position()) == "8263"


WRITER = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from flexiapi.flexisip.replica import SignInReplica
from tests.kit.sign_in_replica import Accounts, account

async def main():
    first, count = int(sys.argv[3]), 150
    replica = SignInReplica(Path(sys.argv[1]), Accounts(*(account(i, f"user{i}") for i in range(first, first + count))))
    await replica.start()
    for start in range(first, first + count, 5):
        await asyncio.gather(*(replica.project(id_) for id_ in range(start, start + 5)))
    await replica.close()

asyncio.run(main())
"""


def test_several_processes_write_safely(path):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, Path(__file__).parents[2], str(first)])
        for first in (1000, 2000, 3000)
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT count(*), count(DISTINCT account_id) FROM passwords").fetchone() == (900, 450)
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()


def _break(path, fault):
    """Make the path one that can be no replica."""
    if fault == "folder":
        path.mkdir()
    elif fault == "no database":
        path.write_text("no database at all, and long enough to be seen as none" * 20)
    elif fault == "no folder":
        path.parent.rename(path.parent.with_name("away"))
        path.parent.write_text("")
    else:
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE accounts(name)")
        other.close()


def _put_right(path, fault):
    if fault == "folder":
        path.rmdir()
    elif fault == "no folder":
        path.parent.unlink()
        path.parent.with_name("away").rename(path.parent)
    else:
        path.unlink()


@pytest.mark.parametrize("fault", ["folder", "no database", "other tables", "no folder"])
def test_a_path_that_becomes_unusable_while_running_is_told_and_heals(path, fault):
    accounts = Accounts(account(1, "alice"))

    async def test(replica):
        await replica.rebuild()
        path.unlink()
        _break(path, fault)
        for use in (
            lambda: replica.project(1),
            replica.rebuild,
            replica.is_complete,
            replica.position,
            lambda: replica.set_position("there"),
        ):
            with pytest.raises(ReplicaUnavailable):
                await use()
        with pytest.raises(ReplicaUnavailable) as told:
            await replica.position()
        assert "AUTH_REPLICA" in str(told.value.__cause__)
        _put_right(path, fault)
        await replica.rebuild()

    with_replica(path, accounts, test)
    assert asked(path, "alice")


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_BUSY_RECOVERY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_LOCKED_SHAREDCACHE]
)
def test_a_file_that_others_hold_in_any_way_stops_no_start(path, code, monkeypatch):
    error = sqlite3.OperationalError("held")
    error.sqlite_errorcode = code

    def held(file, connection):
        raise error

    async def test(replica):
        monkeypatch.undo()
        await replica.project(1)

    monkeypatch.setattr("flexiapi.flexisip.replica_file.ReplicaFile._set_up", held)
    with_replica(path, Accounts(account(1, "alice")), test)
    assert asked(path, "alice")


def test_hashes_of_md5_leave_when_the_setting_changes(path):
    accounts = Accounts(
        account(1, "alice"),
        account(2, "bob", passwords=(Password(Algorithm.CLRTXT, "wonderland"),)),
        account(3, "carol", passwords=account(3, "carol").passwords[:1]),
    )
    with_replica(path, accounts, lambda replica: replica.rebuild())
    assert [sorted(asked(path, name)) for name in ("alice", "bob", "carol")] == [["MD5", "SHA-256"]] * 2 + [["MD5"]]

    async def test(replica):
        assert (await replica.rebuild()).corrected == 3
        accounts.put(account(1, "alice", "new"))
        await replica.project(1)

    with_replica(path, accounts, test, md5=False)
    assert asked(path, "alice") == {"SHA-256": digest.ha1("SHA-256", "alice", "sip.example.org", "new")}
    assert [sorted(filter(None, asked(path, name))) for name in ("bob", "carol")] == [["SHA-256"], []]
