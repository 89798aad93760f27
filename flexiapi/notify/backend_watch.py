"""The watch over backends while the server runs: their files, and the credit at their providers."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from flexiapi.concurrency.tasks import attempted, beside
from flexiapi.notify import figures
from flexiapi.notify.origin import told
from flexiapi.notify.outlet import Outlet
from flexiapi.observing import log

SECONDS = 15.0
_CREDIT_SECONDS = 600.0


class BackendWatch:
    """The look after backends, every `SECONDS`."""

    def __init__(self, outlets: Sequence[Outlet[Any]]) -> None:
        self._outlets = outlets
        self._failing: set[str] = set()
        self._asked_at = float("-inf")

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Look after the backends beside the block."""
        async with beside(self._keep_for_ever()):
            yield

    async def _keep_for_ever(self) -> None:
        while True:
            await attempted(self.look(), "backends not looked after")
            await asyncio.sleep(SECONDS)

    async def look(self) -> None:
        """Renew the backends whose files have changed, and ask for credit from time to time."""
        await asyncio.gather(*(self._renewed(outlet) for outlet in self._outlets))
        now = time.monotonic()
        if now - self._asked_at >= _CREDIT_SECONDS:
            self._asked_at = now
            await asyncio.gather(*(_ask_for_credit(outlet) for outlet in self._outlets))

    async def _renewed(self, outlet: Outlet[Any]) -> None:
        try:
            await outlet.renew()
        except Exception as error:  # noqa: BLE001 - a plugin may be wrong in any way, and files may be half written
            # Told once, and tried at every look until it succeeds.
            if outlet.table not in self._failing:
                self._failing.add(outlet.table)
                reason = told(error, outlet.backend.start)
                log.warning("backend keeps the files that it has read before", backend=outlet.table, reason=reason)
        else:
            self._failing.discard(outlet.table)


async def _ask_for_credit(outlet: Outlet[Any]) -> None:
    left = await outlet.credit()
    if left is not None:
        figures.credit.labels(outlet.transport, outlet.label).set(left)
