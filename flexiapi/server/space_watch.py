"""The spaces of a running server: whether the database fits their tables, and the upkeep of their quotas."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta

from flexiapi.concurrency.tasks import attempted, beside
from flexiapi.errors import ConfigurationError, StoreUnavailable
from flexiapi.observing import log
from flexiapi.server.readiness import Readiness
from flexiapi.store import SPACES_WAIT, Store

SUBJECT = "spaces"
SECONDS = 10.0
_HEALING = timedelta(hours=1)
_LEASE = timedelta(minutes=90)  # longer than the pause, so that one process keeps it
_ADVICE = (
    "Give this server the tables of the others. Only if its tables are the right ones for all servers, change the "
    "database to them: `flexiapi spaces apply`."
)


class SpaceWatch:
    """The comparison of the tables in the settings with those that the database was written for.

    While they are not the same the process answers no request, because it would look for accounts under other names
    than those that they have.
    """

    def __init__(self, store: Store, readiness: Readiness) -> None:
        self._store = store
        self._readiness = readiness

    async def check(self) -> None:
        """Compare, and note what the server waits for. Raises `StoreUnavailable`."""
        tables = self._store.space_tables
        differences = await tables.differences()
        if differences and not await tables.settle(SPACES_WAIT):
            if self._readiness.wait_for(SUBJECT, " ".join(differences), closes=True):
                log.warning("the tables of domains differ", reason=" ".join(differences), advice=_ADVICE)
        elif SUBJECT in self._readiness.reasons:
            # What depends on the spaces was left out at the start.
            await self._store.prepare_spaces()
            self._readiness.settle(SUBJECT)
            log.info("the tables of domains fit")

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Compare at the beginning of the block, and then every 10 s until its end."""
        try:
            await self.check()
        except StoreUnavailable:
            # Without tables nothing is at stake; with some, the next comparison decides.
            if self._store.spaces.by_domain:
                reason = "The tables of domains in the database are not known: it is away."
                self._readiness.wait_for(SUBJECT, reason, closes=True)
        async with beside(self._watch(), self._heal_quotas()):
            yield

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            await attempted(self._check_or_close(), "the tables of domains were not compared")

    async def _check_or_close(self) -> None:
        try:
            await self.check()
        except ConfigurationError as error:
            if self._readiness.wait_for(SUBJECT, str(error), closes=True):
                log.error("the accounts cannot be changed to the tables of domains", reason=str(error))

    async def _heal_quotas(self) -> None:
        """Heal the counters, if there are any, at the start and every hour, in one process of all."""
        holder = secrets.token_hex(8)
        while self._store.quotas.limited:
            await attempted(self._heal_as(holder), "the counters of quotas were not compared")
            await asyncio.sleep(_HEALING.total_seconds())

    async def _heal_as(self, holder: str) -> None:
        if self._readiness.may_work() and await self._store.leases.keep("quotas", holder, _LEASE):
            lost = await self._store.quotas.heal(self._store.account_ranges.settling)
            if lost:
                log.info("places of quotas were given back", places=lost)
