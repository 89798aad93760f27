"""`flexiapi check`: it names what would not work and what is probably not meant so, and makes nothing."""

import json
import re
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from click.testing import CliRunner
from pymongo import MongoClient

from flexiapi.cli import main
from tests.kit.backends import MODULE
from tests.kit.countries import country_file

pytestmark = pytest.mark.long

KEY = "k" * 40


@pytest.fixture
def checked(server, monkeypatch, tmp_path):
    """Runs `check` on the database of a running server with one setting more, and returns status and lines."""
    monkeypatch.chdir(tmp_path)

    def run(**environment):
        database = {"MONGODB_URI": server.uri, "MONGODB_DATABASE": server.settings.mongodb.database}
        settings = {"DATA_PATH": str(tmp_path / "var"), "APP_KEY": KEY, "DELIVERY_FALLBACK_BACKEND": "outbox"}
        own = {"APP_SIP_DOMAIN": "sip.b-telecom.test", "MAIL_FROM_ADDRESS": "accounts@b-telecom.test"}
        done = CliRunner().invoke(main, ["check"], env={**database, **settings, **own, **environment})
        assert "Traceback" not in done.output
        return done.exit_code, done.output

    return run


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_it_tells_whether_reports_of_flexisip_are_kept(checked):
    assert "event log     calls and messages that Flexisip reports are not kept: statistics.days" in checked()[1]
    assert "that Flexisip reports are kept for 30 days\n" in checked(STATISTICS_DAYS="30")[1]


class TestMakesNothing:
    def test_in_an_empty_folder(self, tmp_path):
        done = CliRunner().invoke(main, ["check"], env={"DATA_PATH": str(tmp_path / "var")})
        assert done.exit_code == 0, done.output
        assert re.search(rf"^database +none yet: .*{tmp_path}/var$", done.stdout, re.MULTILINE)
        assert re.search(rf"^key +none yet: .*{tmp_path}/var/application.key$", done.stdout, re.MULTILINE)
        assert everything(tmp_path) == []

    def test_in_a_new_database(self, checked, mongod_uri, tmp_path):
        assert checked(MONGODB_DATABASE="never_made")[0] == 0
        client = MongoClient(mongod_uri)
        assert "never_made" not in client.list_database_names()
        client.close()

    def test_in_a_folder_with_a_database(self, tmp_path):
        environment = {"DATA_PATH": str(tmp_path), "DELIVERY_FALLBACK_BACKEND": "outbox"}
        made = CliRunner().invoke(main, ["accounts", "create-admin", "some.admin", "--generate"], env=environment)
        assert made.exit_code == 0, made.output
        key = (tmp_path / "application.key").read_text()
        done = CliRunner().invoke(main, ["check"], env=environment)
        assert done.exit_code == 0, done.output
        assert re.search(r"^database +answers$", done.stdout, re.MULTILINE)
        assert (tmp_path / "application.key").read_text() == key

    @pytest.mark.parametrize("data", ["/proc/x", "/etc/hostname"])
    def test_a_folder_that_the_first_start_could_not_make(self, checked, data):
        assert "data.path (DATA_PATH)" in checked(DATA_PATH=data, APP_KEY="", MONGODB_DATABASE="never_made")[1]


class TestDatabase:
    def test_another_key_is_told_and_not_kept(self, checked):
        status, said = checked(APP_KEY="x" * 40)
        assert (status, "APP_PREVIOUS_KEYS" in said) == (1, True)
        assert checked(APP_KEY="x" * 40, APP_PREVIOUS_KEYS=KEY)[0] == 0
        assert checked()[0] == 0

    def test_a_key_that_is_gone(self, checked, tmp_path):
        status, said = checked(APP_KEY="")
        assert (status, f"{tmp_path}/var/application.key is missing" in said) == (1, True)

    def test_addresses_that_cannot_become_unique(self, checked, server):
        for name in ("some.body", "some.other"):
            server.person(name, email="one@example.org")
        assert checked()[0] == 0
        status, said = checked(ACCOUNT_EMAIL_UNIQUE="true")
        assert (status, "cannot be switched on" in said) == (1, True)
        assert checked()[0] == 0


