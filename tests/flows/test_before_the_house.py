"""A database of the release before the document layout had numbers: opened today, and shared with its server."""

import secrets
import subprocess
import sys

import httpx
import pytest
from pymongo import MongoClient

from flexiapi.store.steps import STEPS
from tests.kit.old_release import DOMAIN, KEY, PASSWORD, dump, load, old_release
from tests.kit.server_process import serve
from tests.kit.waiting import wait_for

__all__ = ["old_release", "serve"]

NEWEST = len(STEPS)


@pytest.fixture
def database():
    return f"test_{secrets.token_hex(6)}"


@pytest.fixture
def known(mongod_uri, database):
    """The secrets of the people in the database."""
    return load(mongod_uri, database)


@pytest.fixture
def configure(database, known):
    return {"app": {"key": KEY, "sip_domain": DOMAIN}, "mongodb": {"database": database, "timeout_seconds": 30}}


def digest(name):
    return {"auth": httpx.DigestAuth(name, PASSWORD), "headers": {"From": f"sip:{name}@{DOMAIN}"}}


class TestPeopleOfBefore:
    @pytest.fixture(params=["before the steps", "after them"], autouse=True)
    def _layout(self, request, server):
        migrations = server.store.migrations
        assert server.run(migrations.layout()).version == 0
        if request.param == "after them":
            server.run(migrations.old_servers_stopped())
            # `None` while the server itself runs a step.
            wait_for(lambda: (plan := server.run(migrations.advance("a test"))) is not None and not plan.pending)
            assert server.run(migrations.layout()).version == NEWEST
            server.run(server.store.layout())

    def test_they_sign_in_by_key_and_by_digest(self, http, known):
        me = http.get("/api/accounts/me", headers={"x-api-key": known["alice"]}).json()
        assert me["phone"] == "+33612345678"
        assert me["display_name"] == "Alice"
        for name in ("alice.martin", "bob.martin", "sybil.seeded"):
            answer = http.get("/api/accounts/me", **digest(name))
            assert answer.json()["username"] == name, answer.text
        assert http.get("/api/accounts/me", **digest("judy.away")).status_code == 401

    def test_what_they_have_is_there(self, http, known):
        alice = {"headers": {"x-api-key": known["alice"]}}
        assert [contact["username"] for contact in http.get("/api/accounts/me/contacts", **alice).json()] == [
            "bob.martin"
        ]
        assert http.get("/contacts/vcard", **digest("bob.martin")).text.count("BEGIN:VCARD") == 1
        admin = {"headers": {"x-api-key": known["admin"]}}
        shown = http.get(f"/api/accounts/alice.martin@{DOMAIN}/search", **admin).json()
        assert [kind["key"] for kind in shown["types"]] == ["phone"]
        assert [(action["key"], action["code"]) for action in shown["actions"]] == [("door", "12")]
        page = http.get("/api/accounts", **admin).json()
        assert page["total"] == len(page["data"]) == 12

    def test_codes_under_way_are_right(self, http, known):
        recovered = http.get(f"/api/accounts/frank.phone@{DOMAIN}/recover/{known['recovery']}")
        assert recovered.status_code == 200, recovered.text
        body = {"confirmation_key": known["activation"]}
        activated = http.post(f"/api/accounts/dave.new@{DOMAIN}/activate/email", json=body)
        assert activated.json()["activated"] is True, activated.text
        grace = digest("grace.moving")
        http.post("/api/accounts/me/email", json={"code": known["email_change"]}, **grace)
        http.post("/api/accounts/me/phone", json={"code": known["phone_change"]}, **grace)
        me = http.get("/api/accounts/me", **grace).json()
        assert (me["email"], me["phone"]) == ("grace@example.net", "+33633333333")

    def test_tokens_are_good_once(self, http, known):
        for token in (known["provisioning"], known["auth_token"]):
            path = f"/provisioning/{token}" if token == known["provisioning"] else f"/provisioning/auth_token/{token}"
            assert "ha1" in http.get(path).text
            assert "ha1" not in http.get(path).text
        body = {"username": "new.name", "password": PASSWORD, "algorithm": "SHA-256"}
        body["account_creation_token"] = known["creation_token"]
        path = "/api/accounts/with-account-creation-token"
        assert http.post(path, json={**body, "username": "ivan.gone"}).status_code == 422  # the tombstone
        assert http.post(path, json=body).status_code == 200
        assert http.post(path, json={**body, "username": "other.name"}).status_code == 422

    def test_administrators_change_them(self, http, known):
        admin = {"headers": {"x-api-key": known["admin"]}}
        ids = {one["username"]: one["id"] for one in http.get("/api/accounts", **admin).json()["data"]}
        assert http.get(f"/api/accounts/{ids['judy.away']}/activate", **admin).status_code == 200
        assert http.get("/api/accounts/me", **digest("judy.away")).status_code == 200
        for name in ("bob.martin", "heidi.out", "carol.invited"):
            assert http.delete(f"/api/accounts/{ids[name]}", **admin).status_code == 200
        assert http.get("/api/accounts/me/contacts", headers={"x-api-key": known["alice"]}).json() in ([], {})


