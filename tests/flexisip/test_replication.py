"""Every change of an account through the API is in the replica before the answer."""

import sqlite3
import subprocess
import sys

import httpx
import pytest

from flexiapi.model import Algorithm
from tests.api.test_sip_auth import query
from tests.kit.cli_socket import Flexisip
from tests.kit.sign_in_replica import asked
from tests.kit.waiting import wait_for

PASSWORD = "correct-horse-battery"


@pytest.fixture
def replica(tmp_path):
    return tmp_path / "sip" / "auth.sqlite"


@pytest.fixture
def configure(replica, monkeypatch):
    monkeypatch.setattr("flexiapi.flexisip.replica_file.BUSY_SECONDS", 0.5)
    return {"flexisip": {"auth_replica": str(replica)}}


def created(http, admin, username, **fields):
    body = {"username": username, "password": PASSWORD, "algorithm": "SHA-256", "activated": True} | fields
    return http.post("/api/accounts", json=body, headers=admin.headers)


def test_creation_password_and_deletion_are_there_before_the_answer(http, admin, replica):
    assert created(http, admin, "bob.builder").status_code == 200
    first = asked(replica, "bob.builder")
    assert first.keys() == {"SHA-256"}
    key = {"auth": httpx.DigestAuth("bob.builder", PASSWORD), "headers": {"From": "sip:bob.builder@sip.example.org"}}
    change = {"algorithm": "MD5", "old_password": PASSWORD, "password": "another-password"}
    assert http.post("/api/accounts/me/password", json=change, **key).status_code == 200
    second = asked(replica, "bob.builder")
    assert second.keys() == {"MD5"}
    key["auth"] = httpx.DigestAuth("bob.builder", "another-password")
    assert http.delete("/api/accounts/me", **key).status_code == 200
    assert asked(replica, "bob.builder") == {}


def test_an_account_signs_in_once_its_provisioning_activated_it(http, admin, replica):
    account = created(http, admin, "carol.singer", activated=False).json()
    assert asked(replica, "carol.singer") == {}
    assert "ha1" in http.get(f"/provisioning/{account['provisioning_token']}").text
    assert asked(replica, "carol.singer")


def test_a_block_is_there_before_the_answer_and_so_is_its_end(http, admin, replica):
    account = created(http, admin, "bob.builder").json()
    before = asked(replica, "bob.builder")
    assert before
    for verb, there in (("block", {}), ("unblock", before)):
        assert http.post(f"/api/accounts/{account['id']}/{verb}", headers=admin.headers).status_code == 200
        assert asked(replica, "bob.builder") == there


