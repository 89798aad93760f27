"""The document layout while a server process runs: heartbeats, steps, and refusal of a layout that is too new."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import AsyncIterator

from flexiapi import __version__
from flexiapi.concurrency.tasks import attempted, beside
from flexiapi.errors import StoreUnavailable
from flexiapi.observing import log
from flexiapi.server.readiness import Readiness, now
from flexiapi.store import Layout, MigrationPlan, ServerProcessRecord, Store

BEAT_SECONDS = 30.0
LOOK_SECONDS = 10.0
AGAIN_SECONDS = 1.0
"""Time between looks while the process is closed, or after one that failed."""
CONFIRMED_SECONDS = 100.0
"""Time without a look after which no request is answered: other servers count this one as stopped soon after it."""

_LEAVE_SECONDS = 2.0
_STEPS, _RELEASE = "migrations", "release"
_NOT_WATCHED = "the document layout is not watched now"
_DOES_STEPS = "The steps of the document layout are under way."


class LayoutWatch:
    """The part of a server process that keeps it and the database at layouts that fit each other."""

    def __init__(self, store: Store, readiness: Readiness) -> None:
        self._store = store
        self._readiness = readiness
        self._id = secrets.token_hex(8)
        self._host, self._pid = socket.gethostname(), os.getpid()
        self._holder = f"process {self._pid} on {self._host} ({self._id})"
        self._layout = Layout()
        self._told = ""
        self._is_done = False

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Send heartbeats, look at the layout and run its steps in the block.

        While the database does not answer, the process is closed: it cannot know whether it may write.
        """
        try:
            await self._beat()
            await self._look()
            await self._consider(await self._store.migrations.plan())
        except StoreUnavailable:
            self._readiness.wait_for(_STEPS, "The document layout is not known: the database is away.", closes=True)
        try:
            async with beside(self._beat_for_ever(), self._look_for_ever(), self._migrate_all()):
                yield
        finally:
            # A heartbeat ends by itself: a database that is away must not hold up the stop.
            with contextlib.suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(_LEAVE_SECONDS):
                    await self._store.servers.leave(self._id)

    async def _beat_for_ever(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await attempted(self._beat(), _NOT_WATCHED)

    async def _look_for_ever(self) -> None:
        pause = LOOK_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = LOOK_SECONDS if await attempted(self._look(), _NOT_WATCHED) else AGAIN_SECONDS

    async def _migrate_all(self) -> None:
        while not self._is_done:
            is_well = await attempted(self._migrate(), _NOT_WATCHED)
            await asyncio.sleep(LOOK_SECONDS if is_well and not self._readiness.is_closed else AGAIN_SECONDS)

    async def _beat(self) -> None:
        knows = self._store.migrations.newest
        writes = min(self._layout.version, knows)
        await self._store.servers.beat(
            ServerProcessRecord(self._id, self._host, self._pid, __version__, writes, knows),
        )

    async def _look(self) -> None:
        """Read the layout, and answer no request if it is too new."""
        began = now()
        layout, before = await self._store.layout(), self._layout.version
        self._layout = layout
        self._readiness.confirm_until(began + CONFIRMED_SECONDS)
        reason = self._store.migrations.too_new(layout)
        if not reason:
            self._readiness.settle(_RELEASE)
        elif self._readiness.wait_for(_RELEASE, reason, closes=True):
            log.error("no request is answered any more", reason=reason)
        if layout.version != before:
            await self._beat()

    async def _migrate(self) -> None:
        """Run the steps that may run, and note what the others wait for."""
        plan = await self._store.migrations.plan()
        if plan.next is not None:
            await self._consider(plan)
            plan = await self._store.migrations.advance(self._holder) or await self._store.migrations.plan()
            await self._look()
        await self._consider(plan)
        self._is_done = not plan.pending

    async def _consider(self, plan: MigrationPlan) -> None:
        """Note why the process must wait, or that it need not."""
        if not plan.pending:
            self._readiness.settle(_STEPS)
            return
        step, why = plan.pending[0], plan.waits_for
        if not why and (runner := await self._store.migrations.runner()) not in (None, self._holder):
            why = f"the process that changes it now: {runner}"
        reason = f"Step {step.number} of the document layout waits for {why}." if why else _DOES_STEPS
        if plan.is_needed:
            self._readiness.wait_for(_STEPS, reason, closes=True)
        else:
            self._readiness.settle(_STEPS)
        if why and reason != self._told:
            log.warning("the document layout waits", ready=not plan.is_needed, reason=reason)
        self._told = reason
