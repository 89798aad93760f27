"""`flexiapi spaces`, and what other commands say about tables of domains."""

import pytest
from click.testing import CliRunner

from flexiapi.cli import main
from tests.kit.spaces import B


@pytest.fixture
def command(server, tmp_path):
    """Runs a command on the database of a running server, with these tables of domains."""

    def run(*arguments, tables=""):
        file = tmp_path / "tables.toml"
        file.write_text(tables)
        database = {"MONGODB_URI": server.uri, "MONGODB_DATABASE": server.settings.mongodb.database}
        settings = {"DATA_PATH": str(tmp_path / "var"), "APP_KEY": "k" * 40, "DELIVERY_FALLBACK_BACKEND": "outbox"}
        done = CliRunner().invoke(main, ["--config", str(file), *arguments], env={**database, **settings})
        assert "Traceback" not in done.output
        return done.exit_code, done.output

    return run


TABLE = f"""
[spaces."{B}"]
realm = "bees"
quota = 5
"""
OTHER = '[spaces."c.example.org"]'


def test_they_are_shown_and_changed(server, command):
    bob = server.person("bob.builder", domain=B, phone="+33612345678").account
    status, text = command("spaces", "show", tables=TABLE)
    assert status == 0
    assert f"{B}: at host {B}, http://{B}:8080; overrides realm, quota" in text
    assert f'[spaces."{B}"] is in the settings of this server and not in those' in text
    status, text = command("spaces", "apply", "--wait", "0", tables=TABLE)
    assert (status, "1 accounts were changed" in text) == (0, True)
    status, text = command("spaces", "show", tables=OTHER)
    assert f'[spaces."{B}"] is missing in the settings of this server' in text
    status, text = command("accounts", "set-admin", str(bob.id), tables=OTHER)
    assert (status, "flexiapi spaces apply" in text) == (1, True)
    status, text = command("spaces", "apply", "--wait", "0", tables=OTHER)
    assert (status, "1 accounts were changed" in text) == (0, True)


def test_collisions_are_named(server, command):
    command("spaces", "show", tables=TABLE)
    server.person("alice.martin", phone="+33612345678")
    command("accounts", "create-admin", "bob.builder", "--generate", "--domain", B, tables=TABLE)
    bob = server.run(server.store.accounts.by_address("bob.builder", B))
    assert bob.is_admin
    server.run(_with_phone(server, bob))
    status, text = command("spaces", "apply", "--wait", "0")
    assert status == 1
    assert f"tel:+33612345678: sip:bob.builder@{B} and sip:alice.martin@sip.example.org" in text


async def _with_phone(server, bob):
    names = [f"sip:{bob.address}", f"sip:+33612345678@{B}", f"tel:+33612345678;space={B}"]
    change = {"$set": {"phone": "+33612345678", "identifiers": names}}
    await server.store._database["accounts"].update_one({"_id": bob.id}, change)


def test_an_administrator_needs_a_domain_with_a_table(command):
    status, text = command("accounts", "create-admin", "bob.builder", "--generate", "--domain", B)
    assert (status, f'{B} has no table [spaces."{B}"]' in text) == (1, True)


def test_the_domain_of_an_administrator_is_no_password(command):
    arguments = ("accounts", "create-admin", "bob.builder", "--domain", B, "--password", f"{B}1")
    status, text = command(*arguments, tables=TABLE)
    assert (status, "password must not be the username or the domain" in text) == (1, True)


def test_check_explains_them(command):
    status, text = command("check", tables=TABLE + "username_regex = '^[a-z]+$'\nblacklisted_usernames = ['*']")
    assert status == 0
    assert "space         sip.example.org: every other domain" in text
    assert f"space         {B}: at host {B}" in text
    assert f'[spaces."{B}"] is in the settings of this server and not in those that the database' in text
    assert f"warning: [spaces.\"{B}\"] blacklisted_usernames: '*' is not a regular expression" in text


def test_check_says_nothing_without_tables(command):
    assert "space " not in command("check")[1]
