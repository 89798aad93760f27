import signal
import subprocess
import time

import pytest

from flexiapi.testing import RESET, reply
from flexiapi.testing.profiles import PusherProgram

DEVICE = "ab" * 32


@pytest.fixture
def pusher(tmp_path):
    return PusherProgram(tmp_path)


@pytest.fixture
def run(pusher, tmp_path):
    def ran(*options, provider="apns", prid=DEVICE):
        arguments = [pusher.program, "--pn-provider", provider, "--pn-param", "T.org.example", "--pn-prid", prid]
        log = tmp_path / "log"
        log.mkdir(exist_ok=True)
        done = subprocess.run(
            [*arguments, *options], capture_output=True, text=True, env={"FS_LOG_DIR": str(log)}, check=False
        )
        return done, (log / "flexisip-pusher.log").read_text() if (log / "flexisip-pusher.log").exists() else ""

    return ran


def test_the_pusher_ends_with_the_number_of_failures_and_tells_causes_with_debug_only(pusher, run):
    done, log = run()
    assert (done.returncode, pusher.delivered) == (0, {DEVICE: 1})
    assert "1 successfully and 0 failed" in done.stdout
    assert "1 successfully and 0 failed" in log
    pusher.dead = {DEVICE}
    assert "410" not in run()[0].stdout
    done, log = run("--debug")
    assert done.returncode == 1
    assert ":status = 410\n" in done.stdout
    assert ":status = 410\n" in log
    assert pusher.delivered == {DEVICE: 1}


def test_the_pusher_gives_the_answers_of_a_provider(pusher, run):
    pusher.answer(reply(503, {"reason": "Shutdown"}))
    done, _ = run("--debug")
    assert done.returncode == 1
    assert '{"reason": "Shutdown"}' in done.stdout
    pusher.answer(RESET)
    done, _ = run()
    assert done.returncode == 1
    assert "Error while connecting to tls://" in done.stdout


def test_the_pusher_refuses_and_aborts_as_the_program_does(pusher, run):
    assert run("--loud")[0].returncode == 255
    assert run(prid="")[0].returncode == 255
    assert run(provider="fcm")[0].returncode == 2
    done, _ = run(prid="abc")
    assert done.returncode == -signal.SIGABRT
    assert "terminate called after throwing" in done.stderr
    pusher.apps = ["T.org.example.other"]
    assert "no push notification client available" in run()[0].stderr
    pusher.end_with(127)
    assert run()[0].returncode == 127


def test_the_pusher_waits_while_its_provider_stalls(pusher, run):
    began = time.time()
    pusher.stall(0.5)
    assert run()[0].returncode == 0
    assert time.time() >= began + 0.5
