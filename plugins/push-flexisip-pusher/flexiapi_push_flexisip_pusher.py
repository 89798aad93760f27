"""Push backend that runs Flexisip's own program, flexisip_pusher."""

import asyncio
import json
import os
import re
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from signal import SIGABRT
from subprocess import DEVNULL, PIPE, STDOUT, Popen, TimeoutExpired
from tempfile import TemporaryDirectory

from pydantic import Field

from flexiapi.plugin import (
    BackendConfig,
    DataPath,
    DeliveryError,
    Permanent,
    PushBackend,
    PushMessage,
    Receipt,
    RecipientDeferred,
    Retryable,
    Throttled,
    Unregistered,
)

# The variables that the program needs; others may be secrets.
_ENVIRONMENT = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TZ")

# Visible ASCII; a leading dash would make it an option.
_VALUE = re.compile(r"(?!-)[\x21-\x7e]+")

_PUSH_FAILED = 1
# Of a shell, and of the loader of libraries: the program is not executable, or lacks something.
_BROKEN = (126, 127)
# A script around the program ends with this and the number of the signal that ended the program.
_SIGNALLED = range(129, 193)

# The first and the last bytes of what is printed; the provider's answer comes late.
_KEPT = 65536
_LOOKS_PER_SECOND = 10

_STATUS = re.compile(r"^\s*:status = (\d{3})\s*$", re.MULTILINE)
_REASON = re.compile(r'"(?:reason|errorCode)"\s*:\s*"([A-Za-z_]{1,40})"')
_DEAD = {"BadDeviceToken", "DeviceTokenNotForTopic", "Unregistered", "ExpiredToken", "UNREGISTERED"}
_QUOTA_OF_ALL = {"RATE_LIMIT_EXCEEDED", "TooManyProviderTokenUpdates"}
_UNREACHED = re.compile(
    "Error while (?:connecting to|reading data|writing data)|Certificate verification error|socket error"
    "|after request timeout|stream closed with error|peer has hung up|error while (?:reading|receiving|writt?ing)"
    "|closing connection after receiving GOAWAY|failed to get access token"
)
# With the words before it, which have spaces: the names alone could be part of an address, which may be printed too.
_EXHAUSTED = re.compile("an instance of 'std::(?:bad_alloc|system_error)'")
# What the program throws, each caused by its arguments.
_THROWN = {
    "no push notification client": "it has no certificate or key for this pn_param: look at prefix",
    "service account": "it cannot read the service account: look at firebase_key_file and firebase_key_files",
}


class PusherConfig(BackendConfig):
    """Settings of the program and of its credentials."""

    program: Path = Field(
        Path("/opt/belledonne-communications/bin/flexisip_pusher"), description="the program flexisip_pusher"
    )
    firebase_key_file: DataPath | None = Field(
        None, description="service account (JSON) for every pn_param of fcm that `firebase_key_files` does not name"
    )
    firebase_key_files: dict[str, DataPath] = Field(
        {}, description="service account file of each Firebase project, by its number, which apps send as pn_param"
    )
    prefix: DataPath | None = Field(
        None, description="folder whose folder `apn` has Apple's certificates; unset, the program's own (/etc/flexisip)"
    )
    log_path: DataPath | None = Field(
        None, description="folder that the program logs to; unset, it is asked for details, which are not kept"
    )
    concurrent: int = Field(10, ge=1, le=1000, description="programs that run at once")
    timeout_seconds: float = Field(30.0, gt=0, description="how long one may run before it is killed, in seconds")


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a run: exit status, or the negative number of a signal, and the beginning and end of the output."""

    status: int
    output: str = field(repr=False)


class Run:
    """One run of the program, in a thread, because starting it takes too long for the event loop."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._arguments = arguments
        self._environment = environment
        self._process: Popen[bytes] | None = None
        self._is_abandoned = False
        self._lock = threading.Lock()

    def end(self, seconds: float, log_path: Path, *options: str) -> Ended:
        """Run and return how it ended. Raises `OSError` and `TimeoutExpired`."""
        environment = {**self._environment, "FS_LOG_DIR": str(log_path)}
        process = Popen(  # noqa: S603 - no shell, and no value can be an option
            [*self._arguments, *options], stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, env=environment
        )
        with self._lock:
            self._process = process
            is_abandoned = self._is_abandoned
        if is_abandoned:
            process.kill()
        with process:
            try:
                output = _read(process, time.monotonic() + seconds)
                return Ended(process.wait(), output.decode("utf-8", "replace"))
            except BaseException:
                process.kill()
                raise

    def abandon(self) -> None:
        """Kill the program, even if it is only about to start."""
        with self._lock:
            self._is_abandoned = True
            process = self._process
        if process is not None:
            process.kill()