class TestWrong:
    """Faults that keep `serve` from starting, and services that do not answer."""

    @pytest.mark.parametrize(
        ("environment", "sentence"),
        [
            ({"SERVER_ADDRESS": "no.host.invalid"}, "server.address (SERVER_ADDRESS): cannot listen on no.host"),
            ({"SERVER_ADDRESS": "192.0.2.1"}, "server.address (SERVER_ADDRESS): cannot listen on 192.0.2.1"),
            ({"SERVER_ADDRESS": "unix:/gone/http.sock", "APP_URL": "https://a.b-telecom.test"}, "/gone is not there"),
            (
                {"SERVER_CERTIFICATE": "/gone", "SERVER_KEY": "/gone"},
                "server.certificate (SERVER_CERTIFICATE): /gone",
            ),
            ({"SERVER_ADDRESS": "a..b"}, "server.address (SERVER_ADDRESS): cannot listen on a..b"),
            (
                {"PANEL_COUNTRY_DATABASE": "/gone.mmdb"},
                "panel.country_database (PANEL_COUNTRY_DATABASE): /gone.mmdb cannot",
            ),
            ({"NOCAPTCHA_SITEKEY": "site"}, "[nocaptcha] needs both"),
            ({"NOCAPTCHA_SECRET": "s3cret"}, "[nocaptcha] needs both"),
            ({"REDIS_HOST": "no.host.invalid"}, "registrar "),
            ({"FLEXISIP_CLI_SOCKET": "/gone/cli"}, "cli socket "),
            ({"APP_LINPHONE_DAEMON_UNIX_PATH": "/gone/daemon"}, "messages "),
            ({"FLEXISIP_AUTH_REPLICA_GROUP": "no-such-group"}, "this host has no group no-such-group"),
        ],
    )
    def test_is_named(self, checked, environment, sentence):
        status, said = checked(**environment)
        assert status == 1
        assert sentence in said
        assert "s3cret" not in said

    def test_a_wrong_url_of_redis_is_not_called_right(self, checked):
        status, said = checked(REDIS_URL="no url")
        assert status == 1
        assert "settings" not in said
        assert "[redis] url is not a Redis URL" in said

    def test_what_answers_and_what_can_be_read_is_right(self, checked, tmp_path):
        def answer():
            connection, _ = listener.accept()
            with connection:
                connection.recv(99)
                connection.sendall(b"Status: Ok\n\nVersion: 1\n")

        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("daemon")
            listener.listen()
            daemon = threading.Thread(target=answer)
            daemon.start()
            countries = str(country_file(tmp_path / "countries.mmdb"))
            status, said = checked(APP_LINPHONE_DAEMON_UNIX_PATH="daemon", PANEL_COUNTRY_DATABASE=countries)
            daemon.join()
        assert status == 0, said
        assert re.search(r"^messages +answers$", said, re.MULTILINE)
        assert re.search(r"^countries +from Test-Country of 20\d\d-\d\d-\d\d$", said, re.MULTILINE)


class TestCertificate:
    def test_its_names_and_its_end_are_told(self, checked, authority):
        files = {"SERVER_CERTIFICATE": str(authority.certificate_file), "SERVER_KEY": str(authority.key_file)}
        status, said = checked(**files)
        assert (status, "warning: " in said) == (0, False), said
        assert re.search(r"^certificate +for localhost, 127\.0\.0\.1, until \d{4}-\d\d-\d\d$", said, re.MULTILINE)
        status, said = checked(**files, APP_URL="http://accounts.b-telecom.test")
        assert status == 0
        assert "warning: links begin with http://accounts.b-telecom.test: app.url (APP_URL) is not https" in said

    def test_one_that_has_expired_is_doubtful(self, checked, tmp_path):
        ended = datetime.now(UTC) - timedelta(days=1)
        issued = trustme.CA().issue_cert("localhost", not_before=ended - timedelta(days=90), not_after=ended)
        issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
        (tmp_path / "both.pem").chmod(0o600)
        status, said = checked(**dict.fromkeys(("SERVER_CERTIFICATE", "SERVER_KEY"), str(tmp_path / "both.pem")))
        assert status == 0
        assert f"warning: the server's certificate has expired on {ended:%Y-%m-%d}" in said


