"""Processes killed between a change and the last use of its event: no event is lost, told twice or out of order.

Two hosts use one database; the first has two server processes. A failpoint ends the process that reaches it first.
"""

import contextlib
import itertools
import json
import os
import random
import signal
import sqlite3
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.kit.ledger import HURRIED, Ledger
from tests.kit.mongod import mongod_in_memory
from tests.kit.server_process import ServerProcess
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.faults


def account(name):
    return {"username": name, "password": "correct-horse", "algorithm": "SHA-256"}


class Hosts:
    """Two hosts on one database, and the events that their processes leave."""

    def __init__(self, folder, uri):
        self.ledger = Ledger(uri, "killed")
        self.failpoints = folder / "failpoints"
        self.failpoints.mkdir()
        self.environment = {
            **HURRIED,
            "MONGODB_URI": uri,
            "MONGODB_DATABASE": "killed",
            "MONGODB_TIMEOUT_SECONDS": "30",
            "APP_KEY": "k" * 40,
            "FLEXIAPI_FAILPOINTS": str(self.failpoints),
        }
        self.one = self._host(folder / "one", SERVER_PROCESSES="2")
        self.two = self._host(folder / "two", SERVER_PROCESSES="1")
        self.key = self.one.admin_key()
        self.names = (f"person.{number}" for number in itertools.count())

    def _host(self, folder, **environment):
        folder.mkdir()
        replica = {"FLEXISIP_AUTH_REPLICA": str(folder / "auth.sqlite")}
        return ServerProcess(folder, **self.environment, **replica, **environment)

    def start(self):
        self.one.start()
        self.two.start()

    def stop(self):
        for host in (self.one, self.two):
            host.stop()
        self.ledger.close()

    def http(self, host=None):
        host = host or random.choice((self.one, self.two))
        return httpx.Client(base_url=host.url, headers={"x-api-key": self.key}, timeout=60)

    def create(self):
        """Create an account, and return its id if the answer came."""
        with self.http() as http, contextlib.suppress(httpx.TransportError):
            return http.post("/api/accounts", json=account(next(self.names))).json()["id"]

    def remove(self):
        """Remove a new account, and return its id, whether the answer came or not."""
        id_ = self.create()
        if id_ is not None:
            with self.http() as http, contextlib.suppress(httpx.TransportError):
                http.delete(f"/api/accounts/{id_}")
        return id_

    def kill_at(self, name, change):
        """Make changes until a process is killed at the failpoint. Return the last one."""
        wait_for(lambda: self.ledger.is_settled, 90)
        armed = self.failpoints / name
        armed.touch()
        changed = None
        until = time.monotonic() + 90
        while armed.exists() and time.monotonic() < until:
            changed = change()
        assert not armed.exists(), "the failpoint was not reached"
        return changed

    @property
    def sweeps(self):
        """The number of times that a process has moved or told what another one left."""
        return sum(host.log.read_text().count("events of an interrupted process") for host in (self.one, self.two))

    def recover(self):
        """Wait until nothing is under way any more, with all processes running."""
        self._restart()
        wait_for(lambda: self.ledger.is_settled, 90)
        # On a busy machine a killed process closes its connections before it is seen to have ended.
        self._restart()
        wait_for(lambda: self.ledger.is_settled, 90)

    def _restart(self):
        if self.two.child.poll() is not None:
            assert self.two.child.returncode == -signal.SIGKILL
            self.two.start()
        assert self.one.child.poll() is None


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    with mongod_in_memory() as mongod:
        hosts = Hosts(tmp_path_factory.mktemp("hosts"), mongod.uri)
        try:
            hosts.start()
            yield hosts
        finally:
            hosts.stop()


@pytest.mark.parametrize("failpoint", ["events-before-move", "events-moved"])
def test_a_kill_between_a_change_and_the_end_of_its_move(hosts, failpoint):
    sweeps = hosts.sweeps
    hosts.kill_at(failpoint, hosts.create)
    hosts.recover()
    wait_for(lambda: hosts.sweeps > sweeps)
    assert hosts.ledger.faults == []


def test_a_kill_between_the_announcement_of_a_removal_and_the_removal(hosts):
    id_ = hosts.kill_at("removal-announced", hosts.remove)
    assert hosts.ledger.database.accounts.find_one({"_id": id_})
    hosts.recover()
    assert "account.removed" not in hosts.ledger.names(id_)
    with hosts.http() as http:
        assert http.delete(f"/api/accounts/{id_}").status_code == 200
    hosts.recover()
    assert hosts.ledger.faults == []


@pytest.mark.parametrize("failpoint", ["removed", "announced-event-told"])
def test_a_kill_between_a_removal_and_the_end_of_its_announcement(hosts, failpoint):
    sweeps = hosts.sweeps
    id_ = hosts.kill_at(failpoint, hosts.remove)
    assert hosts.ledger.database.accounts.find_one({"_id": id_}) is None
    hosts.recover()
    assert hosts.ledger.names(id_)[-1] == "account.removed"
    assert hosts.ledger.names(id_).count("account.removed") == 1
    wait_for(lambda: hosts.sweeps > sweeps)
    assert hosts.ledger.faults == []


