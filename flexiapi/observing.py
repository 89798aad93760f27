"""Logs and metrics: one safe line per event, without secrets, and figures for Prometheus."""

import asyncio
import json
import logging
import os
import re
import sys
import time
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest, multiprocess
from structlog.stdlib import ProcessorFormatter
from structlog.typing import Processor

request_id: ContextVar[str] = ContextVar("request_id", default="")

_LOGGER = "flexiapi"
log = structlog.get_logger(_LOGGER)
_own_logger = logging.getLogger(_LOGGER)

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_PLAIN = re.compile(r"[!#-~]+", re.ASCII)
_SECRET_NAMES = re.compile(r"password|secret|token|api_key|ha1|\bpin\b|confirmation_key|nonce|authorization|cookie")
_MASK = "***"

REQUESTS = Counter("flexiapi_http_requests", "Requests answered", ["method", "route", "status"])
REFUSED = Counter("flexiapi_http_refused", "Requests refused before an endpoint saw them", ["status"])
SECONDS = Histogram(
    "flexiapi_http_request_seconds",
    "Time to answer, in seconds",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)


def configure(level: str = "info", style: str = "text", stream: TextIO | None = None) -> None:
    """Log to `stream` (standard error): records of flexiapi from `level` on, those of libraries from WARNING on."""
    enrich: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request_id,
        _masked,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*enrich, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *enrich],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer() if style == "json" else _as_text,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(_LEVELS[level], logging.WARNING))
    _own_logger.setLevel(_LEVELS[level])


def shows_debug() -> bool:
    """Return whether lines of level debug are written; asking costs less than a line that is not."""
    return _own_logger.isEnabledFor(logging.DEBUG)


def _with_request_id(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if current := request_id.get():
        event.setdefault("request", current)
    return event


def _masked(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if _SECRET_NAMES.search(name):
            event[name] = _MASK
    return event


def _as_text(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    trace = event.pop("exception", None)
    head = f"{event.pop('timestamp')} {event.pop('level'):<7} {_plain(event.pop('event'), spaces=True)}"
    fields = "".join(f" {name}={_plain(value)}" for name, value in event.items())
    return f"{head}{fields}" + (f"\n{trace}" if trace else "")


def _plain(value: object, *, spaces: bool = False) -> str:
    """Return a value that cannot forge a log line: quoted as JSON unless it is plain ASCII."""
    text = str(value)
    return text if _PLAIN.fullmatch(text.replace(" ", "_") if spaces else text) else json.dumps(text)


class AccessLog:
    """One line per request, buffered and written several times a second."""

    def __init__(self, stream: TextIO, style: str) -> None:
        self._stream = stream
        self._style = style
        self._lines: list[str] = []
        self._second = ("", 0.0)
        self._timer: asyncio.TimerHandle | None = None

    def write(self, method: str, route: str, status: int, seconds: float, **who: str) -> None:
        """Log one request; `route` is the template, because paths may carry secrets."""
        if self._style == "json":
            fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1), **who}
            line = json.dumps({"timestamp": self._moment(), "level": "info", "event": "request", **fields})
        else:
            line = f"{self._moment()} info    request {method=!s} {route=!s} {status=} ms={seconds * 1000:.1f}"
            for name, value in who.items():
                if value:
                    line += f" {name}={value}"
        self._lines.append(line)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(0.1, self.flush)

    def _moment(self) -> str:
        """Return the time in UTC, to the millisecond; the part that changes each second is formatted once a second."""
        second, fraction = divmod(time.time(), 1)
        if second != self._second[1]:
            self._second = (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)), second)
        return f"{self._second[0]}.{int(fraction * 1000):03d}Z"

    def flush(self) -> None:
        """Write the buffered lines."""
        self._timer = None
        if self._lines:
            lines, self._lines = self._lines, []
            self._stream.write("\n".join(lines) + "\n")
            self._stream.flush()


def metrics_text() -> bytes:
    """Return the metrics of all server processes in the text format of Prometheus."""
    registry: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no types here
    return generate_latest(registry)
