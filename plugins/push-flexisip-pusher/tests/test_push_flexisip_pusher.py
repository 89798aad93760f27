import asyncio
import dataclasses
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

import flexiapi_push_flexisip_pusher as module
from flexiapi.plugin import Permanent, PushMessage, RecipientDeferred, Retryable, Unregistered
from flexiapi.testing import RESET, SILENCE, BackendContract, failure_of, reply, run_backend
from flexiapi.testing.profiles import PusherProgram
from flexiapi_push_flexisip_pusher import FlexisipPusher

FCM = PushMessage("fcm", "929724111839", "dA1b:APA91b", {"token": "47\"1' $(100)"})
APPLE = PushMessage("apns.dev", "ABCD1234.org.linphone.phone.remote", "ab" * 32, {"token": "471100"})


class TestPusher(BackendContract):
    group, name = "flexiapi.push", "flexisip-pusher"
    busy = reply(503)
    refused = reply(403, {"error": {"code": 403, "details": [{"errorCode": "SENDER_ID_MISMATCH"}]}})
    gone = reply(404, {"error": {"code": 404, "details": [{"errorCode": "UNREGISTERED"}]}})
    throttled = reply(429, {"error": {"code": 429, "details": [{"reason": "RATE_LIMIT_EXCEEDED"}]}})
    deferred = reply(429, {"error": {"code": 429, "details": [{"errorCode": "QUOTA_EXCEEDED"}]}})

    def gateway(self):
        return PusherProgram(self.data_path)

    def message(self):
        return FCM

    def settings(self, gateway):
        return {"program": gateway.program, "firebase_key_file": "firebase.json", "concurrent": 20}


@pytest.fixture
def pusher(tmp_path):
    return PusherProgram(tmp_path)


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
    assert argv[8:] == ["--key", str(pusher.key), "--debug"]


def test_arguments_for_iphones(pusher, tmp_path):
    send(pusher, APPLE, prefix=tmp_path)
    assert pusher.sends[0]["argv"] == [
        *("--pn-provider", "apns.dev"),
        *("--pn-param", "ABCD1234.org.linphone.phone.remote"),
        *("--pn-prid", "ab" * 32),
        *("--customPayload", '{"token":"471100"}'),
        *("--apple-push-type", "Background"),
        *("--prefix", str(tmp_path)),
        "--debug",
    ]


@pytest.mark.parametrize(
    ("purpose", "services", "kind"),
    [
        ("call", "voip&remote", "PushKit"),
        ("call", "remote", "RemoteWithMutableContent"),
        ("message", "voip&remote", "RemoteWithMutableContent"),
        ("background", "voip&remote", "Background"),
    ],
)
def test_a_call_wakes_an_iphone_by_its_token_for_calls(pusher, purpose, services, kind):
    param = f"ABCD1234.org.linphone.phone.{services}"
    send(pusher, dataclasses.replace(APPLE, param=param, purpose=purpose, call_id="0PqT~VdWxy@192.0.2.7"))
    argv = pusher.sends[0]["argv"]
    assert argv[argv.index("--apple-push-type") + 1] == kind
    assert argv[argv.index("--call-id") + 1] == "0PqT~VdWxy@192.0.2.7"


def test_a_call_id_that_would_be_an_option_is_left_out(pusher):
    send(pusher, dataclasses.replace(FCM, purpose="call", call_id="--key=/tmp/x"))
    assert "--call-id" not in pusher.sends[0]["argv"]


def test_the_key_is_chosen_by_the_number(pusher, tmp_path):
    keys = {"929724111839": tmp_path / "first.json", "118392972411": tmp_path / "second.json"}
    for number in keys:
        send(pusher, dataclasses.replace(FCM, param=number), firebase_key_files=keys)
    assert [run["argv"][-2] for run in pusher.sends] == [str(tmp_path / "first.json"), str(tmp_path / "second.json")]
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
    send(pusher, FCM)
    environ = pusher.sends[0]["environ"]
    assert "s3cret" not in str(environ)
    assert environ["PATH"] == os.environ["PATH"]


def test_the_detailed_log_has_the_message_and_is_not_kept(pusher):
    send(pusher, FCM)
    folder = Path(pusher.sends[0]["environ"]["FS_LOG_DIR"])
    assert not folder.exists()
    assert "--debug" in pusher.sends[0]["argv"]


def test_the_log_of_the_operator_is_without_messages(pusher, tmp_path):
    send(pusher, FCM, log_path=tmp_path)
    log = (tmp_path / "flexisip-pusher.log").read_text()
    assert "1 push notification(s) sent" in log
    assert "47" not in log


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


def test_as_many_run_at_once_as_it_declares(pusher):
    async def all_at_once(backend):
        pusher.answer(SILENCE)
        sending = [asyncio.create_task(backend.send(FCM)) for _ in range(backend.concurrency)]
        await pusher.received(4)
        for task in sending:
            task.cancel()
        await asyncio.wait(sending)

    run(pusher, all_at_once, concurrent=4)


