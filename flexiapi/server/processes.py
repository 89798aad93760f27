"""Server processes: a single one, or a parent with the socket and the mongod, and children that serve."""

import asyncio
import contextlib
import ctypes
import functools
import gc
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flexiapi.errors import ConfigurationError
from flexiapi.observing import log
from flexiapi.server.application_key import application_key
from flexiapi.server.assembly import build, running
from flexiapi.server.database import mongod_of
from flexiapi.server.http_server import GracefulServer
from flexiapi.server.readiness import Readiness
from flexiapi.settings import Settings, loading
from flexiapi.web.throttle import Throttle, shared_table

_BACKLOG = 1024
_MOST_HEADER_BYTES = 32 * 1024
_DROPPED_BODY_FACTOR = 256
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_POLL_SECONDS = 0.1
_RESTART_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1
_ALLOCATIONS_BETWEEN_COLLECTIONS = 20_000


def listening_socket(settings: Settings) -> socket.socket:
    """Return the socket that all processes accept from. Raises `ConfigurationError` if the address is not available."""
    server = settings.server
    family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((server.address, server.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"Cannot listen on {server.address} port {server.port}: {error.strerror}. "
            "Stop what listens there, or set SERVER_PORT to another port."
        ) from error
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


async def serve_on(
    listener: socket.socket,
    settings: Settings,
    uri: str,
    throttle: Throttle,
    *,
    prepare: bool,
    on_ready: Callable[[], None],
    alone: bool = False,
) -> None:
    """Answer requests until SIGTERM or SIGINT; those under way are answered first.

    `on_ready` is called when nothing closes the process. With `alone` no other server uses the database.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    async with running(settings, uri, throttle=throttle, prepare=prepare, alone=alone) as inside:
        server = GracefulServer(
            inside.application,
            max_body_size=settings.server.max_body_bytes * _DROPPED_BODY_FACTOR,
            max_header_size=_MOST_HEADER_BYTES,
            idle_connection_timeout=75,
            body_timeout=30,
        )
        spare_the_collector()
        server.add_socket(listener)
        announced = asyncio.create_task(_announced(inside.readiness, on_ready))
        await stop.wait()
        announced.cancel()
        await server.finish(inside.drain, settings.server.stop_seconds)


async def _announced(readiness: Readiness, on_ready: Callable[[], None]) -> None:
    await readiness.opened()
    on_ready()


def spare_the_collector() -> None:
    """Exempt the objects of the start from garbage collection, and collect less often: requests make few cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS, 20, 50)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run to the end on uvloop, if it is installed."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(coroutine)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    return factory


def serve(settings: Settings, file: Path | None) -> None:
    """Serve as configured until a signal ends it."""
    began = time.monotonic()
    listener = listening_socket(settings)
    with contextlib.closing(listener), mongod_of(settings, exclusive=True) as uri:
        application_key(settings)
        settings = _on_port(settings, listener.getsockname()[1])
        processes = settings.server.processes or os.cpu_count() or 1
        on_ready = functools.partial(_announce, settings, began)
        # This process holds the folder of an embedded database, so no other server uses it.
        alone = settings.mongodb.is_embedded
        if processes == 1:
            throttle = Throttle(settings.limits.requests_per_minute)
            run(serve_on(listener, settings, uri, throttle, prepare=True, on_ready=on_ready, alone=alone))
        else:
            run(_prepared(settings, uri, alone=alone))
            ServerProcesses(listener, settings, uri, file, processes).supervise(on_ready)
    log.info("stopped")


def _on_port(settings: Settings, port: int) -> Settings:
    """Return the settings with the port in use, if the configured one is 0."""
    if settings.server.port:
        return settings
    app = settings.app.model_copy(update={"url": settings.app.url.replace(":0", f":{port}")})
    server = settings.server.model_copy(update={"port": port})
    return settings.model_copy(update={"app": app, "server": server})


async def _prepared(settings: Settings, uri: str, *, alone: bool) -> None:
    parts = build(settings, uri)
    try:
        await parts.store.prepare(alone=alone, serves=True)
        await parts.services.accounts.removal.heal()
    finally:
        parts.store.close()