class Side:
    """A server on a database that it shares, and what it can do to accounts."""

    def __init__(self, server, key):
        self.http = httpx.Client(base_url=server.url, headers={"x-api-key": key}, timeout=60)
        self.anyone = httpx.Client(base_url=server.url, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()
        self.anyone.close()

    def make(self, name):
        body = {"username": name, "password": PASSWORD, "algorithm": "SHA-256", "activated": True, "phone": None}
        body["dtmf_protocol"] = "sipinfo"
        return self.http.post("/api/accounts", json=body).raise_for_status().json()["id"]

    def change(self, account_id, contact_id):
        """Change an account in many ways."""
        path = f"/api/accounts/{account_id}"
        self.http.post(f"{path}/contacts/{contact_id}").raise_for_status()
        self.http.post(f"{path}/actions", json={"key": "door", "code": "12"}).raise_for_status()
        self.http.get(f"{path}/deactivate").raise_for_status()
        self.http.get(f"{path}/activate").raise_for_status()
        self.http.get(f"{path}/provision").raise_for_status()
        self.http.delete(f"{path}/contacts/{contact_id}").raise_for_status()

    def remove(self, account_id):
        self.http.delete(f"/api/accounts/{account_id}").raise_for_status()

    def request_change(self, name):
        """Leave a code under way in the account."""
        path, body = "/api/accounts/me/email/request", {"email": "x@example.org"}
        self.anyone.post(path, json=body, **digest(name)).raise_for_status()

    def sees(self, name):
        return self.anyone.get("/api/accounts/me", **digest(name)).json()["username"] == name

    def total(self):
        return self.http.get("/api/accounts").raise_for_status().json()["total"]


def layout_of(mongod):
    return next(one for one in dump(mongod.uri, "flexiapi")["meta"] if one["_id"] == "layout")


def migrate(server, *options):
    """Run the command, and return its status and output."""
    arguments = [sys.executable, "-m", "flexiapi", "migrate", *options]
    done = subprocess.run(arguments, env=server.environment, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.faults
def test_an_old_server_works_beside_a_new_one_until_it_is_stopped(old_release, serve, own_mongod):
    old = old_release(MONGODB_URI=own_mongod.uri)
    key = old.admin_key()
    new = serve(MONGODB_URI=own_mongod.uri, APP_KEY=KEY, APP_SIP_DOMAIN=DOMAIN)
    assert httpx.get(f"{new.url}/health/ready", timeout=60).text == "ready"
    with Side(old, key) as before, Side(new, key) as after:
        ids = both_change_accounts(before, after)
        for options in ([], ["--check"]):
            status, output = migrate(new, *options)
            assert status == 1
            assert "flexiapi migrate --old-servers-stopped" in output
        assert layout_of(own_mongod)["version"] == 0
        old_servers_ignore_new_fields(own_mongod, before, ids)
        each_takes_the_tokens_and_keys_of_the_other(before, after, ids)
        assert before.total() == after.total() == 5

        assert old.stop() == 0
        status, output = migrate(new, "--old-servers-stopped")
        assert status == 0, output
        assert layout_of(own_mongod)["version"] == NEWEST
        written = dump(own_mongod.uri, "flexiapi")
        assert "census" not in written
        assert all("revision" in account for account in written["accounts"])
        assert not any("provisioning_token" in account for account in written["accounts"])
        after.change(ids[0], ids[1])
        assert after.total() == 5
    assert migrate(new, "--check")[0] == 0
    # While the database is there to take what is left to write.
    assert new.stop() == 0


def each_takes_the_tokens_and_keys_of_the_other(before, after, ids):
    """Tokens and keys of one server work at the other, and only the last of them."""
    for one, other in ((before, after), (after, before)):
        first, last = (one.http.get(f"/api/accounts/{ids[0]}/provision").json()["provisioning_token"] for _ in range(2))
        assert other.http.get(f"/api/accounts/{ids[0]}").json()["provisioning_token"] == last
        assert "ha1" not in other.anyone.get(f"/provisioning/{first}").text
        assert "ha1" in other.anyone.get(f"/provisioning/{last}").text
        for side in (one, other):
            assert "ha1" not in side.anyone.get(f"/provisioning/{last}").text
            assert side.http.get(f"/api/accounts/{ids[0]}").json()["provisioning_token"] is None
        body = {"username": f"waits.{ids[0]}", "password": PASSWORD, "algorithm": "SHA-256", "activated": False}
        waiting = one.http.post("/api/accounts", json=body).raise_for_status().json()
        path = f"/api/accounts/{body['username']}@{DOMAIN}/activate/email"
        key = {"confirmation_key": waiting["confirmation_key"]}
        assert other.anyone.post(path, json=key).json()["activated"] is True
        assert one.anyone.post(path, json=key).status_code == 404
        other.remove(waiting["id"])


def old_servers_ignore_new_fields(mongod, before, ids):
    """New values of accounts are fields of the document: those of a database that an old server still writes stay."""
    new = {"revision": 3, "pending_events": [{"id": "x", "event": "account.activated"}], "pending_since": 17}
    with MongoClient(mongod.uri) as client:
        accounts = client["flexiapi"]["accounts"]
        accounts.update_one({"_id": ids[0]}, {"$set": new})
        before.change(ids[0], ids[1])
        assert before.sees("first.0")
        assert accounts.find_one({"_id": ids[0]}, dict.fromkeys(new, 1)) == {"_id": ids[0], **new}
        accounts.update_one({"_id": ids[0]}, {"$unset": new})


def both_change_accounts(before, after):
    """Let both servers make, change and remove accounts, the other's too. Five are left."""
    ids = [before.make(f"first.{number}") for number in range(3)]
    ids += [after.make(f"second.{number}") for number in range(3)]
    for one, other in ((before, after), (after, before)):
        for account_id in (ids[0], ids[3]):
            one.change(account_id, ids[1])
        for name in ("first.0", "second.0"):
            assert one.sees(name)
            one.request_change(name)
            assert other.sees(name)
        assert one.total() == other.total() == 7
    before.remove(ids[4])
    after.remove(ids[5])
    assert before.total() == after.total() == 5
    return ids


@pytest.mark.faults
def test_with_an_embedded_database_the_steps_run_at_once(old_release, serve):
    old = old_release()
    key = old.admin_key()
    assert old.stop() == 0
    new = serve(old.folder.name, APP_KEY=KEY, APP_SIP_DOMAIN=DOMAIN)
    wait_for(lambda: migrate(new, "--check")[0] == 0)
    assert httpx.get(f"{new.url}/api/accounts/me", headers={"x-api-key": key}, timeout=60).status_code == 200
