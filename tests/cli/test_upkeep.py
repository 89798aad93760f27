"""Commands that clear away what is old, while the server runs."""

from datetime import timedelta

import httpx
import pytest
from click.testing import CliRunner

from flexiapi.cli import main
from flexiapi.model import EVERYWHERE, ReportKind, SipReport
from flexiapi.store import FiledReport


@pytest.fixture
def command(server, monkeypatch):
    """Run a `flexiapi` command on the database of the running server."""
    settings = server.settings
    monkeypatch.setenv("MONGODB_URI", server.uri)
    monkeypatch.setenv("MONGODB_DATABASE", settings.mongodb.database)
    monkeypatch.setenv("APP_KEY", "k" * 40)
    monkeypatch.setenv("DATA_PATH", str(settings.data.path))

    def run(*arguments, **options):
        result = CliRunner().invoke(main, arguments, catch_exceptions=False, **options)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def ago(server, **duration):
    return (server.clock.now() - timedelta(**duration)).replace(microsecond=0)


class TestUnconfirmed:
    @pytest.fixture
    def people(self, server, admin):
        old = {"created_at": ago(server, days=31)}
        return {
            "never": server.person("never.active", activated=False, **old),
            "young": server.person("young.one", activated=False, created_at=ago(server, days=29)),
            "shut": server.person("shut.out", activated=False, activated_at=ago(server, days=20), **old),
            "active": server.person("active.one", **old),
            "elsewhere": server.person("else.where", activated=False, domain="other.example.org", **old),
            "boss": server.person("old.boss", admin_since=ago(server, days=31), **old),
        }

    def left(self, server, people):
        return {name for name, person in people.items() if server.account(person.id) is not None}

    def test_they_are_counted_and_removed_only_when_asked(self, server, people, command):
        assert command("accounts", "clear-unconfirmed", "30").startswith("1 accounts would be removed")
        assert self.left(server, people) == set(people)
        assert command("accounts", "clear-unconfirmed", "30", "--apply") == "1 accounts removed.\n"
        assert self.left(server, people) == set(people) - {"never"}

    def test_no_tombstone_and_no_reference_stays(self, server, people, command):
        friend = server.person(contact_ids=(people["never"].id, people["active"].id))
        command("accounts", "clear-unconfirmed", "30", "--apply")
        assert not server.run(server.store.tombstones.has("never.active@sip.example.org"))
        assert server.account(friend.id).contact_ids == (people["active"].id,)

    def test_with_the_confirmed_ones_all_go_but_administrators(self, server, people, command):
        assert command("accounts", "clear-unconfirmed", "30", "--and-confirmed").startswith("3 accounts would")
        command("accounts", "clear-unconfirmed", "30", "--and-confirmed", "--apply")
        assert self.left(server, people) == {"young", "elsewhere", "boss"}

    def test_one_that_is_activated_meanwhile_stays(self, server, people):
        never = server.account(people["never"].id)
        server.set(never.id, activated=True, activated_at=server.clock.second())
        removal = never.remove("activated", "activated_at")
        assert server.run(server.services.accounts.removal.discard(removal, server.actor)) is False
        assert server.account(never.id) is not None


def test_unused_api_keys_are_removed(server, http, alice, admin, command):
    server.later(minutes=-30)
    old = server.person()
    server.later(minutes=30)
    assert command("accounts", "clear-api-keys", "20") == "1 API keys removed.\n"
    assert http.get("/api/accounts/me", headers=old.headers).status_code == 401
    assert http.get("/api/accounts/me", headers=alice.headers).status_code == 200
    assert command("accounts", "clear-api-keys") == "0 API keys removed.\n"


