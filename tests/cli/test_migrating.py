"""`flexiapi migrate`: what is left, for whom it waits, and what runs."""

import secrets

import pytest
from pymongo import MongoClient

from flexiapi.store.steps import STEPS
from tests.kit.old_release import DOMAIN, KEY, load

pytestmark = pytest.mark.long


@pytest.fixture
def database(file, mongod_uri, monkeypatch):
    """A database of before the first step, which the commands use."""
    name = f"test_{secrets.token_hex(6)}"
    load(mongod_uri, name)
    for variable, value in (("MONGODB_URI", mongod_uri), ("MONGODB_DATABASE", name), ("APP_SIP_DOMAIN", DOMAIN)):
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("APP_KEY", KEY)
    with MongoClient(mongod_uri) as client:
        yield client[name]
        client.drop_database(name)


def test_check_changes_nothing(run, database):
    before = {name: list(database[name].find()) for name in database.list_collection_names()}
    done = run("migrate", "--check")
    assert done.exit_code == 1
    assert f"layout      step 0 of {len(STEPS)}" in done.output
    assert "step 2      Give every account a revision. (contract; long, while requests are served)" in done.output
    assert "--old-servers-stopped" in done.output
    assert {name: list(database[name].find()) for name in database.list_collection_names()} == before


def test_steps_wait_until_the_operator_says_that_old_servers_are_stopped(run, database):
    done = run("migrate")
    assert done.exit_code == 1
    assert "waits for   servers of a release without heartbeats" in done.output
    done = run("migrate", "--old-servers-stopped")
    assert done.exit_code == 0, done.output
    assert f"layout      step {len(STEPS)} of {len(STEPS)}" in done.output
    assert done.output.endswith("Nothing is left.\n")
    assert database["accounts"].count_documents({"revision": 0}) == database["accounts"].count_documents({}) == 12
    assert run("migrate", "--check").exit_code == 0


def test_steps_wait_for_servers_that_do_not_know_them(run, database):
    run("migrate")
    database["meta"].update_one({"_id": "layout"}, {"$set": {"has_unlisted_servers": False}})
    server = {"_id": "x", "host": "b.example.org", "pid": 12, "release": "0.9", "writes": 0, "knows": 0}
    database["servers"].update_one({"_id": "x"}, [{"$set": {**server, "seen_at": "$$NOW"}}], upsert=True)
    done = run("migrate")
    assert done.exit_code == 1
    assert "process 12 on b.example.org (flexiapi 0.9): writes step 0, knows step 0, seen" in done.output
    assert "waits for   process 12 on b.example.org (flexiapi 0.9)." in done.output


def test_it_waits_for_the_process_that_runs_them(run, database):
    run("migrate")
    database["meta"].update_one({"_id": "layout"}, {"$set": {"has_unlisted_servers": False}})
    change = [{"$set": {"holder": "process 9 on c", "until": {"$add": ["$$NOW", 2000]}}}]
    database["leases"].update_one({"_id": "migrations"}, change, upsert=True)
    done = run("migrate")
    assert done.exit_code == 0, done.output
    assert "The steps are run by process 9 on c. Waiting for it." in done.output


def test_a_layout_that_is_too_new_is_refused(run, database):
    database["meta"].insert_one({"_id": "layout", "version": 9, "readable_from": 9, "has_unlisted_servers": False})
    for arguments in (["migrate"], ["migrate", "--check"], ["check"], ["clean"]):
        done = run(*arguments)
        assert done.exit_code == 1
        assert "Install the release that made the step" in done.stderr, arguments


def test_without_a_database_there_is_nothing_to_do(run):
    done = run("migrate")
    assert done.exit_code == 0
    assert "There is no database yet." in done.output


def test_the_two_options_exclude_each_other(run):
    assert run("migrate", "--check", "--old-servers-stopped").exit_code == 2


def test_check_of_the_installation_tells_of_steps_that_are_left(run, database):
    assert f"layout        warning: {len(STEPS)} steps are left" in run("check").output
    run("migrate", "--old-servers-stopped")
    assert "layout        is that of this release" in run("check").output
