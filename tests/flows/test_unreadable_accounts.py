"""Account documents of which hands in the database, or a newer release, left a part unreadable."""

import pytest
from pymongo import MongoClient

from flexiapi.model import Confirmation
from flexiapi.store.unreadable import unreadable_accounts
from tests.kit.sign_in_replica import asked
from tests.kit.waiting import wait_for

PASSWORD = "correct-horse-battery"

BROKEN = {
    "username": 5,
    "created_at": "yesterday",
    "activated": "yes",
    "email": ["a@example.org"],
    "phone": 33612345678,
    "display_name": {"$ne": 1},
    "dtmf_protocol": "smoke signals",
    "admin_since": 5,
    "passwords": "secret",
    "epoch": "first",
    "api_key": {"hash": b"x"},
    "confirmation": 5,
    "undelivered": {"kind": 5},
    "last_provisioning": {"made_at": 5},
    "types": 5,
    "actions": [{"id": 1}],
    "call_forwardings": [{"id": 1, "type": "smoke"}],
    "contacts": 5,
    "external_account": {"username": "x"},
    "activated_at": "x",
    "deactivated_at": "x",
    "blocked_at": "x",
    "unconfirmed": "x",
    "claimed_phone": 33612345678,
    "has_first_password": "x",
    "provisioning_secret": {"until": "x"},
    "provisioning_token_at": "x",
}
# What keeps an account out, or makes it prove something.
BARS = ("activated_at", "deactivated_at", "blocked_at", "unconfirmed", "claimed_phone", "has_first_password")


@pytest.fixture
def replica(tmp_path):
    return tmp_path / "sip" / "auth.sqlite"


@pytest.fixture
def configure(replica):
    return {"flexisip": {"auth_replica": str(replica)}}


def broken(server, person, **fields):
    """Write into the document of a person as a hand in the database would."""
    server.expect_errors("an account cannot be read as a whole")
    with MongoClient(server.uri) as client:
        client[server.settings.mongodb.database]["accounts"].update_one({"_id": person.id}, {"$set": fields})
    return person


@pytest.mark.parametrize("field", BROKEN)
def test_a_part_that_cannot_be_read_stops_no_list_and_is_repaired_by_a_replacement(server, http, admin, field, caplog):
    person, other = server.person("bob.builder"), server.person("carol.singer")
    before = unreadable_accounts._value.get()
    broken(server, person, **{field: BROKEN[field]})
    listed = http.get("/api/accounts", headers=admin.headers)
    assert listed.status_code == 200
    assert {admin.id, person.id, other.id} == {one["id"] for one in listed.json()["data"]}
    assert "an account cannot be read as a whole" in caplog.text
    assert f"'account': {person.id}" in caplog.text
    assert unreadable_accounts._value.get() > before
    whole = {"username": "bob.builder", "password": PASSWORD, "algorithm": "SHA-256", "domain": "sip.example.org"}
    answer = http.put(f"/api/accounts/{person.id}", json=whole, headers=admin.headers)
    assert answer.status_code == 200, answer.text
    assert server.account(person.id).unreadable == ()
    assert http.get("/api/accounts/bob.builder@sip.example.org/info").status_code == 200


def test_two_parts_that_fit_only_alone_stop_no_list(server, http, admin):
    person = server.person("bob.builder")
    broken(server, person, confirmation={"attempts": 0}, confirmation_secret={"hash": b"x"})
    listed = http.get("/api/accounts", headers=admin.headers)
    assert person.id in {one["id"] for one in listed.json()["data"]}
    assert "confirmation" in server.account(person.id).unreadable


def test_an_account_whose_domain_cannot_be_read_stops_no_list(server, http, admin):
    person, other = server.person("bob.builder"), server.person("carol.singer")
    broken(server, person, domain=None)
    listed = http.get("/api/accounts", headers=admin.headers)
    assert other.id in {one["id"] for one in listed.json()["data"]}


def test_a_name_that_cannot_be_read_signs_nobody_in(server, http, alice):
    broken(server, alice, username=5)
    assert http.get("/api/accounts/me", headers=alice.headers).status_code == 401
    assert server.account(alice.id).passwords == ()


@pytest.mark.parametrize("field", BARS)
def test_a_bar_that_cannot_be_read_holds(server, http, alice, replica, field):
    server.run(server.parts.replication.replica.rebuild())
    assert asked(replica, "alice.martin")
    pending = Confirmation(pin_hash=b"x", expires_at=server.clock.second())
    server.set(alice.id, confirmation=pending, provisioning_token="NoPqRsTuVwXyZ")
    broken(server, alice, **{field: BROKEN[field]})
    assert http.get("/api/accounts/me", **alice.digest).status_code == 401
    assert http.get("/api/accounts/me", headers=alice.headers).status_code == 401
    assert http.get("/provisioning/qrcode/NoPqRsTuVwXyZ").status_code == 404
    assert server.account(alice.id).confirmation is None
    server.run(server.parts.replication.replica.rebuild())
    assert not any(asked(replica, "alice.martin").values())


@pytest.mark.parametrize("field", ["provisioning_secret", "provisioning_token_at"])
def test_a_link_of_which_the_end_cannot_be_read_sets_nothing_up(server, http, alice, field):
    server.set(alice.id, provisioning_token="NoPqRsTuVwXyZ", provisioning_token_at=server.clock.second())
    assert http.get("/provisioning/qrcode/NoPqRsTuVwXyZ").status_code == 200
    broken(server, alice, **{field: BROKEN[field]})
    assert http.get("/provisioning/qrcode/NoPqRsTuVwXyZ").status_code == 404
    assert "ha1" not in http.get("/provisioning/NoPqRsTuVwXyZ").text
    assert http.get("/api/accounts/me", headers=alice.headers).status_code == 200


def test_an_account_that_cannot_be_read_can_be_deleted(server, http, admin):
    person = broken(server, server.person("bob.builder"), username=5, passwords="secret")
    assert http.delete(f"/api/accounts/{person.id}", headers=admin.headers).status_code == 200
    assert server.account(person.id) is None


def test_keys_of_a_newer_release_in_parts_are_ignored(server, http, alice):
    message = {"kind": "account.recovery", "backend": "sms.main", "reason": "busy", "at": server.clock.second()}
    broken(server, alice, **{"api_key.scope": "all", "undelivered": {**message, "tries": 3}})
    assert http.get("/api/accounts/me", headers=alice.headers).status_code == 200
    account = server.account(alice.id)
    assert (account.unreadable, account.undelivered.reason) == ((), "busy")


def test_the_replica_holds_all_others(server, replica):
    people = [server.person(f"person.{number}") for number in range(3)]
    broken(server, people[1], passwords=5, created_at=None)
    server.run(server.parts.replication.replica.rebuild())
    wait_for(lambda: asked(replica, "person.0") and asked(replica, "person.2"))
    assert not any(asked(replica, "person.1").values())