@pytest.fixture
def locked(replica):
    """Lock the replica against writers until it is called."""
    other = sqlite3.connect(replica, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other.close
    other.close()


def test_a_change_that_cannot_reach_the_replica_is_done_and_follows_later(http, admin, replica, locked):
    assert created(http, admin, "bob.builder").status_code == 200
    assert asked(replica, "bob.builder") == {}
    locked()
    wait_for(lambda: asked(replica, "bob.builder"))


def test_while_the_replica_cannot_be_written_nothing_single_use_is_spent(server, http, admin, replica, locked):
    waiting = created(http, admin, "carol.singer", activated=False).json()
    token = server.creation_token()
    sign_up = {"username": "dave.diver", "password": PASSWORD, "algorithm": "SHA-256", "account_creation_token": token}
    requests = {
        "provisioning": lambda: http.get(f"/provisioning/{waiting['provisioning_token']}"),
        "creation": lambda: http.post("/api/accounts/with-account-creation-token", json=sign_up),
        "name": lambda: created(http, admin, "erin.early"),
    }
    assert created(http, admin, "bob.builder").status_code == 200  # by this the server learns of it
    for name, request in requests.items():
        answer = request()
        assert answer.status_code == 503, name
        assert answer.headers["Retry-After"], name
        assert "SIP server" in answer.json()["message"], name
    locked()
    for name, request in requests.items():
        assert request().status_code == 200, name
    assert asked(replica, "carol.singer")


def test_reads_go_on_while_the_replica_cannot_be_written(http, admin, replica, locked):
    assert created(http, admin, "bob.builder").status_code == 200
    assert created(http, admin, "erin.early").status_code == 503
    assert http.get("/api/accounts", headers=admin.headers).status_code == 200


class TestRequestsThatChangeNoAccount:
    @pytest.fixture
    def configure(self, replica, monkeypatch):
        monkeypatch.setattr("flexiapi.flexisip.replica_file.BUSY_SECONDS", 0.5)
        sms = {"backend": "twilio", "account_sid": "AC0123456789abcdef", "auth_token": "t", "sender": "+15017122661"}
        reports = {**sms, "report_url": "https://accounts.example.org/callbacks/texts"}
        return {"flexisip": {"auth_replica": str(replica), "external_auth": True}, "sms": {"texts": reports}}

    def test_calls_and_reports_go_on_while_the_replica_cannot_be_written(self, http, admin, alice, locked):
        assert created(http, admin, "bob.builder").status_code == 200
        assert created(http, admin, "erin.early").status_code == 503
        assert http.get(f"/sip/auth?{query(alice)}").text.startswith("Status: 200\n")
        assert http.post("/callbacks/texts", data={"MessageSid": "SM1"}).status_code == 403  # not signed, but looked at


def test_a_wrong_answer_stays_what_it_is(http, admin, replica):
    assert created(http, admin, "bob.builder", password="x").status_code == 422
    assert asked(replica, "bob.builder") == {}


def test_commands_project_too(tmp_path, mongod_uri, server, replica):
    settings = tmp_path / "flexiapi.toml"
    settings.write_text(
        f"[app]\nkey = '{'k' * 40}'\n[mongodb]\nuri = '{mongod_uri}'\ndatabase = '{server.settings.mongodb.database}'\n"
        f"[flexisip]\nauth_replica = '{replica}'\n"
    )
    arguments = ["--config", settings, "accounts", "create-admin", "dave.admin", "--generate"]
    done = subprocess.run([sys.executable, "-m", "flexiapi", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert asked(replica, "dave.admin")


class TestWithCliSocket:
    @pytest.fixture
    def flexisip(self, folder):
        with Flexisip(folder / "flexisip-proxy-42") as running:
            yield running

    @pytest.fixture
    def configure(self, replica, folder):
        return {"flexisip": {"auth_replica": str(replica), "cli_socket": str(folder / "flexisip-proxy-*")}}

    def test_flexisip_forgets_what_is_no_longer_right_before_the_answer(self, flexisip, http, admin):
        account = created(http, admin, "bob.builder").json()
        known = ("bob.builder", "sip.example.org")
        assert flexisip.commands == []
        changes = ("/block", "/unblock", "/deactivate", "/activate", "")
        for verb, path in (("POST" if path else "DELETE", path) for path in changes):
            flexisip.cache.add(known)
            assert http.request(verb, f"/api/accounts/{account['id']}{path}", headers=admin.headers).status_code == 200
            assert (known in flexisip.cache) is (path in ("/unblock", "/activate"))


class TestWithoutMd5:
    @pytest.fixture
    def configure(self, replica):
        return {"flexisip": {"auth_replica": str(replica)}, "account": {"md5": False}}

    def test_no_hash_of_md5_is_projected(self, server, http, admin, replica):
        assert created(http, admin, "bob.builder").status_code == 200
        stored = server.services.sign_in.passwords.stored("carol.singer", "sip.example.org", Algorithm.MD5, PASSWORD)
        server.person("carol.singer", passwords=(stored,))  # as it was made before md5 = false
        assert asked(replica, "bob.builder").keys() == {"SHA-256"}
        assert "MD5" not in asked(replica, "carol.singer")
