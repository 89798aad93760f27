"""`flexiapi api-keys`: keys of the service, for servers and programs."""

import json

import pytest
from click.testing import CliRunner

from flexiapi.cli import main
from tests.kit.server import shared_by_module
from tests.kit.spaces import B
from tests.kit.watched_log import LOG

server = shared_by_module({"spaces": {B: {"host": "b.test"}}})
TABLE = f'[spaces."{B}"]\nhost = "b.test"'


@pytest.fixture
def command(server, tmp_path):
    """Runs a command on the database of the running server. Returns status, standard output and standard error."""

    def run(*arguments):
        file = tmp_path / "tables.toml"
        file.write_text(TABLE)
        database = {"MONGODB_URI": server.uri, "MONGODB_DATABASE": server.settings.mongodb.database}
        settings = {"DATA_PATH": str(tmp_path / "var"), "APP_KEY": "k" * 40, "DELIVERY_FALLBACK_BACKEND": "outbox"}
        done = CliRunner().invoke(main, ["--config", str(file), "api-keys", *arguments], env={**database, **settings})
        LOG.secrets |= {word for word in done.stdout.split() if word.startswith("fxk_")}
        return done.exit_code, done.stdout, done.stderr

    return run


def test_a_key_is_made_listed_and_revoked(server, command):
    status, out, told = command("create", "--scope", "accounts:read", "--scope", "push", "--idle-days", "9")
    key = out.strip()
    assert (status, key[:4], len(key)) == (0, "fxk_", 44)
    assert "may: push, accounts:read." in told
    headers = {"x-api-key": key}
    assert server.http.get("/api/accounts", headers=headers).status_code == 200
    status, out, _ = command("list", "--json")
    (listed,) = [json.loads(line) for line in out.splitlines()]
    assert (listed["name"], listed["scopes"]) == ("accounts:read, push", ["push", "accounts:read"])
    assert (listed["works"], listed["account_id"], listed["idle_days"]) == (True, None, 9)
    assert key not in out
    status, out, _ = command("list")
    assert "a command" in out
    assert "works" in out
    status, out, _ = command("revoke", str(listed["id"]))
    assert (status, out) == (0, f"The key {listed['id']}, 'accounts:read, push', is revoked.\n")
    assert server.http.get("/api/accounts", headers=headers).status_code == 401


def test_a_key_of_a_domain_is_for_its_service_alone(server, command):
    status, out, told = command("create", "--scope", "accounts:read", "--name", "bee", "--domain", B)
    assert status == 0
    number = told.split("The key ")[1].split(",")[0]
    hosts = {"b.test": 200, "127.0.0.1": 401}
    for host, expected in hosts.items():
        answer = server.http.get("/api/accounts", headers={"Host": host, "x-api-key": out.strip()})
        assert answer.status_code == expected
    assert command("revoke", number)[0] != 0
    assert "bee" in command("list", "--domain", B)[1]
    assert command("revoke", number, "--domain", B)[0] == 0


def test_what_is_wrong_is_told(command):
    assert "Missing option '--scope'" in command("create")[2]
    assert "is not one of" in command("create", "--scope", "root")[2]
    assert "must be 1 to 64 characters" in command("create", "--scope", "push", "--name", "a\nb")[2]
    assert "There is no key 999" in command("revoke", "999")[2]
    assert "is no domain with a service of its own" in command("list", "--domain", "nowhere.example.org")[2]
    assert command("create", "--scope", "push", "--name", "twice")[0] == 0
    assert "name is taken by another key" in command("create", "--scope", "push", "--name", "Twice")[2]


def test_the_help_names_every_scope(command):
    out = command("--help")[1]
    assert all(f"\n    {scope} " in out for scope in ("flexisip", "statistics:write", "push", "accounts:read"))
