"""Sealed values in a stolen database."""

import asyncio
import re
from datetime import timedelta

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from flexiapi.cli import main
from flexiapi.model import Actor, Algorithm, Confirmation, ExternalAccount
from flexiapi.server.assembly import running
from tests.kit.server import settings_of


def dump(server):
    async def read():
        database = server.store._database
        names = await database.list_collection_names()
        return {name: await database[name].find().to_list(None) for name in names}

    return server.run(read())


def update(server, person, change):
    async def write():
        await server.store._database["accounts"].update_one({"_id": person.id}, change)

    server.run(write())


def test_no_password_hash_key_token_or_pin_is_readable(server, http, admin):
    """ASVS 11.4.2: HA1 is sealed, keys and single-use tokens are hashed, PINs are keyed hashes."""
    token = server.creation_token()
    auth_token = http.post("/api/accounts/auth_token").json()["token"]
    phone = {
        "phone": "+33612345678",
        "password": "correct-horse",
        "algorithm": "SHA-256",
        "account_creation_token": token,
    }
    assert http.post("/api/accounts/public", json=phone).status_code == 200
    person = server.person("bob.builder")
    pin = re.search(r"\b\d{4}\b", server.messages[-1]["text"])[0]
    made = {"username": "not.active", "password": "correct-horse-battery", "algorithm": "SHA-256"}
    waiting = http.post("/api/accounts", json=made, headers=admin.headers).json()
    text = repr(dump(server))
    assert "bob.builder" in text
    assert not re.search(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{32}\b", text)
    shown = waiting["confirmation_key"], waiting["provisioning_token"]
    for secret in (token, auth_token, person.key, f"'{pin}'", *shown):
        assert secret not in text


def test_a_new_application_key_still_reads_what_the_old_one_wrote(server, http, alice, tmp_path):
    """ASVS 11.2: rotation."""
    tables = {
        "app": {"key": "n" * 40, "previous_keys": ["k" * 40]},
        "mongodb": {"database": server.settings.mongodb.database},
    }

    async def read():
        async with running(settings_of(tables, tmp_path), server.uri) as inside:
            return await inside.parts.store.accounts.by_id(alice.id)

    assert server.run(read()).passwords == alice.account.passwords


def test_after_sealing_anew_the_old_key_is_not_needed(server, alice, tmp_path, monkeypatch):
    """ASVS 11.2: rotation, to its end: accounts and the external accounts that wait for one."""
    external = ExternalAccount("ext.one", "other.example.org", "group", "a" * 32, Algorithm.MD5)
    confirmation = Confirmation(key="WatDmy0pTd4cO")
    secrets = {"provisioning_token": "7Ma0JzRtWg3kP", "confirmation": confirmation}
    holder = server.person("hold.er", external_account=external, **secrets)
    server.run(server.store.external_accounts.add([external], Actor.system()))
    variables = {"MONGODB_URI": server.uri, "MONGODB_DATABASE": server.settings.mongodb.database, "APP_KEY": "n" * 40}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def reseal(**more):
        return CliRunner().invoke(main, ["accounts", "reseal"], env=more)

    assert "application key is not the one" in reseal().stderr
    assert reseal(APP_PREVIOUS_KEYS="k" * 40).stdout == "3 accounts sealed anew.\n"
    tables = {"app": {"key": "n" * 40}, "mongodb": {"database": server.settings.mongodb.database}}

    async def read():
        async with running(settings_of(tables, tmp_path), server.uri) as inside:
            store = inside.parts.store
            accounts = await store.accounts.by_ids([alice.id, holder.id])
            return accounts, await store.external_accounts.claim(server.clock.now(), server.actor)

    (first, second), (_, claimed) = server.run(read())
    assert first.passwords == alice.account.passwords
    assert second.external_account == claimed == external
    assert (second.provisioning_token, second.confirmation) == ("7Ma0JzRtWg3kP", confirmation)


class TestABadSeal:
    """It costs one value of one account, and is logged with its id."""

    @pytest.fixture
    def broken(self, server):
        """An account none of whose seals opens, and a good one after it."""
        external = ExternalAccount("ext.one", "other.example.org", "group", "a" * 32, Algorithm.MD5)
        secrets = {"provisioning_token": "7Ma0JzRtWg3kP", "confirmation": Confirmation(key="WatDmy0pTd4cO")}
        person = server.person("bro.ken", external_account=external, **secrets)
        paths = ("passwords.0", "external_account", "provisioning_secret", "confirmation_secret")
        change = {"$set": {f"{path}.sealed": b"no seal" for path in paths}}
        update(server, person, change)
        server.expect_errors("a seal does not open")
        return person

    def test_lists_and_views_show_the_account(self, server, http, admin, broken, alice):
        page = http.get("/api/accounts", headers=admin.headers)
        assert [one["username"] for one in page.json()["data"]] == ["the.admin", "bro.ken", "alice.martin"]
        with capture_logs() as captured:
            shown = http.get(f"/api/accounts/{broken.id}", headers=admin.headers).json()
        assert (shown["confirmation_key"], shown["provisioning_token"]) == ("unreadable", "unreadable")
        assert {(one["event"], one["of"]) for one in captured} == {
            ("a seal does not open", f"{what} of account:{broken.id}")
            for what in ("confirmation key", "provisioning token")
        }
        assert http.get("/api/accounts/me", headers=broken.headers).json()["username"] == "bro.ken"

    def test_what_does_not_need_the_seal_works(self, server, http, admin, broken):
        assert http.get("/api/accounts/me", **broken.digest).status_code == 401
        assert "ha1" not in http.get("/provisioning/7Ma0JzRtWg3kP").text
        assert "bro.ken" in http.get("/provisioning/me", headers=broken.headers).text
        recovered = http.get(f"/api/accounts/{broken.sip}/recover/WatDmy0pTd4cO")
        assert (recovered.status_code, recovered.json()["passwords"]) == (200, [])

    def test_a_new_password_mends_the_account(self, server, http, admin, broken):
        body = {"username": "bro.ken", "password": broken.password, "algorithm": "SHA-256"}
        assert http.put(f"/api/accounts/{broken.id}", json=body, headers=admin.headers).status_code == 200
        assert http.get("/api/accounts/me", **broken.digest).status_code == 200

    def test_the_others_are_sealed_anew(self, server, broken, alice):
        assert server.run(server.store.seals.renew(lambda _count: None)) >= 1
        assert server.account(alice.id).passwords == alice.account.passwords


class TestLayoutOfBefore:
    """Tokens and keys in clear, as older releases write and read them, until the step that seals them."""

    def stored(self, server, person):
        (found,) = [one for one in dump(server)["accounts"] if one["_id"] == person.id]
        return {name: value for name, value in found.items() if not name.startswith("pending_")}

    @pytest.fixture
    def person(self, server):
        """An account that was written while older servers ran."""
        server.store._documents.writes_clear_text = True
        confirmation = Confirmation(key="WatDmy0pTd4cO")
        return server.person("be.fore", provisioning_token="7Ma0JzRtWg3kP", confirmation=confirmation)

    def test_older_servers_find_token_and_key_where_they_look(self, server, person):
        stored = self.stored(server, person)
        assert (stored["provisioning_token"], stored["confirmation"]["key"]) == ("7Ma0JzRtWg3kP", "WatDmy0pTd4cO")

    def test_what_older_servers_write_and_end_wins(self, server, person):
        update(server, person, {"$set": {"provisioning_token": "by-old-server"}})
        assert server.account(person.id).provisioning_token == "by-old-server"
        assert server.run(server.store.accounts.by_provisioning_token("7Ma0JzRtWg3kP")) is None
        update(server, person, {"$unset": {"provisioning_token": "", "confirmation": ""}})
        account = server.account(person.id)
        assert (account.provisioning_token, account.confirmation) == (None, None)
        assert server.run(server.store.accounts.by_provisioning_token("7Ma0JzRtWg3kP")) is None

    def test_the_step_seals_them_and_they_work_as_before(self, server, http, person):
        done = server.run(server.store.seals.take_clear_text(None, None))
        assert (done.position, done.documents) == (person.id, 1)
        assert server.run(server.store.seals.take_clear_text(None, done.position)) is None
        stored = self.stored(server, person)
        assert "7Ma0JzRtWg3kP" not in repr(stored)
        assert "WatDmy0pTd4cO" not in repr(stored)
        before = server.account(person.id)
        assert (before.provisioning_token, before.confirmation.key) == ("7Ma0JzRtWg3kP", "WatDmy0pTd4cO")
        server.run(server.store.seals.take_clear_text(None, None))
        assert self.stored(server, person) == stored
        assert http.get("/provisioning/qrcode/7Ma0JzRtWg3kP").status_code == 200
        assert "ha1" in http.get("/provisioning/7Ma0JzRtWg3kP").text
        assert "ha1" not in http.get("/provisioning/7Ma0JzRtWg3kP").text
        assert http.get(f"/api/accounts/{person.sip}/recover/WatDmy0pTd4cO").status_code == 200


class TestAPinBesideAMailedKey:
    """An account with an API key, a link, a mailed key and an outstanding PIN, as older servers can read it."""

    PHONE = "+33612345678"

    @pytest.fixture
    def person(self, server):
        server.store._documents.writes_clear_text = True
        confirmation = Confirmation(key="WatDmy0pTd4cO", expires_at=server.clock.second() + timedelta(hours=1))
        secrets = {"provisioning_token": "7Ma0JzRtWg3kP", "confirmation": confirmation}
        return server.person("be.fore", phone=self.PHONE, **secrets)

    def pin(self, server, http):
        body = {"phone": self.PHONE, "account_creation_token": server.creation_token()}
        assert http.post("/api/accounts/recover-by-phone", json=body).status_code == 200
        return re.search(r"\b\d{4}\b", server.messages[-1]["text"])[0]

    @pytest.mark.parametrize("used", ["pin", "key"])
    def test_both_work_after_the_step_of_the_layout_and_a_new_seal(self, server, http, person, used):
        pin = self.pin(server, http)
        server.run(server.store.seals.take_clear_text(None, None))
        assert server.run(server.store.seals.renew(lambda _count: None)) == 1
        (stored,) = dump(server)["accounts"]
        assert "WatDmy0pTd4cO" not in repr(stored)
        account = server.account(person.id)
        assert (account.provisioning_token, account.confirmation.key) == ("7Ma0JzRtWg3kP", "WatDmy0pTd4cO")
        assert http.get("/api/accounts/me", headers=person.headers).json()["id"] == person.id
        code = {"pin": pin, "key": "WatDmy0pTd4cO"}[used]
        assert http.get(f"/api/accounts/{person.sip}/recover/{code}").json()["id"] == person.id
        assert http.get("/api/accounts/me", headers=person.headers).status_code == 401

    @pytest.mark.parametrize("work", ["take_clear_text", "renew"])
    def test_a_pin_that_another_server_sends_meanwhile_is_not_lost(self, server, http, person, monkeypatch, work):
        seals, documents, pins = server.store.seals, server.store._documents, []
        written = seals._renewed

        async def late(*arguments):
            if not pins:
                # The other server notices some seconds later that the step has begun.
                documents.writes_clear_text = work == "take_clear_text"
                pins.append(await asyncio.to_thread(self.pin, server, http))
                documents.writes_clear_text = False
            return await written(*arguments)

        monkeypatch.setattr(seals, "_renewed", late)
        if work == "renew":
            documents.writes_clear_text = False
            server.run(seals.renew(lambda _count: None))
        else:
            server.run(seals.take_clear_text(None, None))
        assert http.get(f"/api/accounts/{person.sip}/recover/{pins[0]}").json()["id"] == person.id
