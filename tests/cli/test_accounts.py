"""Commands that make administrators, beside a running server and without one; errors of all commands."""

import re

import httpx
import pytest
from click.testing import CliRunner

from flexiapi.cli import main

pytestmark = pytest.mark.long

KEY = "no_secret_at_all"


class TestAdministrators:
    def test_while_the_server_runs_and_while_it_does_not(self, run, embedded):
        before = run("accounts", "create-admin", "first.admin", "--api-key", "--email", "First@example.org")
        assert before.exit_code == 0, before.output
        key = re.search(r"^API key +(\w{40}) ", before.stdout, re.MULTILINE)[1]
        password = re.search(r"^Password +(\w{20})$", before.stdout, re.MULTILINE)[1]
        with embedded as server:
            assert server.accounts(key)["first.admin"]["email"] == "first@example.org"
            sign_in = {
                "auth": httpx.DigestAuth("first.admin", password),
                "headers": {"From": "sip:first.admin@sip.example.org"},
            }
            assert httpx.get(f"{server.url}/api/accounts/me", timeout=30, **sign_in).json()["admin"] is not None

            typed = run("accounts", "create-admin", "second.admin", input="long-pass-word\nlong-pass-word\n")
            assert typed.exit_code == 0, typed.output
            assert "long-pass-word" not in typed.output
            tester = run("accounts", "create-admin-test")
            assert KEY in tester.stdout
            assert set(server.accounts(KEY)) == {"first.admin", "second.admin", "admin_test"}
            old_id = server.accounts(KEY)["admin_test"]["id"]
            guess = {**sign_in, "auth": httpx.DigestAuth("admin_test", KEY)}
            guess["headers"] = {"From": "sip:admin_test@sip.example.org"}
            assert httpx.get(f"{server.url}/api/accounts/me", timeout=30, **guess).status_code == 401
        again = run("accounts", "create-admin-test")
        assert again.exit_code == 0, again.output
        with embedded as server:
            assert server.accounts(KEY)["admin_test"]["id"] != old_id

    def test_set_admin(self, run, embedded):
        with embedded as server:
            run("accounts", "create-admin-test")
            body = {"username": "bob.builder", "password": "correct-horse", "algorithm": "SHA-256", "activated": True}
            headers = {"x-api-key": KEY, "Accept": "application/json"}
            account = httpx.post(f"{server.url}/api/accounts", json=body, headers=headers, timeout=30).json()
            done = run("accounts", "set-admin", str(account["id"]))
            assert done.stdout == f"sip:bob.builder@sip.example.org (id {account['id']}) is an administrator now.\n"
            signer, sender = (
                httpx.DigestAuth("bob.builder", "correct-horse"),
                {"From": f"sip:{done.stdout.split()[0][4:]}"},
            )
            assert httpx.get(f"{server.url}/api/accounts", auth=signer, headers=sender, timeout=30).status_code == 200
        assert run("accounts", "set-admin", str(account["id"])).exit_code == 0
        missing = run("accounts", "set-admin", "999")
        assert (missing.exit_code, missing.stderr) == (1, "flexiapi: There is no account with the id 999.\n")


class TestRefusals:
    """Failures are one sentence on standard error, and status 1."""

    @pytest.fixture
    def command(self, server, monkeypatch):
        monkeypatch.setenv("MONGODB_URI", server.uri)
        monkeypatch.setenv("MONGODB_DATABASE", server.settings.mongodb.database)
        monkeypatch.setenv("APP_KEY", "k" * 40)

        def refused(*arguments):
            done = CliRunner().invoke(main, arguments)
            assert done.exit_code == 1
            assert done.stderr.startswith("flexiapi: ")
            return done.stderr

        return refused

    def test_a_name_and_a_password_that_cannot_be(self, command):
        said = command("accounts", "create-admin", "ab", "--password", "123456")
        assert "username" in said
        assert "at least 6" in said
        assert "password" in said

    def test_the_own_name_and_the_domain_are_no_passwords(self, server, command):
        for password in ("some.admin", "Some.Admin2026", "sip.example.org", "SIP.example.org7"):
            said = command("accounts", "create-admin", "some.admin", "--password", password)
            assert said == "flexiapi: password must not be the username or the domain\n"
        assert server.run(server.store.accounts.by_address("some.admin", "sip.example.org")) is None

    def test_a_name_that_is_taken(self, server, command, alice, admin):
        said = command("accounts", "create-admin", alice.account.username, "--generate")
        assert said == (
            f"flexiapi: username is taken: sip:{alice.sip} has the id {alice.id}; "
            f"`flexiapi accounts set-admin {alice.id}` makes it an administrator\n"
        )
        said = command("accounts", "create-admin", admin.account.username, "--generate")
        assert f"sip:{admin.sip} has the id {admin.id} and is an administrator already" in said

    @pytest.mark.parametrize("email", ["notamail", "a@b@example.org", "", f"{'a' * 60}@example.org"])
    def test_what_is_no_mail_address(self, email):
        done = CliRunner().invoke(main, ["accounts", "create-admin", "some.admin", "--generate", "--email", email])
        assert done.exit_code == 2
        assert f"`{email}` is not a mail address" in done.stderr

    def test_the_test_administrator_outside_of_development(self, command):
        assert "--force" in command("accounts", "create-admin-test")

    def test_another_application_key(self, command, monkeypatch):
        monkeypatch.setenv("APP_KEY", "x" * 40)
        assert "APP_PREVIOUS_KEYS" in command("accounts", "create-admin", "some.admin", "--generate")

    def test_a_database_that_is_away(self, monkeypatch, command):
        monkeypatch.setenv("MONGODB_URI", "mongodb://127.0.0.1:9/")
        monkeypatch.setenv("MONGODB_TIMEOUT_SECONDS", "0.3")
        assert "database" in command("accounts", "create-admin", "some.admin", "--generate")

    def test_a_setting_that_is_wrong(self, monkeypatch, command):
        monkeypatch.setenv("SERVER_PORT", "http")
        assert "[server] port (SERVER_PORT)" in command("check")
