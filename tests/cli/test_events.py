"""`flexiapi events`: the last ones, those after a number, filters, JSON, and following."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.kit.waiting import wait_for

pytestmark = pytest.mark.long


@pytest.fixture
def installation(serve):
    """A running server with an administrator, whom a command made."""
    server = serve()
    server.admin_key()
    return server


def lines(text):
    return text.splitlines()


def test_the_changes_of_a_command_are_shown_with_its_actor(installation):
    first, second = lines(installation.command("events"))
    assert first.split()[3:9] == ["account.created", "account", "1", "the.admin@sip.example.org", "by", "cli"]
    assert first.endswith("role granted")
    assert second.split()[3:9] == ["account.api_key_created", "account", "1", "the.admin@sip.example.org", "by", "cli"]
    assert second.endswith("(api_key)")
    assert [line.split()[0] for line in (first, second)] == ["1", "2"]


def test_events_are_chosen_and_given_as_json(installation):
    assert lines(installation.command("events", "-n", "1")) == lines(installation.command("events"))[1:]
    assert len(lines(installation.command("events", "--name", "account.cr*"))) == 1
    assert installation.command("events", "--account", "2") == ""
    assert installation.command("events", "--actor", "system") == ""
    (line,) = lines(installation.command("events", "--after", "1", "--json"))
    shown = json.loads(line)
    assert (shown["number"], shown["subject"], shown["details"]["fields"]) == (2, 1, ["api_key"])
    assert shown["actor"] == {
        "kind": "cli",
        "account_id": None,
        "key_id": None,
        "sign_in": None,
        "address": "",
        "user_agent": "",
    }


def test_a_wrong_actor_and_a_number_that_does_not_exist_are_told(installation):
    def failed(*arguments):
        command = [sys.executable, "-m", "flexiapi", "events", *arguments]
        return subprocess.run(command, env=installation.environment, capture_output=True, text=True, check=False)

    wrong = failed("--actor", "nobody")
    assert wrong.returncode == 2
    told = " ".join(wrong.stderr.split())
    assert "is neither the id of an account, nor key:ID, nor one of account, key, anonymous, cli, system" in told
    far = failed("--after", "99")
    text = "the last event is number 2, not 99: the database was restored or replaced"
    assert (far.stdout, far.stderr) == ("", f"flexiapi: events are missing here: {text}.\n")
    assert far.returncode == 3
    assert failed("--actor", "9" * 30).returncode == 2


def test_new_events_are_followed_until_ctrl_c(installation, tmp_path):
    output = tmp_path / "followed"
    with output.open("w") as file:
        command = [sys.executable, "-m", "flexiapi", "events", "--follow", "-n", "0", "--name", "account.*"]
        environment = {**installation.environment, "PYTHONUNBUFFERED": "1"}
        follower = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.PIPE)
    try:
        number = 0

        def is_shown():
            nonlocal number
            if not output.read_text():
                number += 1
                installation.command("accounts", "create-admin", f"another.{number}", "--generate")
            return output.read_text()

        wait_for(is_shown, 90)
        assert "account.created" in output.read_text()
        follower.send_signal(signal.SIGINT)
        assert follower.wait(60) == 0
        assert b"Traceback" not in follower.stderr.read()
    finally:
        follower.stderr.close()
        if follower.poll() is None:
            os.kill(follower.pid, signal.SIGKILL)
            follower.wait()
