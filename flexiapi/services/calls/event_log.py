"""The event log: what the SIP server reports about calls, messages and conferences, buffered and written in batches."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from flexiapi.concurrency.tasks import beside
from flexiapi.errors import FieldErrors, ReportsRefused, StoreUnavailable
from flexiapi.model import Scope, SipReport, Space
from flexiapi.observing import log
from flexiapi.services.ground import Ground
from flexiapi.store import FiledReport

GATHERING_SECONDS = 0.5
"""Time in which reports are gathered before they are written together."""

AGAIN_SECONDS = 1.0
"""Time until a batch that could not be written is tried again."""

AT_ONCE = 500
MOST_WAITING = 20_000
"""Weight of the reports that wait: about 20 MB at most."""


class EventLog:
    """The reports of the SIP server. Those of the last second are in memory only, and lost if the process is killed."""

    def __init__(self, ground: Ground) -> None:
        self._reports = ground.store.sip_reports
        self._clock = ground.clock
        self._is_kept = ground.settings.statistics.days > 0
        self._waiting: list[FiledReport] = []
        self._weight = 0
        self._is_away = False
        self._has_failed = False
        self._come = asyncio.Event()
        self._writing = asyncio.Lock()

    async def faults(self, values: Mapping[str, Any], reach: Scope) -> FieldErrors:
        """Return what is wrong with the parties of a call or message: one of them must be in a domain of the reach."""
        sender, receivers = values.get("from"), values.get("to")
        if sender is None or receivers is None:
            return {}
        parties = (sender, *([receivers] if isinstance(receivers, str) else receivers))
        if any(reach.has(one.rpartition("@")[2]) for one in parties):
            return {}
        return {"from": ["from or to must be an address of this service"]}

    def note(self, report: SipReport, space: Space, reach: Scope) -> None:
        """Keep a report about accounts of the reach, to be written within a second.

        Raises `ReportsRefused` while no more can be kept.
        """
        if not self._is_kept:
            return
        if self._is_away or self._reports.refusal:
            raise ReportsRefused
        if self._weight + report.weight > MOST_WAITING:
            raise ReportsRefused
        self._waiting.append(FiledReport(report, space, reach))
        self._weight += report.weight
        self._come.set()

    async def write(self) -> None:
        """Write the reports that wait. What could not be written waits on, unless it was refused twice."""
        async with self._writing:
            while self._waiting:
                await self._write_some()

    async def _write_some(self) -> None:
        batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        try:
            await self._reports.write(batch, self._clock.now())
        except StoreUnavailable:
            self._put_back(batch)
            self._is_away = True
            raise
        except Exception:
            if not self._has_failed:
                self._has_failed = True
                self._put_back(batch)
                raise
            log.error("reports of the SIP server were refused twice and are lost", count=len(batch), exc_info=True)
        except BaseException:
            self._put_back(batch)
            raise
        self._weight -= sum(one.report.weight for one in batch)
        self._is_away = self._has_failed = False

    def _put_back(self, batch: list[FiledReport]) -> None:
        self._waiting = [*batch, *self._waiting]

    @contextlib.asynccontextmanager
    async def written(self, may_work: Callable[[], bool] = lambda: True) -> AsyncIterator[None]:
        """Write what comes in the block, and the rest at its end, while the process may work."""
        try:
            async with beside(self._write_on(may_work)):
                yield
        finally:
            if may_work():
                await self._attempted()
            if self._waiting:
                log.error("reports of the SIP server were not written and are lost", count=len(self._waiting))

    async def _write_on(self, may_work: Callable[[], bool]) -> None:
        while True:
            await self._come.wait()
            self._come.clear()
            await asyncio.sleep(GATHERING_SECONDS)
            while self._waiting:
                if not may_work() or not await self._attempted():
                    await asyncio.sleep(AGAIN_SECONDS)

    async def _attempted(self) -> bool:
        """Write, and return whether all is written. The first of several failures is logged."""
        was_away = self._is_away
        try:
            await self.write()
        except StoreUnavailable as error:
            if not was_away:
                log.warning("reports of the SIP server wait", reason=error.reason, count=len(self._waiting))
        except Exception as error:  # noqa: BLE001  # the next try may succeed, and tells if not
            log.debug("reports of the SIP server are tried again", reason=str(error))
        else:
            return True
        return False