def test_used_nonces_end(server, alice, command):
    auth = httpx.DigestAuth(alice.account.username, alice.password)
    with httpx.Client(base_url=server.url, headers={"From": f"sip:{alice.sip}"}, auth=auth) as client:
        server.later(minutes=-10)
        assert client.get("/api/accounts/me").status_code == 200
        server.later(minutes=10)
        assert command("digest", "clear-nonces", "20") == "0 nonces ended.\n"
        used = client.get("/api/accounts/me")
        assert (used.status_code, len(used.history)) == (200, 0)
        assert command("digest", "clear-nonces", "5") == "1 nonces ended.\n"
        again = httpx.Request("GET", f"{server.url}/api/accounts/me", headers=used.request.headers)
        again.headers["Authorization"] = auth._build_auth_header(again, auth._last_challenge)
        refused = client.send(again, auth=None)
        assert (refused.status_code, refused.json()["message"]) == (401, "Nonce invalid")


def test_tombstones_are_counted_and_removed(server, http, admin, alice, command):
    http.delete(f"/api/accounts/{alice.id}", headers=admin.headers)
    assert command("accounts", "clear-tombstones", "1").startswith("0 tombstones would")
    server.later(days=-2)
    http.delete(f"/api/accounts/{server.person('bob.builder').id}", headers={"x-api-key": server.key_for(admin.id)})
    assert command("accounts", "clear-tombstones", "1", "--apply") == "1 tombstones removed.\n"
    assert not server.run(server.store.tombstones.has("bob.builder@sip.example.org"))
    assert server.run(server.store.tombstones.has(alice.sip))


def test_the_daily_cleaning_does_it_all(server, http, admin, command):
    server.later(days=-40)
    old = server.person("never.active", activated=False)
    http.post("/api/accounts/auth_token")
    server.creation_token()
    http.post("/api/account_creation_request_tokens")
    server.later(days=40)
    counted = command("clean")
    assert "1 unconfirmed accounts would be removed" in counted
    assert server.account(old.id) is not None
    done = command("clean", "--apply")
    assert "1 unconfirmed accounts removed." in done
    assert server.account(old.id) is None

    async def left():
        names = ("creation_tokens", "request_tokens", "auth_tokens")
        return [await server.store._database[name].count_documents({}) for name in names]

    assert server.run(left()) == [0, 0, 0]


def test_every_command_tells_what_it_does():
    for path in (
        ("clean",),
        ("digest", "clear-nonces"),
        *(("accounts", f"clear-{what}") for what in ("api-keys", "tombstones", "unconfirmed")),
        *(("accounts", name) for name in ("seed", "generate-external", "export-to-externals", "import-externals")),
    ):
        text = CliRunner().invoke(main, [*path, "--help"]).output
        assert len(text.splitlines()) > 8, path


def test_whoever_looks_for_apply_is_told_where_there_is_none():
    for path in (("digest", "clear-nonces"), *(("accounts", f"clear-{what}") for what in ("api-keys", "tombstones"))):
        text = CliRunner().invoke(main, [*path, "--help"]).output
        assert "--apply" in text, path


def test_the_variable_for_the_settings_file_is_shown():
    assert "FLEXIAPI_CONFIG" in CliRunner().invoke(main, ["--help"]).output


class TestReports:
    """Calls, messages and conferences that the SIP server reported."""

    @pytest.fixture
    def configure(self):
        return {"statistics": {"days": 30}}

    def test_old_reports_are_counted_and_removed_only_when_asked(self, server, command):
        space, now = server.store.spaces.default, server.clock.now()
        for age in (10, 3):
            filed = [
                FiledReport(SipReport(kind=kind, id=f"old{age}", ended_at=now), space, EVERYWHERE)
                for kind in ReportKind
            ]
            server.run(server.store.sip_reports.write(filed, now - timedelta(days=age)))
        assert command("statistics", "clear", "--days", "5").startswith("3 records would be removed")
        assert command("statistics", "clear", "--days", "5", "--apply") == "3 records removed.\n"
        assert (
            command("statistics", "clear", "--days", "5") == "0 records would be removed; use --apply to remove them.\n"
        )
        assert command("statistics", "clear", "--days", "1", "--apply") == "3 records removed.\n"
