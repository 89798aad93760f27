"""A process that changes the document layout is killed in the middle of a step; another one finishes it."""

import asyncio
import secrets
import subprocess
import sys

import pytest

from flexiapi.crypto.keys import ApplicationKey
from flexiapi.settings import Settings
from flexiapi.store import Store
from flexiapi.store.steps import STEPS
from tests.kit.old_release import KEY, dump, load

pytestmark = pytest.mark.faults

BATCHES = 3
AT_ONCE = 5

# Tells each batch of step 2, and stands still at one of them, before or after the position is stored.
CHILD = """
import asyncio, sys
from datetime import timedelta
from flexiapi.crypto.keys import ApplicationKey
from flexiapi.settings import Settings
from flexiapi import observing
from flexiapi.store import Store, migrations, steps

observing.configure()
uri, database, key, at_once, batches, moment = sys.argv[1:]
steps.ACCOUNTS_AT_ONCE = int(at_once)
migrations.LEASE_LIFE = timedelta(seconds=1)
done = 0

def stand_still():
    print("in the middle", flush=True)
    sys.stdin.read()

def progress(step, documents):
    global done
    done += step.number == 2
    print("batch", flush=True)
    if moment == "after" and done == int(batches):
        stand_still()

note = migrations.Migrations._note

async def noted(self, step, change):
    if moment == "before" and step.number == 2 and done == int(batches) - 1:
        stand_still()
    return await note(self, step, change)

migrations.Migrations._note = noted

async def main():
    store = Store(Settings(mongodb={"database": database}), ApplicationKey(key), uri)
    await store.prepare(alone=True)
    await store.migrations.advance("the killed one", progress)

asyncio.run(main())
"""


def prepare(uri):
    """Write a database of before with some more accounts, and return its name."""
    database = f"test_{secrets.token_hex(6)}"
    load(uri, database)

    async def more(store):
        numbers = range(1000, 1000 + 4 * AT_ONCE)
        await store._database["accounts"].insert_many(
            [{"_id": number, "identifiers": [f"sip:{number}"]} for number in numbers]
        )

    with_store(uri, database, more)
    return database


def with_store(uri, database, work):
    async def run():
        store = Store(Settings(mongodb={"database": database, "timeout_seconds": 30}), ApplicationKey(KEY), uri)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(run())


async def finish(store):
    await store.prepare(alone=True)
    while await store.migrations.advance("the next one") is None:
        assert await store.migrations.runner() in ("the killed one", None)
        await asyncio.sleep(0.1)


async def drop(store):
    await store._database.client.drop_database(store._database.name)


def result(uri, database):
    """The documents that matter, without times and leases."""
    found = dump(uri, database)
    revisions = {one["_id"]: one.get("revision") for one in found["accounts"]}
    return revisions, [one for one in found["meta"] if one["_id"] == "layout"], "census" in found


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_result_is_the_same_as_without_a_kill(mongod_uri, moment):
    killed, whole = prepare(mongod_uri), prepare(mongod_uri)
    arguments = [mongod_uri, killed, KEY, str(AT_ONCE), str(BATCHES), moment]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        lines = list(iter(child.stdout.readline, "in the middle\n"))
        assert lines == ["batch\n"] * (BATCHES if moment == "after" else BATCHES - 1), lines
        child.kill()

    revisions, (layout,), _ = result(mongod_uri, killed)
    assert list(revisions.values()).count(0) == BATCHES * AT_ONCE
    assert None in revisions.values()
    noted = BATCHES if moment == "after" else BATCHES - 1
    assert layout["position"] == sorted(revisions)[noted * AT_ONCE - 1]

    for database in (killed, whole):
        with_store(mongod_uri, database, finish)
    assert result(mongod_uri, killed) == result(mongod_uri, whole)
    revisions, (layout,), has_census = result(mongod_uri, killed)
    assert set(revisions.values()) == {0}
    assert not has_census
    assert layout["version"] == len(STEPS)
    for database in (killed, whole):
        with_store(mongod_uri, database, drop)