def test_killed_by_another_is_retryable(pusher):
    async def killed(backend):
        pusher.answer(SILENCE)
        sending = asyncio.create_task(backend.send(FCM))
        await pusher.received()
        os.kill(pusher.sends[0]["pid"], 15)
        with pytest.raises(Retryable, match=r"ended by signal 15$"):
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


def failure(pusher, message=FCM, **settings):
    return failure_of(lambda: send(pusher, message, **settings), message.prid, *message.data.values())


@pytest.mark.parametrize(
    ("message", "answer", "kind", "reason"),
    [
        (APPLE, reply(410, {"reason": "Unregistered"}), Unregistered, "was answered 410 (Unregistered)"),
        (APPLE, reply(400, {"reason": "BadDeviceToken"}), Unregistered, "was answered 400 (BadDeviceToken)"),
        (APPLE, reply(403, {"reason": "BadCertificate"}), Permanent, "was answered 403 (BadCertificate)"),
        (APPLE, reply(429, {"reason": "TooManyRequests"}), RecipientDeferred, "was answered 429 (TooManyRequests)"),
        (APPLE, reply(500, {"reason": "InternalServerError"}), Retryable, "was answered 500 (InternalServerError)"),
        (FCM, reply(400, {"error": {"message": FCM.prid}}), Permanent, "was answered 400"),
        (FCM, reply(404, body="<html>"), Permanent, "was answered 404"),
        (FCM, RESET, Retryable, "does not reach Apple or Firebase"),
    ],
)
def test_the_answer_of_the_provider_says_whose_failure_it_is(pusher, message, answer, kind, reason):
    pusher.answer(answer)
    error = failure(pusher, message)
    assert type(error) is kind
    assert error.reason.endswith(reason)


def test_dead_addresses_are_told_from_others(pusher):
    pusher.dead = {FCM.prid, APPLE.prid}
    assert type(failure(pusher, FCM)) is Unregistered
    assert type(failure(pusher, APPLE)) is Unregistered
    send(pusher, dataclasses.replace(FCM, prid="another:device"))
    assert pusher.delivered == {"another:device": 1}


def test_without_details_one_device_that_failed_is_no_outage(pusher, tmp_path):
    pusher.dead = {FCM.prid}
    assert type(failure(pusher, log_path=tmp_path)) is RecipientDeferred
    pusher.answer(RESET)
    assert type(failure(pusher, log_path=tmp_path)) is Retryable


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (2, Permanent, "refuses its arguments: status 2"),
        (255, Permanent, "refuses its arguments: status 255"),
        (126, Retryable, "cannot be run: status 126. Look at `program`"),
        (127, Retryable, "cannot be run: status 127. Look at `program`"),
        (139, Retryable, "ended by signal 11"),
    ],
)
def test_the_exit_status_tells_a_refusal_from_a_broken_program(pusher, status, kind, reason):
    pusher.end_with(status)
    error = failure(pusher)
    assert (type(error), error.reason) == (kind, f"flexisip_pusher {reason}")


def test_addresses_that_make_the_program_abort_are_no_outage(pusher):
    error = failure(pusher, dataclasses.replace(APPLE, prid="abc"))
    assert (type(error), error.reason) == (Permanent, "flexisip_pusher refuses: look at pn_param and pn_prid")
    pusher.apps = ["929724111839"]
    error = failure(pusher, APPLE)
    assert type(error) is Permanent
    assert error.reason.endswith("no certificate or key for this pn_param: look at prefix")
    send(pusher, FCM)


def test_an_address_that_reads_like_an_outage_is_none(pusher):
    named = dataclasses.replace(APPLE, param="std::bad_alloc")
    pusher.program.write_text(
        "#!/bin/sh\nulimit -c 0\n"
        "echo \"terminate called after throwing an instance of 'std::runtime_error'\" >&2\n"
        'echo "  what():  no push notification client for $4" >&2\nkill -ABRT $$\n'
    )
    assert type(failure(pusher, named)) is Permanent


@pytest.mark.parametrize("thrown", ["", "terminate called after throwing an instance of 'std::bad_alloc'"])
def test_a_program_that_aborts_for_itself_is_an_outage(pusher, thrown):
    pusher.program.write_text(f'#!/bin/sh\nulimit -c 0\necho "{thrown}" >&2\nkill -ABRT $$\n')
    error = failure(pusher)
    assert (type(error), error.reason) == (Retryable, "flexisip_pusher ended by signal 6")


def test_output_is_read_to_a_limit_and_its_end_is_looked_at(pusher):
    pusher.program.write_text("#!/bin/sh\nyes x | head -c 3000000\necho\necho ':status = 410'\nexit 1\n")
    assert type(failure(pusher)) is Unregistered
    ended = module.Run([str(pusher.program)], {}).end(60, pusher.program.parent)
    assert len(ended.output) <= 2 * 65536


def test_a_child_of_the_program_that_lives_on_holds_nothing_up(pusher):
    pusher.program.write_text(
        "#!/bin/sh\nsleep 600 &\necho $! > child\n".replace("child", str(pusher.program) + ".child")
    )
    pid = pusher.program.with_suffix(".child")
    try:
        send(pusher, FCM)
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)
