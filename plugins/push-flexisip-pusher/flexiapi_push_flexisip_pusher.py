"""Push backend that runs Flexisip's own program, flexisip_pusher."""

import asyncio
import json
import os
import re
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired

from pydantic import Field

from flexiapi.plugin import BackendConfig, DataPath, Permanent, PushBackend, PushMessage, Receipt, Retryable

# The variables that the program needs; others may be secrets.
_ENVIRONMENT = ("HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TZ")

# Visible ASCII; a leading dash would make it an option.
_VALUE = re.compile(r"(?!-)[\x21-\x7e]+")

_PUSH_FAILED = 1


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
    log_path: DataPath | None = Field(None, description="folder that the program may log to")
    concurrent: int = Field(10, ge=1, le=1000, description="programs that run at once")
    timeout_seconds: float = Field(30.0, gt=0, description="how long one may run before it is killed, in seconds")


class Run:
    """One run of the program, in a thread, because starting it takes too long for the event loop."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._arguments = arguments
        self._environment = environment
        self._process: Popen[bytes] | None = None
        self._is_abandoned = False
        self._lock = threading.Lock()

    def status(self, seconds: float) -> int:
        """Run and return the exit status, the negative number of a signal. Raises `OSError` and `TimeoutExpired`."""
        # The program may print the message.
        process = Popen(  # noqa: S603 - no shell, and no value can be an option
            self._arguments, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, env=self._environment
        )
        with self._lock:
            self._process = process
            is_abandoned = self._is_abandoned
        if is_abandoned:
            process.kill()
        try:
            return process.wait(seconds)
        except TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def abandon(self) -> None:
        """Kill the program, even if it is only about to start."""
        with self._lock:
            self._is_abandoned = True
            process = self._process
        if process is not None:
            process.kill()


class FlexisipPusher(PushBackend[PusherConfig]):
    """Runs the program once for each notification."""

    Config = PusherConfig
    providers = frozenset({"apns", "apns.dev", "fcm"})

    async def start(self) -> None:
        """Make the thread pool."""
        self._threads = ThreadPoolExecutor(self.config.concurrent, "flexisip_pusher")

    async def send(self, message: PushMessage) -> Receipt:
        """Run the program; its exit status is the number of failed notifications."""
        status = await self._run(self._arguments(message))
        if status == 0:
            return Receipt()
        if status == _PUSH_FAILED or status < 0:
            ending = "ended by signal" if status < 0 else "status"
            raise Retryable(f"flexisip_pusher did not send: {ending} {abs(status)}; it logs why to log_path")
        raise Permanent(f"flexisip_pusher refuses its arguments: status {status}; it logs why to log_path")

    def _arguments(self, message: PushMessage) -> list[str]:
        for name in ("provider", "param", "prid"):
            if not _VALUE.fullmatch(getattr(message, name)):
                raise Permanent(f"pn_{name} is empty, begins with a dash, or has characters that cannot be")
        payload = json.dumps(dict(message.data), separators=(",", ":"))
        arguments = ["--pn-provider", message.provider, "--pn-param", message.param, "--pn-prid", message.prid]
        arguments += ["--customPayload", payload, *self._credentials(message)]
        return arguments if self.config.prefix is None else [*arguments, "--prefix", str(self.config.prefix)]

    def _credentials(self, message: PushMessage) -> list[str]:
        if message.provider != "fcm":
            return ["--apple-push-type", "Background"]
        key = self.config.firebase_key_files.get(message.param, self.config.firebase_key_file)
        if key is None:
            raise Permanent(f"no Firebase project has the number {message.param}: add it to `firebase_key_files`")
        return ["--key", str(key)]

    async def _run(self, arguments: list[str]) -> int:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        if self.config.log_path is not None:
            environment["FS_LOG_DIR"] = str(self.config.log_path)
        run = Run([str(self.config.program), *arguments], environment)
        seconds = self.config.timeout_seconds
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, run.status, seconds)
        except TimeoutExpired:
            raise Retryable(f"flexisip_pusher was killed after {seconds:g} s") from None
        except OSError as error:
            raise Retryable(f"{self.config.program} cannot be run: {error.strerror}. Look at `program`") from None
        except asyncio.CancelledError:
            run.abandon()
            raise

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