class ServerProcesses:
    """Server processes that share a listening socket; one that ends unexpectedly is replaced."""

    def __init__(self, listener: socket.socket, settings: Settings, uri: str, file: Path | None, size: int) -> None:
        self._listener = listener
        self._table = shared_table()
        self._ready_reader, self._ready_writer = os.pipe()
        os.set_blocking(self._ready_reader, False)
        self._file = _snapshot(file)
        self._size = size
        # Values changed by options and free ports; children read all others from the file as it was at the start.
        self._variables = {"MONGODB_URI": uri, "APP_URL": settings.app.url}
        self._children: list[subprocess.Popen[bytes]] = []
        self._start_after = 0.0
        self._is_stopping = False
        self._stop_passed_on = False

    def supervise(self, on_ready: Callable[[], None]) -> None:
        """Keep the children running until a signal, then let them finish; `on_ready` is called when all serve."""
        for number in _SIGNALS:
            signal.signal(number, self._stop)
        waiting_for = self._size
        with _metrics_folder() as metrics:
            environment = {**os.environ, **metrics, **self._variables}
            while self._children or not self._is_stopping:
                self._start_missing(environment)
                if waiting_for > 0 and (waiting_for := waiting_for - self._newly_ready()) <= 0:
                    on_ready()
                time.sleep(_POLL_SECONDS)
                self._pass_stop_on()
                self._remove_ended()

    def _newly_ready(self) -> int:
        """Return how many children have begun to serve since the last call: each writes one byte."""
        try:
            return len(os.read(self._ready_reader, self._size))
        except BlockingIOError:
            return 0

    def _started(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        descriptors = (self._listener.fileno(), self._table, self._ready_writer)
        config = f"/proc/self/fd/{self._file}"
        arguments = [
            sys.executable,
            "-m",
            "flexiapi",
            "--config",
            config,
            "worker",
            *map(str, descriptors),
            str(os.getpid()),
        ]
        return subprocess.Popen(arguments, pass_fds=(*descriptors, self._file), env=environment, start_new_session=True)  # noqa: S603  # ourselves

    def _start_missing(self, environment: Mapping[str, str]) -> None:
        """Start the missing children, but pause after one has ended unexpectedly."""
        if time.monotonic() < self._start_after:
            return
        while len(self._children) < self._size and not self._is_stopping:
            self._children.append(self._started(environment))

    def _pass_stop_on(self) -> None:
        """Pass a signal on once: a second one would cut short children that are stopping."""
        if self._is_stopping and not self._stop_passed_on:
            self._stop_passed_on = True
            for child in self._children:
                child.terminate()

    def _remove_ended(self) -> None:
        for child in [child for child in self._children if child.poll() is not None]:
            self._children.remove(child)
            if not self._is_stopping:
                log.error("server process ended", pid=child.pid, status=child.returncode)
                self._start_after = time.monotonic() + _RESTART_SECONDS

    def _stop(self, _number: int, _frame: object) -> None:
        # A signal may arrive while a child is started that is not in the list yet: the loop tells all children.
        self._is_stopping = True


def _snapshot(file: Path | None) -> int:
    """Return a descriptor of a copy of the settings file: a child that is started later must not read other ones."""
    source = loading.source_of(file)
    descriptor = os.memfd_create("settings")
    with open(descriptor, "wb", closefd=False) as copy:  # it has no path
        copy.write(source.read_bytes() if source is not None else b"")
    return descriptor


def die_with(parent: int) -> None:
    """Make the kernel end this process when its parent has ended for any reason."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)


@contextlib.contextmanager
def _metrics_folder() -> Iterator[dict[str, str]]:
    """Make the folder through which all processes share their metrics."""
    with tempfile.TemporaryDirectory(prefix="flexiapi-figures-") as folder:
        yield {"PROMETHEUS_MULTIPROC_DIR": folder}


def _announce(settings: Settings, began: float) -> None:
    """Log that the server answers, and in development print the next steps."""
    log.info("ready", url=settings.app.url, seconds=round(time.monotonic() - began, 2))
    if settings.app.env == "development":
        sys.stderr.write(_WELCOME.format(url=settings.app.url, path=settings.data.path))
        sys.stderr.flush()


_WELCOME = """
  flexiapi answers at {url}

  API documentation      {url}/api
  first administrator    .venv/bin/flexiapi --config config/development.toml accounts create-admin NAME --api-key
  push, SMS and mail     are written to {path}/outbox.jsonl: nobody receives them
  stop                   Ctrl-C

"""
