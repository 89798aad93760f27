"""Times of last use of API keys, buffered in memory and written in bulk, because seconds do not matter."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from pymongo import UpdateOne

from flexiapi.concurrency.tasks import beside
from flexiapi.errors import StoreUnavailable
from flexiapi.model import NamedKey
from flexiapi.observing import log
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database
from flexiapi.store.named_keys import kept_until

SECONDS = 5.0


class KeyUses(Records):
    """The buffer of uses that are not written yet."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._named_keys = database["named_keys"]
        self._uses: dict[bytes, datetime] = {}
        self._named: dict[int, UpdateOne] = {}

    def note(self, key_hash: bytes, now: datetime) -> None:
        """Note a use."""
        self._uses[key_hash] = now

    def last(self, key_hash: bytes) -> datetime | None:
        """Return the last use if it is not written yet."""
        return self._uses.get(key_hash)

    def note_named(self, used: NamedKey) -> None:
        """Note a use of a named key, which is given as it is then."""
        last = {"last_used_at": used.last_used_at, "kept_until": kept_until(used)}
        written = {name: value for name, value in last.items() if value is not None}
        self._named[used.id] = UpdateOne({"_id": used.id}, {"$max": written})

    async def write(self) -> None:
        """Write the buffered uses; on failure they are kept for the next time."""
        await self._write_named()
        if not self._uses:
            return
        uses, self._uses = self._uses, {}
        updates = [
            UpdateOne({"api_key.hash": key_hash}, {"$max": {"api_key.last_used_at": moment}})
            for key_hash, moment in uses.items()
        ]
        try:
            await self._accounts.bulk_write(updates, ordered=False)
        except BaseException:
            self._uses = {**uses, **self._uses}
            raise

    async def _write_named(self) -> None:
        if not self._named:
            return
        uses, self._named = self._named, {}
        try:
            await self._named_keys.bulk_write(list(uses.values()), ordered=False)
        except BaseException:
            self._named = {**uses, **self._named}
            raise

    @contextlib.asynccontextmanager
    async def written(self, may_work: Callable[[], bool] = lambda: True) -> AsyncIterator[None]:
        """Write the buffered uses every `SECONDS` in the block, and at its end, while the process may work."""
        try:
            async with beside(self._write_regularly(may_work)):
                yield
        finally:
            if may_work():
                await self._write_or_log()

    async def _write_regularly(self, may_work: Callable[[], bool]) -> None:
        while True:
            await asyncio.sleep(SECONDS)
            if may_work():
                await self._write_or_log()

    async def _write_or_log(self) -> None:
        try:
            await self.write()
        except StoreUnavailable:
            log.warning("key uses not written", reason="the database is away")
        except Exception:  # noqa: BLE001  # the uses are kept, and the next try may succeed
            log.error("key uses not written", exc_info=True)
