"""A primary whose writes do not reach a majority: no answer says that they did."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flexiapi.crypto.keys import token_hash
from flexiapi.errors import StoreUnavailable
from flexiapi.model import Actor, Algorithm, ExternalAccount
from flexiapi.store import key_uses
from tests.kit.changes import add
from tests.kit.mongod import mongod_in_memory
from tests.kit.server import serving
from tests.kit.server_process import majority_lost
from tests.kit.waiting import wait_for
from tests.kit.watched_log import LOG

pytestmark = pytest.mark.faults

# Long enough for a machine that stands still, and waited out by every write below.
TIMEOUT = {"mongodb": {"timeout_seconds": 3}}


@pytest.fixture(scope="module")
def mongod():
    with mongod_in_memory() as own:
        yield own


@pytest.fixture
def server(mongod, tmp_path):
    with serving(TIMEOUT, tmp_path, mongod.uri) as running_server:
        yield running_server


def test_callers_get_503_for_writes_and_answers_for_reads(server, http, mongod, admin, alice):
    new = {"username": "somebody", "password": "correct-horse", "algorithm": "SHA-256"}
    with majority_lost(mongod):
        answers = [
            http.post("/api/accounts/auth_token"),
            http.post("/api/accounts", json=new, headers=admin.headers),
            http.get("/api/accounts/me/provision", headers=alice.headers),
            http.get("/api/accounts/me", **alice.digest),
        ]
        assert http.get("/api/accounts/me", headers=alice.headers).status_code == 200
    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) > 0
    assert http.post("/api/accounts/auth_token").status_code == 201


@pytest.fixture
def numbered(server, monkeypatch):
    """The majority goes after the number was given."""

    async def given(_name):
        return 4711

    monkeypatch.setattr(server.store.counters, "next", given)


def test_no_batch_is_taken_for_written(server, mongod, alice, numbered):
    store = server.store
    account = server.account(alice.id)
    external = ExternalAccount("bob", "sip.example.com", None, "0" * 64, Algorithm.SHA_256)
    writes = (
        lambda: add(store, replace(account, username="somebody")),
        lambda: store.used_nonces.use("nonce", 1, datetime.now(UTC) + timedelta(minutes=1)),
        lambda: store.external_accounts.add([external], Actor.system()),
    )
    with majority_lost(mongod):
        for write in writes:
            with pytest.raises(StoreUnavailable):
                server.run(write())


def test_a_replaced_account_is_not_taken_for_written(server, mongod, alice, monkeypatch):
    async def nothing(_ids):
        """The majority goes after the change was announced."""

    monkeypatch.setattr(server.store.account_ranges, "announce", nothing)
    with majority_lost(mongod), pytest.raises(StoreUnavailable):
        server.run(server.store.bulk.put([server.account(alice.id)], server.actor))


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(key_uses, "SECONDS", 0.1)


def test_uses_of_keys_are_written_when_the_majority_is_back(hurried, server, mongod, alice):
    server.later(minutes=5)
    with majority_lost(mongod):
        assert server.http.get("/api/accounts/me", headers=alice.headers).status_code == 200
        wait_for(lambda: LOG.stream.getvalue().count("key uses not written") > 1)
    wait_for(lambda: server.store.key_uses.last(token_hash(alice.key)) is None)


def test_what_nobody_foresaw_does_not_end_the_writing(hurried, server, alice):
    server.expect_errors("key uses not written")
    hashed = token_hash(alice.key)
    server.store.key_uses.note(hashed, object())
    wait_for(lambda: "key uses not written" in LOG.stream.getvalue())
    server.store.key_uses.note(hashed, datetime.now(UTC) + timedelta(minutes=5))
    wait_for(lambda: server.store.key_uses.last(hashed) is None)
