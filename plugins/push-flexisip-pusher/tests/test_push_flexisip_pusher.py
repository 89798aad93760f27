import asyncio
import dataclasses
import json
import os
import signal
import subprocess
import sys

import pytest

import flexiapi_push_flexisip_pusher as module
from flexiapi.plugin import Permanent, PushMessage, Retryable
from flexiapi.testing import SILENCE, BackendContract, Reply, reply, run_backend
from flexiapi_push_flexisip_pusher import FlexisipPusher

FCM = PushMessage("fcm", "929724111839", "dA1b:APA91b", {"token": "47\"1' $(100)"})
APPLE = PushMessage("apns.dev", "ABCD1234.org.linphone.phone.remote", "ab" * 32, {"token": "471100"})

# An executable of our own that takes its arguments as the real program does, and ends with the status that it finds.
PROGRAM = """#!{python} -S
import json, os, sys, time
folder = {folder!r}
taken = {{"argv": sys.argv[1:], "environ": dict(os.environ), "pid": os.getpid(), "began": time.monotonic()}}
print("the program prints", sys.argv)
name = os.path.join(folder, "run-%d" % os.getpid())
with open(name + ".part", "w") as file:
    json.dump(taken, file)
os.rename(name + ".part", name)
status, delay = json.load(open(os.path.join(folder, "answer")))
time.sleep(delay)
sys.exit(status)
"""


class Pusher:
    """The program's double; in an outage its pushes fail."""

    default = Reply(status=0)

    def __init__(self, folder):
        self.folder = folder
        self.program = folder / "flexisip_pusher"
        self.program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
        self.program.chmod(0o755)
        self.key = folder / "firebase.json"
        self.key.write_text("{}")
        self.answer(self.default)

    def answer(self, answer):
        delay = 600 if answer.fault == "silence" else answer.delay
        part = self.folder / "answer.part"
        part.write_text(json.dumps([answer.status, delay]))
        part.rename(self.folder / "answer")

    @property
    def sends(self):
        runs = [json.loads(path.read_text()) for path in self.folder.glob("run-*") if path.suffix != ".part"]
        return sorted(runs, key=lambda run: run["began"])

    async def received(self, count=1):
        while len(self.sends) < count:  # noqa: ASYNC110 - it is another process that runs
            await asyncio.sleep(0.01)

    def start(self):
        self.answer(self.default)

    def stop(self):
        self.answer(reply(1))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


class TestPusher(BackendContract):
    group, name = "flexiapi.push", "flexisip-pusher"
    busy, refused, gone = reply(1), reply(2), None

    def gateway(self):
        return Pusher(self.data_path)

    def message(self):
        return FCM

    def settings(self, gateway):
        return {"program": gateway.program, "firebase_key_file": "firebase.json", "concurrent": 20}


@pytest.fixture
def pusher(tmp_path):
    return Pusher(tmp_path)


def run(pusher, use, **settings):
    options = {"program": pusher.program, "firebase_key_file": pusher.key, **settings}
    return run_backend(FlexisipPusher(FlexisipPusher.Config.model_validate(options)), use)


def send(pusher, *messages, **settings):
    async def all_at_once(backend):
        return await asyncio.gather(*(backend.send(message) for message in messages), return_exceptions=True)

    for outcome in run(pusher, all_at_once, **settings):
        if isinstance(outcome, Exception):
            raise outcome


def test_arguments_for_android(pusher):
    send(pusher, FCM)
    argv = pusher.sends[0]["argv"]
    assert argv[:6] == ["--pn-provider", "fcm", "--pn-param", "929724111839", "--pn-prid", "dA1b:APA91b"]
    assert argv[6] == "--customPayload"
    assert json.loads(argv[7]) == FCM.data
    assert argv[8:] == ["--key", str(pusher.key)]


def test_arguments_for_iphones(pusher, tmp_path):
    send(pusher, APPLE, prefix=tmp_path)
    assert pusher.sends[0]["argv"] == [
        *("--pn-provider", "apns.dev"),
        *("--pn-param", "ABCD1234.org.linphone.phone.remote"),
        *("--pn-prid", "ab" * 32),
        *("--customPayload", '{"token":"471100"}'),
        *("--apple-push-type", "Background"),
        *("--prefix", str(tmp_path)),
    ]


