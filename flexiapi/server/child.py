"""A server process that a parent has started."""

import contextlib
import ctypes
import faulthandler
import os
import signal
import socket
import sys

from flexiapi.errors import ConfigurationError
from flexiapi.observing import log
from flexiapi.server.processes import Role, run, serve_on
from flexiapi.server.shares import ConnectionShares
from flexiapi.server.supervision import ALIVE, READY, STATUS_OF_REFUSAL
from flexiapi.settings import Settings
from flexiapi.web.throttle import Throttle

_PR_SET_PDEATHSIG = 1


class ParentPipe:
    """The pipe on which the process tells its parent that it lives."""

    def __init__(self, writer: int, parent: int) -> None:
        self._writer = writer
        self._parent = parent

    def ready(self) -> None:
        """Tell that the process serves."""
        self._tell(READY)

    def alive(self) -> None:
        """Tell that the process does not hang."""
        self._tell(ALIVE)

    def is_orphan(self) -> bool:
        """Return whether the parent has ended."""
        return os.getppid() != self._parent

    def _tell(self, what: bytes) -> None:
        # The pipe of a parent that stands still may be full, and that of one that has ended is closed.
        with contextlib.suppress(OSError):
            os.write(self._writer, what)


def serve(
    listener: socket.socket,
    settings: Settings,
    throttle: Throttle,
    shares: ConnectionShares,
    parent: ParentPipe,
    *,
    prepares: bool,
) -> None:
    """Serve until the parent ends the process. It exits with `STATUS_OF_REFUSAL` if it cannot serve at all."""
    # The parent reloads, by replacing its children. It asks a child that hangs where it does.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    faulthandler.register(signal.SIGUSR1)
    # The siblings go on with the socket, unless it refuses connections already or all end with the parent.
    role = Role(
        prepares=prepares,
        alone=prepares and settings.mongodb.is_embedded,
        shares=shares,
        may_refuse=parent.is_orphan,
        on_begin=parent.alive,
        on_ready=parent.ready,
        on_beat=parent.alive,
    )
    try:
        run(serve_on(listener, settings, settings.mongodb.uri, throttle, role))
    except ConfigurationError as error:
        log.error("the server process refuses to serve", reason=str(error))
        sys.exit(STATUS_OF_REFUSAL)


def die_with(parent: int) -> None:
    """Make the kernel end this process when its parent has ended for any reason."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(1)
