"""The layout of the documents: its version, and the steps that bring a database to that of this release."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flexiapi.errors import ConfigurationError
from flexiapi.observing import log
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database
from flexiapi.store.leases import Leases
from flexiapi.store.servers import ServerProcessRecord, ServerRecords
from flexiapi.store.steps import STEPS, Batch, LayoutStep, StepKind, steps_with

LEASE = "migrations"
LEASE_LIFE = timedelta(seconds=30)
REST_SHARE = 1.0
"""Rest after a batch of a long step, in shares of the time that the batch took."""

OLD_SERVERS = (
    "servers of a release without heartbeats, which do not show here. Stop them all, then run "
    "`flexiapi migrate --old-servers-stopped`"
)

AGAIN_SECONDS = 1.0

Progress = Callable[[LayoutStep, int], None]


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of a database.

    Attributes:
        version: number of the last step that is done; 0 is the layout before the first.
        readable_from: the oldest release that may use the database is one that knows this step.
        begun: the last contracting step that has begun, after which it is never held up.
        has_unlisted_servers: servers that send no heartbeat may be running.
        position: where the next step continues, `None` at its beginning.
    """

    version: int = 0
    readable_from: int = 0
    begun: int = 0
    has_unlisted_servers: bool = True
    position: int | None = None


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """The steps that are left, and what the first of them waits for, if anything."""

    pending: Sequence[LayoutStep] = ()
    waits_for: str = ""

    @property
    def next(self) -> LayoutStep | None:
        """The step that may run now."""
        return self.pending[0] if self.pending and not self.waits_for else None

    @property
    def is_needed(self) -> bool:
        """True if servers answer no request before a step is done."""
        return any(step.is_needed for step in self.pending)


def plan_of(layout: Layout, servers: Sequence[ServerProcessRecord], steps: Sequence[LayoutStep]) -> MigrationPlan:
    """Return the steps that are left, given the running servers."""
    pending = [step for step in steps if step.number > layout.version]
    if not pending:
        return MigrationPlan()
    step = pending[0]
    has_begun = layout.begun >= step.number
    if step.kind is StepKind.EXPAND or has_begun:
        return MigrationPlan(pending)
    if layout.has_unlisted_servers:
        return MigrationPlan(pending, OLD_SERVERS)
    older = [str(server) for server in servers if server.knows < step.number]
    return MigrationPlan(pending, ", ".join(older))


def _unreported(_step: LayoutStep, _documents: int) -> None:
    """Report no progress: the log has the beginning and the end of each step."""