class TestDoubtful:
    """Faults that the server starts with: a warning, and status 0."""

    def test_nothing_by_itself(self, checked):
        status, said = checked()
        assert status == 0
        assert "warning: " not in said

    @pytest.mark.parametrize(
        ("environment", "sentence"),
        [
            ({"ACCOUNT_PROVISIONING_RC_FILE": "/nonexistent"}, "there is no /nonexistent; phones are provisioned"),
            ({"ACCOUNT_BLACKLISTED_USERNAMES": "root,adm[in"}, "'adm[in' is not a regular expression"),
            (
                {"ACCOUNT_EMAIL_UNIQE": "true"},
                "EMAIL_UNIQE is not a setting; did you mean ACCOUNT_EMAIL_UNIQUE?",
            ),
            ({"APP_SIP_DOMAIN": "sip.example.org"}, "[app] sip_domain (APP_SIP_DOMAIN) still names a domain of the ex"),
            ({"MAIL_FROM_ADDRESS": "a@example.net"}, "[mail] from_address (MAIL_FROM_ADDRESS) still names a domain"),
            ({"DATA_PATH": "var"}, "data.path (DATA_PATH) depends on where the server is started"),
        ],
    )
    def test_is_named(self, checked, environment, sentence):
        status, said = checked(**environment)
        assert status == 0
        assert [line for line in said.splitlines() if sentence in line and line.startswith("settings      warning: ")]

    def test_a_template_in_an_unknown_place_is_named(self, checked, tmp_path):
        (tmp_path / "own" / "fr" / "sms").mkdir(parents=True)
        (tmp_path / "own" / "fr" / "sms" / "phone.chnage.txt").write_text("{{ code }}")
        status, said = checked(TEMPLATES_PATH=str(tmp_path / "own"))
        assert status == 0
        assert "templates     all render, in en, fr\n" in said
        assert f"templates     warning: nothing uses {tmp_path}/own/fr/sms/phone.chnage.txt: its place" in said

    def test_an_entry_of_a_catalogue_that_no_page_has_is_named(self, checked, tmp_path):
        (tmp_path / "own" / "de").mkdir(parents=True)
        file = tmp_path / "own" / "de" / "pages.po"
        file.write_text('msgid "Sing in"\nmsgstr "Anmelden"\n')
        status, said = checked(TEMPLATES_PATH=str(tmp_path / "own"))
        assert status == 0
        assert f"templates     warning: {file}: nothing uses the entry 'Sing in'" in said
        file.write_text('msgid "Thank you"\nmsgxtr "Danke"\n')
        status, said = checked(TEMPLATES_PATH=str(tmp_path / "own"))
        assert status == 1
        assert f"{file} cannot be read as catalogue" in said

    def test_a_doubt_of_a_backend_is_told(self, checked, install):
        source = MODULE.replace(
            "    async def close", "    def warnings(self):\n        return ['beware']\n\n    async def close"
        )
        kinds = ("push", "sms", "mail")
        entry_points = (f"[flexiapi.{kind}]\ndoubting = doubting:{kind.capitalize()}\n" for kind in kinds)
        install("flexiapi-doubting", "doubting", "".join(entry_points), source)
        status, said = checked(DELIVERY_FALLBACK_BACKEND="doubting")
        assert status == 0, said
        assert re.search(r"^mail.doubting +warning: beware$", said, re.MULTILINE)

    def test_a_mail_server_that_is_not_there_is_told_with_its_settings(self, checked):
        status, said = checked(MAIL_HOST="127.0.0.1", MAIL_PORT="9")
        assert status == 1
        assert "127.0.0.1:9 cannot be reached" in said
        assert "Look at [mail] host, port, encryption, username and password (MAIL_HOST, MAIL_PORT ...)." in said

    def test_the_server_tells_a_misspelt_variable_too(self):
        environment = {"ACCOUNT_EMAIL_UNIQE": "true", "SERVER_PORT": "0", "DATA_PATH": "/proc/x"}
        done = CliRunner().invoke(main, ["serve"], env=environment)
        assert "variable=ACCOUNT_EMAIL_UNIQE did_you_mean=ACCOUNT_EMAIL_UNIQUE" in done.output


class TestRight:
    def test_all_is_well(self, run):
        done = run("check")
        assert done.exit_code == 0, done.output
        for line in ("settings", "templates", "provisioning", "database", "push.outbox", "sms.outbox", "mail.outbox"):
            assert re.search(rf"^{line} ", done.stdout, re.MULTILINE), line

    def test_while_the_server_runs(self, run, embedded):
        with embedded:
            assert run("check").exit_code == 0

    def test_a_template_that_fails(self, run, tmp_path):
        (tmp_path / "own" / "sms").mkdir(parents=True)
        (tmp_path / "own" / "sms" / "account.recovery.txt").write_text("{{ cdoe }}")
        done = run("check", env={"TEMPLATES_PATH": str(tmp_path / "own")})
        assert done.exit_code == 1
        assert "account.recovery" in done.output

    def test_a_backend_that_could_not_send(self, run, tmp_path):
        (tmp_path / "taken").write_text("")
        broken = json.dumps({"backend": "outbox", "path": str(tmp_path / "taken" / "below")})
        done = run("check", env={"SMS_MAIN": broken})
        assert done.exit_code == 1
        assert re.search(r"^sms.main .*cannot be written", done.stdout, re.MULTILINE)
        assert "push.outbox" in done.stdout

    def test_a_database_that_is_away(self, run):
        done = run("check", env={"MONGODB_URI": "mongodb://127.0.0.1:9/", "MONGODB_TIMEOUT_SECONDS": "0.3"})
        assert done.exit_code == 1
        assert "database" in done.stderr
