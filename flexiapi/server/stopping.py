"""The end of a server process: signals, and the time after which it ends whatever it does."""

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from flexiapi.observing import log

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
MARGIN_SECONDS = 5.0
"""Time after `server.stop_seconds` in which a process closes its connections."""


_last_acts: list[Callable[[], None]] = []


def at_forced_end(act: Callable[[], None]) -> None:
    """Have something done before the process is ended by `end_within`."""
    _last_acts.append(act)


def on_signals(numbers: tuple[signal.Signals, ...], call: Callable[[], None]) -> None:
    """Call when a signal arrives, also while the event loop stands still in Python code or in a system call."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        call()

    for number in numbers:
        signal.signal(number, handle)


def end_start_on_signals() -> None:
    """Let a signal end the process in good order until it serves, also as the first process of a container."""

    def end() -> None:
        raise SystemExit(0)

    on_signals(STOP_SIGNALS, end)
    on_hang_up(_nothing, end)


def _nothing() -> None:
    """Do nothing: there are no old settings yet."""


def end_within(seconds: float) -> Callable[[], None]:
    """End the process after that time if it has not ended by itself. Return the function that calls this off."""

    def give_up() -> None:
        log.error("the process did not stop in time and ends now", seconds=seconds)
        for act in _last_acts:
            act()
        os._exit(1)

    def call_off() -> None:
        timer.cancel()
        faulthandler.cancel_dump_traceback_later()

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    # A call that never gives Python's lock back stops that thread too, but not this one.
    faulthandler.dump_traceback_later(seconds + 1, exit=True)
    return call_off


def on_hang_up(reload: Callable[[], None], stop: Callable[[], None]) -> None:
    """Reload on SIGHUP, or stop if a terminal was closed. With `nohup` it stays ignored."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return
    has_terminal = sys.stderr is not None and sys.stderr.isatty()
    on_signals((signal.SIGHUP,), stop if has_terminal else reload)
