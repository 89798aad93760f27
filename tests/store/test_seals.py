"""Sealed values in a stolen database."""

import re

from click.testing import CliRunner
from motor.motor_asyncio import AsyncIOMotorClient

from flexiapi.cli import main
from flexiapi.model import Actor, Algorithm, ExternalAccount
from flexiapi.server.assembly import running
from tests.kit.server import settings_of


def dump(server):
    async def read():
        client = AsyncIOMotorClient(server.uri)
        database = client[server.settings.mongodb.database]
        names = await database.list_collection_names()
        try:
            return {name: await database[name].find().to_list(None) for name in names}
        finally:
            client.close()

    return server.run(read())


def test_no_password_hash_key_token_or_pin_is_readable(server, http):
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
    text = repr(dump(server))
    assert "bob.builder" in text
    assert not re.search(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{32}\b", text)
    for secret in (token, auth_token, person.key, f"'{pin}'"):
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
    holder = server.person("hold.er", external_account=external)
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
