"""Health checks of a server process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from flexiapi.errors import StoreUnavailable
from flexiapi.server.readiness import Readiness, now

PING_SECONDS = 2.0
"""Time in which the database must answer."""


class Health:
    """The reasons why a process is not ready, with a question to the database that callers share."""

    def __init__(self, readiness: Readiness, ping: Callable[[], Awaitable[None]]) -> None:
        self.readiness = readiness
        self._ping = ping
        self._asked: asyncio.Task[bool] | None = None

    async def unready(self) -> Mapping[str, str]:
        """Return the reason by subject; empty if the process is ready."""
        reasons = dict(self.readiness.reasons)
        if now() > self.readiness.confirmed_until:
            reasons["layout"] = "The document layout has not been read for too long."
        if not await self._database_answers():
            reasons["database"] = "The database does not answer."
        return reasons

    async def _database_answers(self) -> bool:
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self._ask())
        done, _ = await asyncio.wait({self._asked}, timeout=PING_SECONDS)
        return bool(done) and self._asked.result()

    async def _ask(self) -> bool:
        try:
            await self._ping()
        except StoreUnavailable:
            return False
        return True