@pytest.mark.parametrize(("failpoint", "first", "written"), [("batch-announced", 5000, 0), ("batch-written", 6000, 10)])
def test_a_kill_of_a_command_that_writes_a_batch(hosts, tmp_path, failpoint, first, written):
    ids = list(range(first, first + 10))
    seeds = [{"type": "account", "id": id_, "username": f"seed.{id_}", "domain": "sip.example.org"} for id_ in ids]
    file = tmp_path / "seeds.json"
    file.write_text(json.dumps(seeds))
    hosts.recover()
    (hosts.failpoints / failpoint).touch()
    command = ServerProcess(hosts.one.folder, **hosts.environment)
    with pytest.raises(AssertionError):
        command.command("accounts", "seed", str(file))
    assert not (hosts.failpoints / failpoint).exists(), "the failpoint was not reached"
    assert hosts.ledger.database.accounts.count_documents({"_id": {"$in": ids}}) == written
    hosts.recover()
    told = [event["name"] for event in hosts.ledger.events if event.get("details", {}).get("ids") == ids]
    assert told == ["accounts.imported"]
    assert hosts.ledger.faults == []


def test_a_kill_between_the_numbers_of_a_batch_and_its_events(hosts):
    hosts.kill_at("numbers-written", hosts.create)
    batch = hosts.ledger.database.event_batches.find_one()
    hosts.recover()
    numbered = [event["_id"] for event in hosts.ledger.events]
    assert numbered[batch["first"] - 1 :][: len(batch["ids"])] == batch["ids"]
    assert hosts.ledger.faults == []


def test_a_kill_between_the_use_of_an_event_and_the_note_of_its_number(hosts):
    hosts.kill_at("replica-before-place", hosts.create)
    hosts.recover()
    hosts.create()
    hosts.recover()
    expected = {one["username"] for one in hosts.ledger.database.accounts.find({"activated": True})}

    def holds(host):
        replica = host.folder / "auth.sqlite"
        with contextlib.closing(sqlite3.connect(f"file:{replica}?mode=ro", uri=True)) as reader:
            names = {row[0] for row in reader.execute("SELECT username FROM accounts")}
            (place,) = reader.execute("SELECT value FROM flexiapi WHERE name = 'position'").fetchone() or ("",)
        return names == expected and place.split()[:1] == [f"#{len(hosts.ledger.events)}"]

    wait_for(lambda: holds(hosts.one) and holds(hosts.two), 90)
    assert hosts.ledger.faults == []


class Traffic:
    """Requests of all kinds to several servers, until it is ended."""

    def __init__(self, urls, key):
        self.urls = urls
        self.key = key
        self.ended = threading.Event()
        self.created = set()
        self.removed = set()
        self.done = 0
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(6)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self._threads:
            thread.join(90)

    def _work(self, number):
        chance = random.Random(number)
        turn = 0
        while not self.ended.is_set():
            turn += 1
            url = chance.choice(self.urls)
            with (
                contextlib.suppress(httpx.TransportError),
                httpx.Client(base_url=url, headers={"x-api-key": self.key}, timeout=60) as http,
            ):
                self._one_person(http, f"person.{number}.{turn}")

    def _one_person(self, http, name):
        answer = http.post("/api/accounts", json=account(name))
        if answer.status_code != 200:
            return
        id_ = answer.json()["id"]
        self.created.add(id_)
        for ask in (
            lambda: http.post(f"/api/accounts/{id_}/activate"),
            lambda: http.post(f"/api/accounts/{id_}/contacts/1"),
            lambda: http.post(f"/api/accounts/{id_}/deactivate"),
            lambda: http.post("/api/account_creation_tokens"),
        ):
            ask()
            self.done += 1
        if id_ % 2 and http.delete(f"/api/accounts/{id_}").status_code == 200:
            self.removed.add(id_)


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_random_kills_of_processes_and_hosts(hosts, record_property):
    hosts.recover()
    sweeps = hosts.sweeps
    with Traffic([hosts.one.url, hosts.two.url], hosts.key) as traffic:
        for turn in range(6):
            time.sleep(random.uniform(0.2, 0.8))
            if turn % 2:
                hosts.two.kill()
            else:
                os.kill(random.choice(children_of(hosts.one.child.pid)), signal.SIGKILL)
            if turn % 2:
                hosts.two.start()
    assert traffic.done
    hosts.recover()
    record_property("figure", ("sweeps that moved events of 6 random kills", hosts.sweeps - sweeps, 6, 6))
    assert hosts.ledger.faults == []
    told = hosts.ledger.events
    for name, ids in (("account.created", traffic.created), ("account.removed", traffic.removed)):
        assert ids <= {event["subject"] for event in told if event["name"] == name}
