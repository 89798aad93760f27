"""The parent of several server processes: it starts them, replaces those that end or hang, and stops them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from flexiapi.errors import ConfigurationError
from flexiapi.observing import log
from flexiapi.server.figures_folder import figures_folder
from flexiapi.server.listening import refuse_connections
from flexiapi.server.shares import ConnectionShares, free_slot, shares_table
from flexiapi.server.stopping import MARGIN_SECONDS, STOP_SIGNALS, on_hang_up, on_signals
from flexiapi.server.tls import certificate_of
from flexiapi.settings import Settings, loading
from flexiapi.web.throttle import shared_table

READY, ALIVE = b"r", b"."
"""The byte that a process writes to its parent: once that it serves, and repeatedly that it does not hang."""
STATUS_OF_REFUSAL = 78
"""Exit status of a process that will never serve with these settings and this database."""

_POLL_SECONDS = 0.1
_RESTART_SECONDS = 1.0
_TRACEBACK_SECONDS = 1.0
_STALLED_SECONDS = 2.0
# In which a process must have begun, also on a machine that is busy with other things.
_BEGIN_SECONDS = 120.0


class ServerChild:
    """A server process, and the pipe on which it tells that it lives."""

    def __init__(self, process: "subprocess.Popen[bytes]", reader: int, slot: int = 0) -> None:
        self.process = process
        self.slot = slot
        self.is_ready = False
        self.is_outdated = False
        self.is_told = False
        self.kill_at: float | None = None
        self._reader = reader
        self._has_begun = False
        self._heard_at = time.monotonic()

    def listen(self) -> None:
        """Read what the process has told since the last call."""
        try:
            told = os.read(self._reader, 4096)
        except BlockingIOError:
            return
        if told:
            self._heard_at = time.monotonic()
            self._has_begun = True
            self.is_ready = self.is_ready or READY in told

    def excuse(self) -> None:
        """Start the time anew in which the process must be heard of: the machine stood still."""
        self._heard_at = time.monotonic()

    def hangs(self, seconds: float) -> bool:
        """Return whether nothing was heard for that time, or for two minutes of one that has not begun yet."""
        most = seconds if self._has_begun else max(seconds, _BEGIN_SECONDS)
        return time.monotonic() - self._heard_at > most

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._reader)


class ServerProcesses:
    """Server processes that share a listening socket; one that ends unexpectedly, or hangs, is replaced."""

    def __init__(
        self, listener: socket.socket, settings: Settings, uri: str, file: Path | None, *, prepare: bool
    ) -> None:
        self._listener = listener
        self._table = shared_table()
        self._size = settings.server.processes or os.cpu_count() or 1
        self._shares = shares_table(self._size)
        self._given_file = file
        self._file = _snapshot(file)
        self._certificate = _certificate(settings)
        self._prepare = prepare
        self._hang_seconds = settings.server.hang_seconds
        self._stop_seconds = settings.server.stop_seconds + MARGIN_SECONDS
        # Values changed by options and free ports; children read all others from the file as it was at the start.
        self._variables = {"MONGODB_URI": uri, "APP_URL": settings.app.url}
        self._children: list[ServerChild] = []
        self._start_after = 0.0
        self._polled_at = time.monotonic()
        self._kill_at: float | None = None
        self._is_stopping = False
        self._is_reload_wanted = False
        self._is_refused = False

    def supervise(self, on_ready: Callable[[], None]) -> None:
        """Keep the children running until a signal, then let them finish; `on_ready` is called when all serve.

        Raises `ConfigurationError` if they refuse to serve.
        """
        on_signals(STOP_SIGNALS, self._stop)
        on_hang_up(self._want_reload, self._stop)
        is_told = False
        with figures_folder() as figures:
            environment = {**os.environ, **figures, **self._variables}
            while self._children or not self._is_stopping:
                self._reload()
                self._start_missing(environment)
                time.sleep(_POLL_SECONDS)
                self._listen()
                self._pass_stop_on()
                self._remove_ended()
                if self._all_ready():
                    self._end_outdated()
                    if not is_told:
                        is_told = True
                        on_ready()
        if self._is_refused:
            raise ConfigurationError("The server processes refuse to serve: the lines above say why.")

    def _current(self) -> list[ServerChild]:
        return [child for child in self._children if not child.is_outdated]

    def _all_ready(self) -> bool:
        current = self._current()
        return len(current) == self._size and all(child.is_ready for child in current)

    def _started(self, environment: Mapping[str, str]) -> ServerChild:
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        descriptors = (self._listener.fileno(), self._table, self._shares, writer)
        slot = free_slot({child.slot for child in self._children})
        files = [self._file]
        if self._certificate is not None:
            files.append(self._certificate)
            place = f"/proc/self/fd/{self._certificate}"
            environment = {**environment, "SERVER_CERTIFICATE": place, "SERVER_KEY": place}
        options = ["--prepare"] if self._prepare else []
        arguments = [
            *(sys.executable, "-m", "flexiapi", "--config", f"/proc/self/fd/{self._file}", "worker"),
            *options,
            *map(str, (*descriptors, os.getpid(), slot)),
        ]
        process = subprocess.Popen(  # noqa: S603  # ourselves
            arguments, pass_fds=(*descriptors, *files), env=environment, start_new_session=True
        )
        os.close(writer)
        return ServerChild(process, reader, slot)

    def _start_missing(self, environment: Mapping[str, str]) -> None:
        """Start the missing children, but pause after one has ended unexpectedly."""
        if time.monotonic() < self._start_after:
            return
        while len(self._current()) < self._size and not self._is_stopping:
            self._children.append(self._started(environment))

    def _listen(self) -> None:
        """Hear which children live, and end those that hang."""
        now, before = time.monotonic(), self._polled_at
        self._polled_at = now
        for child in self._children:
            child.listen()
            if now - before > _STALLED_SECONDS:
                child.excuse()
            elif child.kill_at is None and self._hang_seconds and child.hangs(self._hang_seconds):
                log.error("server process hangs and is replaced", pid=child.process.pid, seconds=self._hang_seconds)
                child.process.send_signal(signal.SIGUSR1)
                child.kill_at = now + _TRACEBACK_SECONDS
            if child.kill_at is not None and now >= child.kill_at:
                child.process.kill()

    def _pass_stop_on(self) -> None:
        """Pass a signal on once: a second one would cut short children that are stopping. Kill them when it is time."""
        if not self._is_stopping:
            return
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self._stop_seconds
            refuse_connections(self._listener)
            for child in self._children:
                child.process.terminate()
            # The last child to close it ends the socket, once it has accepted what waits in the queue.
            self._listener.close()
        elif time.monotonic() >= self._kill_at:
            pids = [child.process.pid for child in self._children]
            log.error("server processes did not stop in time and are killed", pids=pids)
            for child in self._children:
                child.process.kill()

    def _remove_ended(self) -> None:
        for child in [child for child in self._children if child.process.poll() is not None]:
            self._children.remove(child)
            child.close()
            # A process that was killed accepts no more, and has not told the others.
            ConnectionShares(self._shares, child.slot).note(None)
            if child.process.returncode == STATUS_OF_REFUSAL:
                self._is_refused = self._is_stopping = True
            elif not self._is_stopping and not child.is_outdated:
                log.error("server process ended", pid=child.process.pid, status=child.process.returncode)
                self._start_after = time.monotonic() + _RESTART_SECONDS

    def _reload(self) -> None:
        """Let children with the settings of now take the place of the present ones, if that is wanted."""
        if not self._is_reload_wanted or self._is_stopping:
            return
        self._is_reload_wanted = False
        try:
            certificate = _certificate(loading.load(self._given_file))
            file = _snapshot(self._given_file)
        except (ConfigurationError, OSError) as error:
            log.error("the settings are not read again", reason=str(error))
            return
        for former in (self._file, self._certificate):
            if former is not None:
                os.close(former)
        self._file, self._certificate = file, certificate
        for child in self._children:
            child.is_outdated = True
        log.info("the settings are read again", processes=self._size)

    def _end_outdated(self) -> None:
        """Let the outdated children finish: the present ones serve."""
        for child in self._children:
            if child.is_outdated and not child.is_told:
                child.is_told = True
                child.process.terminate()

    def _want_reload(self) -> None:
        self._is_reload_wanted = True

    def _stop(self) -> None:
        # A signal may arrive while a child is started that is not in the list yet: the loop tells all children.
        self._is_stopping = True


def _certificate(settings: Settings) -> int | None:
    """Return a descriptor of a copy of certificate and key: a child that is started later must not read broken ones.

    Raises `ConfigurationError`.
    """
    certificate = certificate_of(settings.server)
    return None if certificate is None else certificate.copied()


def _snapshot(file: Path | None) -> int:
    """Return a descriptor of a copy of the settings file: a child that is started later must not read other ones."""
    source = loading.source_of(file)
    descriptor = os.memfd_create("settings")
    with open(descriptor, "wb", closefd=False) as copy:  # it has no path
        copy.write(source.read_bytes() if source is not None else b"")
    return descriptor
