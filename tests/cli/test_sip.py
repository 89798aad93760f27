"""`flexiapi sip`: the commands as an operator runs them, beside a running server."""

import contextlib
import grp
import json
import re
import signal
import sqlite3
import subprocess
import sys

import pytest

from flexiapi.model import Actor, KeyScope
from flexiapi.services.sign_in import NewNamedKey
from tests.kit.changes import add
from tests.kit.sign_in_replica import account, asked
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.long


@pytest.fixture
def replica(tmp_path):
    return tmp_path / "sip" / "auth.sqlite"


@pytest.fixture
def command(tmp_path, mongod_uri, server, replica):
    """Run `flexiapi sip ...` on the server's database with a replica of another host."""
    file = tmp_path / "flexiapi.toml"

    def run(*arguments, lines="", settings=None, check=True):
        file.write_text(
            f"[app]\nkey = '{'k' * 40}'\nurl = 'https://api.example.org'\n"
            f"[mongodb]\nuri = '{mongod_uri}'\ndatabase = '{server.settings.mongodb.database}'\n"
            + (settings or f"[flexisip]\nauth_replica = '{replica}'\n{lines}")
        )
        argv = [sys.executable, "-m", "flexiapi", "--config", file, "sip", *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done

    run.file = file
    return run


def test_rebuild_makes_and_corrects_the_replica(server, command, replica):
    server.person("alice.martin")
    server.person("bob.builder", activated=False)
    assert command("rebuild").stdout == "2 accounts compared, 1 corrected.\n"
    assert asked(replica, "alice.martin")
    assert command("rebuild").stdout == "2 accounts compared, 0 corrected.\n"


def test_rebuild_without_a_replica_says_what_to_set(command):
    done = command("rebuild", settings="\n", check=False)
    assert done.returncode == 1
    assert "FLEXISIP_AUTH_REPLICA" in done.stderr
    assert "Traceback" not in done.stderr


def test_rebuild_of_a_locked_file_says_so(command, replica):
    command("rebuild")
    with contextlib.closing(sqlite3.connect(replica, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = command("rebuild", check=False)
    assert done.returncode == 1
    assert f"{replica} cannot be written now: database is locked. Run the command again." in done.stderr
    assert "Traceback" not in done.stderr


def test_export_writes_what_it_can_and_names_the_rest(server, command, tmp_path):
    server.person("alice.martin", phone="+33612345678")
    server.run(add(server.store, account(0, "bob builder")))
    file = tmp_path / "users.db"
    done = command("export-userdb", file)
    assert "1 accounts written" in done.stdout
    assert "left out: 'bob builder@sip.example.org'" in done.stderr
    wanted = r"version:1\n\nalice\.martin@sip\.example\.org sha256:[0-9a-f]{64} ; alice\.martin \+33612345678\n"
    assert re.fullmatch(wanted, file.read_text())


def test_export_to_a_place_that_is_none_is_one_sentence(command):
    done = command("export-userdb", "/nowhere/users.db", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "flexiapi: /nowhere/users.db cannot be written: No such file or directory.\n"


def test_follow_keeps_a_replica_without_a_server(server, command, replica):
    command("rebuild")
    argv = [sys.executable, "-m", "flexiapi", "--config", command.file, "sip", "follow"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        assert "Following" in process.stderr.readline()
        server.person("alice.martin")
        wait_for(lambda: asked(replica, "alice.martin"))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_doctor_prints_what_flexisip_needs(server, command, replica):
    command("rebuild")
    group = grp.getgrgid(replica.stat().st_gid).gr_name
    done = command("doctor", "--user", "root", lines=f"auth_replica_group = '{group}'\n")
    assert "right replica " in done.stdout
    assert "off   registrar" in done.stdout
    assert f"soci-connection-string=dbname={replica} timeout=5 readonly=true" in done.stdout
    assert done.returncode == 0
    missing = command("doctor", "--user", "no-such-user", check=False)
    assert (missing.returncode, "This host has no user no-such-user." in missing.stderr) == (1, True)


def test_config_prints_the_fragment_of_a_version(command):
    done = command("config", "--flexisip", "2.6.1", "--key", "the-key", "--with", "voicemail")
    assert "[global::flexiapi]\n" in done.stdout
    assert "\nurl=https://api.example.org\napi-key=the-key\n" in done.stdout
    assert "\nvoicemail-server=sip:" in done.stdout
    refused = command("config", "--flexisip", "new", check=False)
    assert (refused.returncode, "new is not a version of Flexisip" in refused.stderr) == (1, True)


def test_doctor_examines_a_file(command, tmp_path):
    file = tmp_path / "flexisip.conf"
    file.write_text("[event-logs]\nenabled=true\nlogger=flexiapi\n")
    done = command("doctor", "--conf", file, check=False)
    assert done.returncode == 1
    assert "on  event log            https://localhost:443/api/stats/\n" in done.stdout
    assert re.search(r"^ERROR    line 1     \[event-logs\] flexiapi-host: is localhost", done.stdout, re.MULTILINE)
    file.write_text("[event-logs]\nenabled=false\n")
    done = command("doctor", "--conf", file, "--flexisip", "2.5", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines == [{"call": name, "release": "2.5", "url": None} for name in ("event log", "domains")]
    missing = command("doctor", "--conf", tmp_path / "none", check=False)
    assert (missing.returncode, "cannot be read: No such file" in missing.stderr) == (1, True)


def test_doctor_asks_the_database_about_the_keys_of_a_file(server, command, tmp_path):
    async def key(name, *scopes):
        new = NewNamedKey(name, scopes, expires_days=1)
        return (await server.services.sign_in.named_keys.make(new, Actor.cli()))[0]

    admin = server.person(admin_since=server.clock.second())
    good, narrow = server.run(key("good", KeyScope.FLEXISIP)), server.run(key("narrow", KeyScope.PUSH))
    file = tmp_path / "flexisip.conf"
    told = {
        good: None,
        narrow: "ERROR    line 3     [global::flexiapi] api-key: the key narrow has not the scope flexisip, so",
        server.person().key: "which is not an active administrator",
        admin.key: "and ends with its next one",
        "unknown": "this server does not know the key",
    }
    for value, text in told.items():
        file.write_text(
            f"[global::flexiapi]\nurl=https://api.example.org\napi-key={value}\n[global]\n"
            "advanced-account-data=flexiapi\n[module::Router]\nenable-call-diversions=true\n"
        )
        done = command("doctor", "--conf", file, check=False)
        assert (text or "0 errors, 0 warnings") in done.stdout
        assert value not in done.stdout
        assert done.returncode == (text is not None and value != admin.key)
    without = "[mongodb]\nuri = 'mongodb://127.0.0.1:9/'\ntimeout_seconds = 1\n"
    assert "The database was not asked" in asked_without(command, file, without)


def asked_without(command, file, settings):
    text = command.file.read_text()
    command.file.write_text(re.sub(r"\[mongodb\][^\[]*", settings, text))
    argv = [sys.executable, "-m", "flexiapi", "--config", command.file, "sip", "doctor", "--conf", file]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def test_export_without_md5_leaves_its_hashes_out(server, command, tmp_path):
    server.run(add(server.store, account(0, "bob.builder")))
    file = tmp_path / "users.db"
    command("export-userdb", file, settings="[account]\nmd5 = false\n")
    assert re.fullmatch(r"version:1\n\nbob\.builder@sip\.example\.org sha256:[0-9a-f]{64} ;\n", file.read_text())
