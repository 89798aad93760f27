"""check, settings, openapi, and the commands that make administrators; while the server runs and while it does not."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from flexiapi.cli import main
from flexiapi.settings.reference import document

KEY = "no_secret_at_all"


@pytest.fixture
def file(tmp_path):
    """A settings file like that of `make run`, with data of its own."""
    path = tmp_path / "flexiapi.toml"
    path.write_text(
        f"""
        [app]
        env = "development"
        key = "{"k" * 40}"
        [data]
        path = "{tmp_path}/var"
        [server]
        port = 0
        processes = 1
        [delivery]
        fallback_backend = "outbox"
        [log]
        format = "json"
        """
    )
    return path


def run(file, *arguments, **options):
    return CliRunner().invoke(main, ["--config", str(file), *arguments], **options)


class Embedded:
    """A server with an embedded mongod, that may be started and stopped."""

    def __init__(self, file):
        self._command = [sys.executable, "-m", "flexiapi", "--config", str(file), "serve"]
        self._log = file.with_name("log")

    def __enter__(self):
        with self._log.open("w") as log:
            self._process = subprocess.Popen(self._command, stderr=log, env=dict(os.environ))
        until = time.monotonic() + 90
        while time.monotonic() < until and self._process.poll() is None:
            for line in self._log.read_text().splitlines():
                if line.startswith("{") and (event := json.loads(line))["event"] == "ready":
                    self.url = event["url"]
                    return self
            time.sleep(0.1)
        raise AssertionError(self._log.read_text())

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(60) == 0

    def accounts(self, key):
        answer = httpx.get(
            f"{self.url}/api/accounts", headers={"x-api-key": key, "Accept": "application/json"}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        return {account["username"]: account for account in answer.json()["data"]}


class TestAdministrators:
    def test_while_the_server_runs_and_while_it_does_not(self, file):
        before = run(file, "accounts", "create-admin", "first.admin", "--api-key", "--email", "First@example.org")
        assert before.exit_code == 0, before.output
        key = re.search(r"^API key +(\w{40}) ", before.stdout, re.MULTILINE)[1]
        password = re.search(r"^Password +(\w{20})$", before.stdout, re.MULTILINE)[1]
        with Embedded(file) as server:
            assert server.accounts(key)["first.admin"]["email"] == "first@example.org"
            sign_in = {
                "auth": httpx.DigestAuth("first.admin", password),
                "headers": {"From": "sip:first.admin@sip.example.org"},
            }
            assert httpx.get(f"{server.url}/api/accounts/me", timeout=30, **sign_in).json()["admin"] is not None

            typed = run(file, "accounts", "create-admin", "second.admin", input="long-pass-word\nlong-pass-word\n")
            assert typed.exit_code == 0, typed.output
            assert "long-pass-word" not in typed.output
            tester = run(file, "accounts", "create-admin-test")
            assert KEY in tester.stdout
            assert set(server.accounts(KEY)) == {"first.admin", "second.admin", "admin_test"}
            old_id = server.accounts(KEY)["admin_test"]["id"]
        again = run(file, "accounts", "create-admin-test")
        assert again.exit_code == 0, again.output
        with Embedded(file) as server:
            assert server.accounts(KEY)["admin_test"]["id"] != old_id

    def test_set_admin(self, file):
        with Embedded(file) as server:
            run(file, "accounts", "create-admin-test")
            body = {"username": "bob.builder", "password": "correct-horse", "algorithm": "SHA-256", "activated": True}
            headers = {"x-api-key": KEY, "Accept": "application/json"}
            account = httpx.post(f"{server.url}/api/accounts", json=body, headers=headers, timeout=30).json()
            done = run(file, "accounts", "set-admin", str(account["id"]))
            assert done.stdout == f"sip:bob.builder@sip.example.org (id {account['id']}) is an administrator now.\n"
            signer, sender = (
                httpx.DigestAuth("bob.builder", "correct-horse"),
                {"From": f"sip:{done.stdout.split()[0][4:]}"},
            )
            assert httpx.get(f"{server.url}/api/accounts", auth=signer, headers=sender, timeout=30).status_code == 200
        assert run(file, "accounts", "set-admin", str(account["id"])).exit_code == 0
        missing = run(file, "accounts", "set-admin", "999")
        assert (missing.exit_code, missing.stderr) == (1, "flexiapi: There is no account with the id 999.\n")


class TestRefusals:
    """What goes wrong is one sentence on standard error, and status 1."""

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
        assert f"`{email}` is no mail address" in done.stderr

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


class TestCheck:
    def test_all_is_well(self, file):
        done = run(file, "check")
        assert done.exit_code == 0, done.output
        for line in ("settings", "templates", "provisioning", "database", "push.outbox", "sms.outbox", "mail.outbox"):
            assert re.search(rf"^{line} ", done.stdout, re.MULTILINE), line

    def test_while_the_server_runs(self, file):
        with Embedded(file):
            assert run(file, "check").exit_code == 0

    def test_a_template_that_fails(self, file, tmp_path):
        (tmp_path / "own" / "sms").mkdir(parents=True)
        (tmp_path / "own" / "sms" / "account.recovery.txt").write_text("{{ cdoe }}")
        done = run(file, "check", env={"TEMPLATES_PATH": str(tmp_path / "own")})
        assert done.exit_code == 1
        assert "account.recovery" in done.output

    def test_a_backend_that_could_not_send(self, file, tmp_path):
        (tmp_path / "taken").write_text("")
        broken = json.dumps({"backend": "outbox", "path": str(tmp_path / "taken" / "below")})
        done = run(file, "check", env={"SMS_MAIN": broken})
        assert done.exit_code == 1
        assert re.search(r"^sms.main .*cannot be written", done.stdout, re.MULTILINE)
        assert "push.outbox" in done.stdout

    def test_a_database_that_is_away(self, file):
        done = run(file, "check", env={"MONGODB_URI": "mongodb://127.0.0.1:9/", "MONGODB_TIMEOUT_SECONDS": "0.3"})
        assert done.exit_code == 1
        assert "database" in done.stderr


class TestDocuments:
    def test_settings(self, tmp_path):
        assert CliRunner().invoke(main, ["settings"]).stdout == document()
        written = tmp_path / "new.toml"
        assert CliRunner().invoke(main, ["settings", "--output", str(written)]).exit_code == 0
        assert written.read_text() == document()

    def test_settings_overwrite_nothing(self, tmp_path):
        mine = tmp_path / "mine.toml"
        mine.write_text("# mine")
        done = CliRunner().invoke(main, ["settings", "--output", str(mine)])
        assert (done.exit_code, mine.read_text()) == (1, "# mine")
        done = CliRunner().invoke(main, ["settings", "--output", str(tmp_path / "gone" / "new.toml")])
        assert "cannot be written" in done.stderr

    def test_openapi(self, file):
        done = run(file, "openapi", env={"APP_URL": "https://accounts.example.org"})
        described = json.loads(done.stdout)
        assert described["openapi"].startswith("3.1")
        assert described["servers"][0]["url"].startswith("https://accounts.example.org")
        assert "/api/accounts/{id}" in json.dumps(described["paths"]) or "/accounts/{id}" in described["paths"]


def commands(group=main, path=()):
    for name, command in group.commands.items():
        if not command.hidden:
            yield (*path, name), command
            if hasattr(command, "commands"):
                yield from commands(command, (*path, name))


@pytest.mark.parametrize(("path", "command"), [pytest.param(*found, id=" ".join(found[0])) for found in commands()])
def test_every_command_explains_itself(path, command):
    shown = CliRunner().invoke(main, [*path, "--help"])
    assert shown.exit_code == 0
    assert "\\b" not in shown.stdout
    assert len(shown.stdout.splitlines()[2].strip()) > 20
    for parameter in command.params:
        if parameter.param_type_name == "option":
            assert parameter.help, f"{parameter.name} of {path}"


def test_the_module_is_the_command(tmp_path):
    done = subprocess.run([sys.executable, "-m", "flexiapi", "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"flexiapi, version \d+\.\d+\.\d+\n", done.stdout)
    assert Path(sys.executable).with_name("flexiapi").exists()
