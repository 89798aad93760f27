"""Names that scripts rely on: variables above the file of `make run`, commands beside it, signals to make."""

import re
import signal
import subprocess
import sys
import time

import httpx
import pytest

from tests.kit.checkout import ROOT, environment
from tests.kit.ports import free_port

pytestmark = pytest.mark.long


class MadeToRun:
    """A server of `make run` in a folder that looks like the checkout, with one variable of each table."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "config").symlink_to(ROOT / "config")
        (folder / ".venv").symlink_to(sys.prefix)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = environment(
            SERVER_PORT=str(self.port),
            DATA_PATH=str(folder / "data"),
            APP_SIP_DOMAIN="sip.example.net",
            LIMITS_ANONYMOUS_TOKENS_PER_MINUTE="1",
            LIMITS_WRONG_CODES_PER_HOUR="2",
            ACCOUNT_REALM="realm.example.net",
        )

    def start(self):
        # What is installed here is what make would install.
        command = ["make", "--file", str(ROOT / "Makefile"), "--old-file", ".venv/.installed", "run"]
        with self.log.open("w") as log:
            self.make = subprocess.Popen(command, cwd=self.folder, env=self.variables, stdout=log, stderr=log)
        until = time.monotonic() + 90
        while time.monotonic() < until and self.make.poll() is None:
            try:
                httpx.get(f"{self.url}/api/ping", timeout=30)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return self
        raise AssertionError(self.log.read_text())

    @property
    def log(self):
        return self.folder / "log"

    def command(self, *arguments):
        command = [str(self.folder / ".venv" / "bin" / "flexiapi"), *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self):
        self.make.send_signal(signal.SIGTERM)
        return self.make.wait(120)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    running = MadeToRun(tmp_path_factory.mktemp("made")).start()
    yield running
    if running.make.poll() is None:
        running.stop()


def test_variables_stand_above_the_file_of_make_run(made):
    assert (made.folder / "data" / "application.key").exists()
    # The file says 1000.
    answers = [httpx.post(f"{made.url}/api/account_creation_request_tokens", timeout=30) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 429]


def test_wrong_codes_are_limited_by_the_name_that_operators_know(made):
    answers = [httpx.get(f"{made.url}/provisioning/wrongtoken{number:03}", timeout=30) for number in range(3)]
    assert [answer.status_code == 429 for answer in answers] == [False, False, True]


def test_commands_without_a_file_work_on_the_running_server(made):
    said = made.command("accounts", "create-admin", "the.admin", "--api-key")
    headers = {"x-api-key": re.search(r"^API key +(\w{40})", said, re.MULTILINE)[1]}
    (account,) = httpx.get(f"{made.url}/api/accounts", headers=headers, timeout=30).json()["data"]
    assert (account["username"], account["domain"]) == ("the.admin", "sip.example.net")
    me = httpx.get(f"{made.url}/api/accounts/me", headers={"From": "sip:the.admin@sip.example.net"}, timeout=30)
    assert 'realm="realm.example.net"' in me.headers["www-authenticate"]


def test_sigterm_to_make_stops_the_server_in_good_order(made):
    assert made.make.poll() is None
    # make ends by the signal, after the server has ended.
    assert made.stop() in (-signal.SIGTERM, 0, 2)
    assert re.search(r" info +stopped$", made.log.read_text(), re.MULTILINE)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{made.url}/api/ping")