def _read(process: Popen[bytes], deadline: float) -> bytes:
    """Read what a program prints until it ends, and keep its beginning and its end. Raises `TimeoutExpired`."""
    assert process.stdout is not None
    first, last = b"", b""
    with DefaultSelector() as selector:
        selector.register(process.stdout, EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            # A program that it has started may live on and hold its output open.
            has_ended = process.poll() is not None
            if selector.select(0 if has_ended else min(left, 1 / _LOOKS_PER_SECOND)):
                part = os.read(process.stdout.fileno(), _KEPT)
                if not part:
                    process.wait(left)
                    return first + last
                room = _KEPT - len(first)
                first, last = first + part[:room], (last + part[room:])[-_KEPT:]
            elif has_ended:
                return first + last
    raise TimeoutExpired(process.args, 0)


def failure(ended: Ended) -> DeliveryError:
    """Return what the end of a run without success means: whose failure it is."""
    if ended.status != _PUSH_FAILED:
        return _crash(ended)
    answers = list(_STATUS.finditer(ended.output))
    if answers:
        return _refusal(int(answers[-1][1]), _REASON.findall(ended.output, answers[-1].end()))
    if _UNREACHED.search(ended.output):
        return Retryable("flexisip_pusher does not reach Apple or Firebase")
    return RecipientDeferred("flexisip_pusher did not send; unless `log_path` is set, it is asked why")


def _crash(ended: Ended) -> DeliveryError:
    """Return what it means that the program did not come to the end of its work."""
    status = ended.status
    if status == -SIGABRT and "terminate called" in ended.output and not _EXHAUSTED.search(ended.output):
        # Thrown because of the arguments, which callers of the API choose.
        causes = (cause for words, cause in _THROWN.items() if words in ended.output)
        return Permanent(f"flexisip_pusher refuses: {next(causes, 'look at pn_param and pn_prid')}")
    if status < 0 or status in _SIGNALLED:
        return Retryable(f"flexisip_pusher ended by signal {-status if status < 0 else status - _SIGNALLED.start + 1}")
    if status in _BROKEN:
        return Retryable(f"flexisip_pusher cannot be run: status {status}. Look at `program`")
    return Permanent(f"flexisip_pusher refuses its arguments: status {status}")


def _refusal(status: int, reasons: list[str]) -> DeliveryError:
    """Return what an answer of Apple or Firebase means, of which only names of reasons are told."""
    text = f"flexisip_pusher was answered {status}" + (f" ({reasons[-1]})" if reasons else "")
    if status == HTTPStatus.GONE or _DEAD.intersection(reasons):
        return Unregistered(text)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(text) if _QUOTA_OF_ALL.intersection(reasons) else RecipientDeferred(text)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retryable(text)
    return Permanent(text)


def _apple_type(message: PushMessage) -> str:
    """Return the type of a notification for Apple, which the program would refuse without a token for it."""
    purpose = getattr(message, "purpose", "background")
    if purpose == "call" and "voip" in message.param.rpartition(".")[2].split("&"):
        return "PushKit"
    return "Background" if purpose == "background" else "RemoteWithMutableContent"


class FlexisipPusher(PushBackend[PusherConfig]):
    """Runs the program once for each notification."""

    Config = PusherConfig
    providers = frozenset({"apns", "apns.dev", "fcm"})

    async def start(self) -> None:
        """Make the thread pool."""
        self._threads = ThreadPoolExecutor(self.config.concurrent, "flexisip_pusher")

    def files(self) -> Collection[Path]:
        """Return none: the program reads the keys and certificates in each run."""
        return ()

    @property
    def concurrency(self) -> int:
        """The programs that run at once."""
        return self.config.concurrent

    async def send(self, message: PushMessage) -> Receipt:
        """Run the program; its exit status is the number of failed notifications, and its output says why."""
        ended = await self._run(self._arguments(message))
        if ended.status == 0:
            return Receipt()
        raise failure(ended)

    def _arguments(self, message: PushMessage) -> list[str]:
        for name in ("provider", "param", "prid"):
            if not _VALUE.fullmatch(getattr(message, name)):
                raise Permanent(f"pn_{name} is empty, begins with a dash, or has characters that cannot be")
        payload = json.dumps(dict(message.data), separators=(",", ":"))
        arguments = ["--pn-provider", message.provider, "--pn-param", message.param, "--pn-prid", message.prid]
        arguments += ["--customPayload", payload, *self._credentials(message)]
        # Messages of earlier servers have no purpose.
        if _VALUE.fullmatch(call_id := getattr(message, "call_id", "")):
            arguments += ["--call-id", call_id]
        return arguments if self.config.prefix is None else [*arguments, "--prefix", str(self.config.prefix)]

    def _credentials(self, message: PushMessage) -> list[str]:
        if message.provider != "fcm":
            return ["--apple-push-type", _apple_type(message)]
        key = self.config.firebase_key_files.get(message.param, self.config.firebase_key_file)
        if key is None:
            raise Permanent(f"no Firebase project has the number {message.param}: add it to `firebase_key_files`")
        return ["--key", str(key)]

    async def _run(self, arguments: list[str]) -> Ended:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        run = Run([str(self.config.program), *arguments], environment)
        seconds = self.config.timeout_seconds
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._logged, run, seconds)
        except TimeoutExpired:
            raise Retryable(f"flexisip_pusher was killed after {seconds:g} s") from None
        except OSError as error:
            raise Retryable(f"{self.config.program} cannot be run: {error.strerror}. Look at `program`") from None
        except asyncio.CancelledError:
            run.abandon()
            raise

    def _logged(self, run: Run, seconds: float) -> Ended:
        """Run with a log; a detailed one holds the message, so it is in a folder of this run alone."""
        if self.config.log_path is not None:
            return run.end(seconds, self.config.log_path)
        with TemporaryDirectory(prefix="flexisip-pusher-", ignore_cleanup_errors=True) as folder:
            return run.end(seconds, Path(folder), "--debug")

    async def check(self) -> None:
        """Check that the program, the keys and the certificates exist."""
        await asyncio.to_thread(self._check)

    def _check(self) -> None:
        config = self.config
        if not os.access(config.program, os.X_OK) or not config.program.is_file():
            raise Permanent(f"{config.program} is not an executable program: install Flexisip, or set `program`")
        keys = [key for key in (config.firebase_key_file, *config.firebase_key_files.values()) if key is not None]
        for key in keys:
            if not key.is_file() or not os.access(key, os.R_OK):
                raise Permanent(f"{key} cannot be read: look at firebase_key_file and firebase_key_files")
        if config.prefix is not None and not (config.prefix / "apn").is_dir():
            raise Permanent(f"{config.prefix} has no folder `apn` with Apple's certificates: look at prefix")
        if config.log_path is not None and not os.access(config.log_path, os.W_OK):
            raise Permanent(f"{config.log_path} cannot be written: make the folder, or look at log_path")

    async def close(self) -> None:
        """Start no further programs."""
        self._threads.shutdown(wait=False, cancel_futures=True)