class Migrations(Records, bounds=False):
    """The layout of the database, changed by one process at a time."""

    def __init__(
        self,
        database: Database,
        leases: Leases,
        servers: ServerRecords,
        seal: Batch,
        steps: Sequence[LayoutStep] = STEPS,
    ) -> None:
        super().__init__(database)
        self._meta = database["meta"]
        self._leases = leases
        self._servers = servers
        self.steps = steps_with(seal, steps)
        self.newest = steps[-1].number if steps else 0

    async def layout(self) -> Layout:
        """Return the layout of the database."""
        document = await self._meta.find_one({"_id": "layout"}) or await self._first()
        return Layout(
            document["version"],
            document["readable_from"],
            document.get("begun", 0),
            document["has_unlisted_servers"],
            document.get("position"),
        )

    async def begin(self, *, alone: bool) -> None:
        """Note the layout of a database that has none noted. A new database has the newest.

        With `alone` no other server can be running. Raises `ConfigurationError` if the layout is too new.
        """
        await self._meta.update_one({"_id": "layout"}, {"$setOnInsert": await self._first()}, upsert=True)
        await self.refuse_newer()
        if alone:
            await self._servers.leave_all()
            await self.old_servers_stopped()

    async def refuse_newer(self) -> None:
        """Raise `ConfigurationError` if the layout is too new for this release."""
        if reason := self.too_new(await self.layout()):
            raise ConfigurationError(reason)

    def too_new(self, layout: Layout) -> str:
        """Return why this release must not use a database with the layout; an empty string if it may."""
        if layout.readable_from <= self.newest:
            return ""
        return (
            f"The database has step {layout.readable_from} of its layout, and this release of flexiapi knows the steps "
            f"up to {self.newest}. Install the release that made the step, or a later one. To go back to this release, "
            "restore the backup that was made before the upgrade."
        )

    async def plan(self) -> MigrationPlan:
        """Return the steps that are left."""
        layout = await self.layout()
        servers = await self._servers.seen() if layout.version < self.newest else []
        return plan_of(layout, servers, self.steps)

    async def old_servers_stopped(self) -> None:
        """Note that no server runs that sends no heartbeat."""
        await self._meta.update_one({"_id": "layout"}, {"$set": {"has_unlisted_servers": False}})

    async def runner(self) -> str | None:
        """Return the holder of the lease: the process that runs a step now."""
        return await self._leases.holder(LEASE)

    async def advance(self, holder: str, progress: Progress = _unreported) -> MigrationPlan | None:
        """Run the steps that may run, and return what is left; `None` if another process runs them or has taken over.

        `progress` is called after each batch with the number of documents that it looked at.
        """
        while (step := (plan := await self.plan()).next) is not None:
            if not await self._leases.keep(LEASE, holder, LEASE_LIFE):
                return None
            try:
                if not await self._run(step, holder, progress):
                    return None
            finally:
                await self._leases.give_back(LEASE, holder)
        return plan

    async def ensure_usable(self, holder: str) -> None:
        """Run the steps without which nothing works, or wait for the process that runs them.

        Raises `ConfigurationError` if they wait for servers.
        """
        while (plan := await self.plan()).is_needed:
            if plan.waits_for:
                raise ConfigurationError(f"Step {plan.pending[0].number} of the layout waits for {plan.waits_for}.")
            if await self.advance(holder) is None:
                await asyncio.sleep(AGAIN_SECONDS)

    async def _run(self, step: LayoutStep, holder: str, progress: Progress) -> bool:
        """Run a step from its position to its end. Return False if it was not to run, or is no longer ours."""
        layout = await self.layout()
        if layout.version != step.number - 1 or not await self._older_shut_out(step, layout):
            return False
        log.info("step of the document layout", number=step.number, does=step.sentence, position=layout.position)
        began, position = time.monotonic(), layout.position
        while True:
            batch_began = time.monotonic()
            done = await step.batch(self._database, position)
            if done is None:
                break
            position = done.position
            if not await self._note(step, {"$set": {"position": position}}):
                return False
            progress(step, done.documents)
            if step.is_long:
                await asyncio.sleep(REST_SHARE * (time.monotonic() - batch_began))
            if not await self._leases.keep(LEASE, holder, LEASE_LIFE):
                return False
        is_ours = await self._note(step, {"$set": {"version": step.number}, "$unset": {"position": ""}})
        log.info("step is done", number=step.number, seconds=round(time.monotonic() - began, 1))
        return is_ours

    async def _older_shut_out(self, step: LayoutStep, layout: Layout) -> bool:
        """Refuse older servers from now on, if the step contracts. Return False if one has just appeared.

        A server that starts writes its heartbeat and then reads the layout. Here it is the other way round, so that at
        least one of the two notices the other.
        """
        if step.kind is StepKind.EXPAND or layout.begun >= step.number:
            return True
        if not await self._note(step, {"$set": {"readable_from": step.number}}):
            return False
        if all(server.knows >= step.number for server in await self._servers.seen()):
            return await self._note(step, {"$set": {"begun": step.number}})
        await self._note(step, {"$set": {"readable_from": layout.readable_from}})
        return False

    async def _note(self, step: LayoutStep, change: Mapping[str, Any]) -> bool:
        """Change the layout's document unless the step is done already."""
        query = {"_id": "layout", "version": step.number - 1}
        return (await self._meta.update_one(query, change)).matched_count == 1

    async def _first(self) -> Mapping[str, Any]:
        """Return the layout of a database that has none noted: a new one, or one of a release before the first step."""
        if await self._is_new():
            last = max((step.number for step in self.steps if step.kind is StepKind.CONTRACT), default=0)
            return {"version": self.newest, "readable_from": last, "begun": last, "has_unlisted_servers": False}
        return {"version": 0, "readable_from": 0, "begun": 0, "has_unlisted_servers": True}

    async def _is_new(self) -> bool:
        """Return whether no release has used the database yet. The key is the first document that each has written."""
        if await self._meta.find_one({"_id": "application_key"}) is not None:
            return False
        return await self._database["accounts"].find_one({}, {"_id": 1}) is None