def test_the_key_is_chosen_by_the_number(pusher, tmp_path):
    keys = {"929724111839": tmp_path / "first.json", "118392972411": tmp_path / "second.json"}
    for number in keys:
        send(pusher, dataclasses.replace(FCM, param=number), firebase_key_files=keys)
    assert [run["argv"][-1] for run in pusher.sends] == [str(tmp_path / "first.json"), str(tmp_path / "second.json")]
    with pytest.raises(Permanent, match="no Firebase project has the number 555: add it"):
        send(pusher, dataclasses.replace(FCM, param="555"), firebase_key_files=keys, firebase_key_file=None)


@pytest.mark.parametrize("value", ["-h", "--prefix", "--key=/tmp/x", "", "a b", "a\nb", "a\0b", "é", " --key"])
@pytest.mark.parametrize("name", ["provider", "param", "prid"])
def test_values_never_become_options(pusher, name, value):
    with pytest.raises(Permanent, match=f"pn_{name} is empty, begins with a dash"):
        send(pusher, dataclasses.replace(FCM, **{name: value}))
    assert not pusher.sends


def test_the_environment_has_no_secrets(pusher, tmp_path, monkeypatch):
    monkeypatch.setenv("MONGODB_URI", "mongodb://flexiapi:s3cret@db.example.org")
    send(pusher, FCM, log_path=tmp_path)
    environ = pusher.sends[0]["environ"]
    assert "s3cret" not in str(environ)
    assert environ["FS_LOG_DIR"] == str(tmp_path)
    assert environ["PATH"] == os.environ["PATH"]


def test_nothing_is_printed(pusher, capfd):
    send(pusher, FCM)
    assert capfd.readouterr() == ("", "")


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_one_that_does_not_end_is_killed(pusher, monkeypatch):
    started = []

    def start(*arguments, **options):
        started.append(subprocess.Popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(module, "Popen", start)
    pusher.answer(SILENCE)
    with pytest.raises(Retryable, match="was killed after 1 s"):
        send(pusher, FCM, timeout_seconds=1)
    assert [process.returncode for process in started] == [-signal.SIGKILL]


def test_one_whose_caller_left_is_killed(pusher):
    async def leave(backend):
        pusher.answer(SILENCE)
        sending = asyncio.create_task(backend.send(FCM))
        await pusher.received()
        sending.cancel()
        await asyncio.wait([sending])
        assert sending.cancelled()
        while not gone(pusher.sends[0]["pid"]):  # noqa: ASYNC110 - it is another process that ends
            await asyncio.sleep(0.01)

    run(pusher, leave)


def test_no_more_at_once_than_set(pusher):
    pusher.answer(Reply(status=0, delay=0.3))
    send(pusher, *[FCM] * 4, concurrent=2)
    began = [run["began"] for run in pusher.sends]
    assert len(began) == 4
    assert began[2] >= began[0] + 0.3


def test_killed_by_another_is_retryable(pusher):
    async def killed(backend):
        pusher.answer(SILENCE)
        sending = asyncio.create_task(backend.send(FCM))
        await pusher.received()
        os.kill(pusher.sends[0]["pid"], 15)
        with pytest.raises(Retryable, match="ended by signal 15"):
            await sending

    run(pusher, killed)


def test_a_program_that_cannot_be_run(pusher, tmp_path):
    with pytest.raises(Retryable, match=r"cannot be run: No such file or directory\. Look at `program`"):
        send(pusher, FCM, program=tmp_path / "missing")
    pusher.program.chmod(0o644)
    with pytest.raises(Retryable, match="cannot be run: Permission denied"):
        send(pusher, FCM)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"program": "/missing"}, "install Flexisip, or set `program`"),
        ({"firebase_key_file": "/missing"}, "look at firebase_key_file"),
        ({"firebase_key_files": {"1": "/missing"}}, "look at firebase_key_file"),
        ({"prefix": "/missing"}, "no folder `apn`"),
        ({"log_path": "/missing"}, "make the folder"),
    ],
)
def test_check_says_what_to_fix(pusher, settings, reason):
    with pytest.raises(Permanent, match=reason):
        run(pusher, lambda backend: backend.check(), **settings)
    assert not pusher.sends
