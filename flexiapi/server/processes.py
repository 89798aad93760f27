"""Server processes: a single one, or a parent with the socket and the mongod, and children that serve."""

import asyncio
import contextlib
import faulthandler
import functools
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flexiapi.concurrency.tasks import beside
from flexiapi.errors import ConfigurationError, StoreUnavailable
from flexiapi.observing import log
from flexiapi.server.application_key import application_key
from flexiapi.server.assembly import Running, build, running
from flexiapi.server.database import mongod_of
from flexiapi.server.descriptors import most_connections, raise_limit
from flexiapi.server.entrance import Entrance
from flexiapi.server.http1.limits import HttpLimits
from flexiapi.server.http_server import HttpServer
from flexiapi.server.listening import opened, port_of
from flexiapi.server.readiness import Readiness
from flexiapi.server.shares import ConnectionShares
from flexiapi.server.stopping import (
    MARGIN_SECONDS,
    STOP_SIGNALS,
    end_start_on_signals,
    end_within,
    on_hang_up,
    on_signals,
)
from flexiapi.server.supervision import ServerProcesses
from flexiapi.server.tls import certificate_of, context_of
from flexiapi.server.work import prepare
from flexiapi.settings import Settings, loading
from flexiapi.web.throttle import Throttle

_DROPPED_BODY_FACTOR = 256
_BEAT_SECONDS = 1.0
_ALLOCATIONS_BETWEEN_COLLECTIONS = 20_000


@dataclass(frozen=True, slots=True)
class Role:
    """The place of a process among those that share its socket.

    `prepares` says whether it prepares the database, `alone` whether no other server uses that, and `may_refuse`
    whether it may close the socket to new connections when it stops. `shares` are those of the processes that accept
    from it, `None` for a process that has it alone.
    """

    prepares: bool
    alone: bool
    shares: ConnectionShares | None
    may_refuse: Callable[[], bool]
    on_begin: Callable[[], None]
    on_ready: Callable[[], None]
    on_beat: Callable[[], None]


async def serve_on(listener: socket.socket, settings: Settings, uri: str, throttle: Throttle, role: Role) -> None:
    """Answer requests until SIGTERM or SIGINT; those under way are answered first. Raises `ConfigurationError`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    seconds = settings.server.stop_seconds

    call_off: Callable[[], None] | None = None

    def on_stop() -> None:
        nonlocal call_off
        call_off = call_off or end_within(seconds + MARGIN_SECONDS)
        with contextlib.suppress(RuntimeError):  # the loop has ended: so has the serving
            loop.call_soon_threadsafe(stop.set)

    on_signals(STOP_SIGNALS, on_stop)
    role.on_begin()
    async with (
        beside(_beat(role.on_beat)),
        running(settings, uri, throttle=throttle, prepare=role.prepares, alone=role.alone) as inside,
    ):
        server = HttpServer(
            inside.application,
            HttpLimits(body_bytes=settings.server.max_body_bytes * _DROPPED_BODY_FACTOR),
            Entrance(context_of(settings.server), settings.server.proxy_protocol),
            most_connections=most_connections(settings.server.connections),
            shares=role.shares,
        )
        spare_the_collector()
        server.add_socket(listener)
        async with beside(_announced(inside.readiness, role.on_ready)):
            await _end_of(stop, inside)
        inside.readiness.wait_for("stop", "The server is stopping.")
        await server.finish(inside.drain, seconds, refuses=role.may_refuse())
    if call_off is not None:
        call_off()


async def _end_of(stop: asyncio.Event, inside: Running) -> None:
    """Wait until the process shall stop. Raises `ConfigurationError` if it cannot begin its work."""
    stopped = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({stopped, inside.work}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if inside.work in done:
        inside.work.result()


async def _beat(on_beat: Callable[[], None]) -> None:
    while True:
        on_beat()
        await asyncio.sleep(_BEAT_SECONDS)


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
    """Serve as configured until a signal ends it. After SIGHUP it begins anew with the settings of then."""
    began = time.monotonic()
    end_start_on_signals()
    raise_limit()
    certificate_of(settings.server)
    with opened(settings) as listener, mongod_of(settings, exclusive=True) as uri:
        application_key(settings)
        settings = _on_port(settings, port_of(listener))
        on_ready = functools.partial(_announce, settings, began)
        if (settings.server.processes or os.cpu_count() or 1) == 1:
            begins_anew = _serve_alone(listener, settings, uri, file, on_ready)
        else:
            begins_anew = False
            is_prepared = _prepared(settings, uri)
            ServerProcesses(listener, settings, uri, file, prepare=not is_prepared).supervise(on_ready)
    log.info("stopped")
    if begins_anew:
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # ourselves


def _serve_alone(
    listener: socket.socket, settings: Settings, uri: str, file: Path | None, on_ready: Callable[[], None]
) -> bool:
    """Serve in this process. Return whether to begin anew."""
    throttle = Throttle(settings.limits.requests_per_minute)
    is_reload = False

    def reload() -> None:
        nonlocal is_reload
        try:
            certificate_of(loading.load(file).server)
        except ConfigurationError as error:
            log.error("the settings are not read again", reason=str(error))
            return
        is_reload = True
        log.info("the settings are read again", processes=1)
        os.kill(os.getpid(), signal.SIGTERM)

    def stop() -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def on_beat() -> None:
        # There is no parent that would notice that this process hangs. It ends, for a supervisor to start it anew.
        if settings.server.hang_seconds:
            faulthandler.dump_traceback_later(settings.server.hang_seconds, exit=True)

    # This process holds the folder of an embedded database, so no other server uses it.
    alone = settings.mongodb.is_embedded
    role = Role(
        prepares=True,
        alone=alone,
        shares=None,
        may_refuse=lambda: True,
        on_begin=functools.partial(on_hang_up, reload, stop),
        on_ready=on_ready,
        on_beat=on_beat,
    )
    run(serve_on(listener, settings, uri, throttle, role))
    faulthandler.cancel_dump_traceback_later()
    return is_reload


def _prepared(settings: Settings, uri: str) -> bool:
    """Prepare the database for the children. Return False if it is away: they do so once it answers."""

    async def work() -> None:
        parts = build(settings, uri)
        try:
            await prepare(parts, alone=settings.mongodb.is_embedded)
        finally:
            await parts.store.close()

    try:
        run(work())
    except StoreUnavailable:
        return False
    return True


def _on_port(settings: Settings, port: int) -> Settings:
    """Return the settings with the port in use, if the configured one is 0."""
    if settings.server.port or not port:
        return settings
    app = settings.app.model_copy(update={"url": settings.app.url.replace(":0", f":{port}")})
    server = settings.server.model_copy(update={"port": port})
    return settings.model_copy(update={"app": app, "server": server})


def _announce(settings: Settings, began: float) -> None:
    """Log that the server answers, and in development print the next steps."""
    log.info("ready", url=settings.app.url, seconds=round(time.monotonic() - began, 2))
    if settings.app.env == "development":
        sys.stderr.write(_WELCOME.format(url=settings.app.url, path=settings.data.path))
        sys.stderr.flush()


_WELCOME = """
  flexiapi answers at {url}

  account panel          {url}/
  API documentation      {url}/api
  first administrator    .venv/bin/flexiapi --config config/development.toml accounts create-admin NAME --api-key
  push, SMS and mail     are written to {path}/outbox.jsonl: nobody receives them
  stop                   Ctrl-C

"""
