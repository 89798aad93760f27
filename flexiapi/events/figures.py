"""Prometheus metrics of events: how many wait at each station, and for how long."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from prometheus_client import Gauge

from flexiapi.concurrency.tasks import attempted, beside
from flexiapi.store.journal import Journal

SECONDS = 15.0

_STATIONS = (
    "pending: in the document that changed; unnumbered: moved, without a number; announced: of a change under way"
)

waiting = Gauge(
    "flexiapi_events_waiting", f"Events by station ({_STATIONS})", ["station"], multiprocess_mode="mostrecent"
)
waiting_seconds = Gauge(
    "flexiapi_events_waiting_seconds",
    "Age of the oldest event of a station, in seconds",
    ["station"],
    multiprocess_mode="mostrecent",
)
last_number = Gauge("flexiapi_events_last_number", "Number of the newest event", multiprocess_mode="mostrecent")
reader_lag = Gauge(
    "flexiapi_events_reader_lag",
    "Events that a reader of this host has yet to read",
    ["reader"],
    multiprocess_mode="mostrecent",
)
read_up_to: dict[str, int] = {}
"""The number of the last event that each reader in this process has used."""


class EventFigures:
    """The metrics, which each process measures for itself, so that none shows what another one measured once."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Measure now and then in the block."""
        async with beside(self._measure_for_ever()):
            yield

    async def _measure_for_ever(self) -> None:
        while True:
            await attempted(self.measure(), "events not counted")
            await asyncio.sleep(SECONDS)

    async def measure(self) -> None:
        """Set the metrics."""
        journal, now = self._journal, datetime.now(UTC)
        stations = {
            "pending": await journal.pending.counts(),
            "unnumbered": await journal.events.counts(),
            "announced": await journal.announcements.counts(),
        }
        for station, (count, oldest) in stations.items():
            waiting.labels(station).set(count)
            waiting_seconds.labels(station).set(0 if oldest is None else max(0, (now - oldest).total_seconds()))
        last = await journal.events.numbers.last()
        last_number.set(last)
        for reader, number in read_up_to.items():
            reader_lag.labels(reader).set(max(0, last - number))
