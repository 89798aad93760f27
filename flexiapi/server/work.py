"""The work of a server process beside requests: it begins once the database answers and is prepared."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from flexiapi.errors import StoreUnavailable
from flexiapi.events import EventFigures
from flexiapi.notify import BackendWatch
from flexiapi.observing import log
from flexiapi.server.budget_figures import BudgetFigures
from flexiapi.server.layout_watch import LayoutWatch
from flexiapi.server.operator_notices import OperatorNotices
from flexiapi.server.parts import Parts
from flexiapi.server.readiness import Readiness
from flexiapi.server.space_watch import SpaceWatch

AGAIN_SECONDS = 1.0
"""Time between tries to prepare the database."""

_PATIENCE_SECONDS = 10.0
_TOLD_SECONDS = 60.0
_START = "start"


async def prepare(parts: Parts, *, alone: bool) -> None:
    """Prepare the database and complete what a crash interrupted. Raises `ConfigurationError`, `StoreUnavailable`."""
    await parts.store.prepare(alone=alone, serves=True)
    await parts.services.accounts.removal.heal()
    await parts.voicemail_work.follower.begin()


class Work:
    """The tasks of a server process. Until the database is there, they wait and the process answers no requests."""

    def __init__(self, parts: Parts, readiness: Readiness, *, prepares: bool, alone: bool) -> None:
        self._parts = parts
        self._readiness = readiness
        self._prepares = prepares
        if prepares:
            readiness.wait_for(_START, "The database has not answered since the start.", closes=True)
        self._alone = alone
        self._begun = asyncio.Event()
        self._stop = asyncio.Event()
        self._tell_again_at = 0.0

    @contextlib.asynccontextmanager
    async def done(self) -> AsyncIterator["asyncio.Task[None]"]:
        """Work in the block. Yield its task, which ends earlier only if it fails. Raises what the start does."""
        task = asyncio.create_task(self._do())
        task.add_done_callback(lambda _: self._begun.set())
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._begun.wait()
            if task.done():
                task.result()
            yield task
        finally:
            self._stop.set()
            if _START in self._readiness.reasons:
                task.cancel()
                # The operation that waits for a server ends with the client, not with the task.
                await self._parts.store.close()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _do(self) -> None:
        if self._prepares and not await self._is_prepared():
            self._begun.set()
            while not await self._is_prepared():  # noqa: ASYNC110  # asks the database
                await asyncio.sleep(AGAIN_SECONDS)
            log.warning("the database answers: the server begins to serve")
        async with self._at_work():
            self._readiness.settle(_START)
            self._begun.set()
            await self._stop.wait()

    async def _is_prepared(self) -> bool:
        try:
            await prepare(self._parts, alone=self._alone)
        except StoreUnavailable as error:
            self._tell(error)
            return False
        return True

    def _tell(self, error: StoreUnavailable) -> None:
        """Log at first and every minute why the server waits."""
        now = asyncio.get_running_loop().time()
        if now >= self._tell_again_at:
            self._tell_again_at = now + _TOLD_SECONDS
            log.warning(
                "the server waits for the database",
                reason=error.reason,
                action="look at mongodb.uri (MONGODB_URI) if this goes on",
            )

    @contextlib.asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        parts, readiness = self._parts, self._readiness
        async with (
            LayoutWatch(parts.store, readiness).kept(),
            SpaceWatch(parts.store, readiness).watched(),
            parts.moving.running(readiness.may_work),
            parts.numbering.running(readiness.may_work),
            EventFigures(parts.store.journal).kept(),
            parts.store.key_uses.written(readiness.may_work),
            parts.services.calls.event_log.written(readiness.may_work),
            parts.replication.opened(),
            parts.replication.followed(readiness.may_work),
            BudgetFigures(parts.services.limiter).kept(),
            OperatorNotices(parts).sent(readiness.may_work),
            parts.voicemail_work.done(readiness.may_work),
            BackendWatch(parts.notifier.outlets).kept(),
        ):
            yield
