"""The sign-in replica: the SQLite file that Flexisip reads accounts from, kept equal to the store.

A change names only the account's id, and the replica reads the account from the store while it holds the file's write
lock. So the last writer has also read last, in whatever order processes come, and an old state never overwrites a newer
one. Changes that arrive while a write is under way are written together in the next one, with one lock, one read and
one sync to disk.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from flexiapi.concurrency.coalescing import Batches
from flexiapi.errors import ConfigurationError, ReplicaNotWritable, ReplicaUnavailable
from flexiapi.flexisip.credentials import BridgeLine, Realms, SipCredentials, domain_itself, entry_of
from flexiapi.flexisip.replica_file import ReplicaFile
from flexiapi.model import Account
from flexiapi.observing import log

P = ParamSpec("P")
T = TypeVar("T")

PAGE = 200
FORGET_SECONDS = 3.0

_COMPLETE = "complete"
_POSITION = "position"
_TRIED = "tried"
# Faults that an operator mends while the server runs, such as a lock or a wrong path.
_UNUSABLE = (sqlite3.Error, ConfigurationError)


class AccountSource(Protocol):
    """A source of accounts in their present state, never from a cache."""

    async def by_ids(self, ids: Sequence[int]) -> Sequence[Account]:
        """Return the accounts with these ids that exist, in any order."""

    async def after(self, last_id: int, limit: int) -> Sequence[Account]:
        """Return the first `limit` accounts with a greater id, by ascending id."""


Forget = Callable[[str, str], Awaitable[None]]
"""Tell the SIP server that what it remembers of (username, domain) is no longer right."""


TellBridge = Callable[[Sequence[BridgeLine]], Awaitable[None]]
"""Tell Flexisip's bridge of lines that are gone, and then of those that are new or changed."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Result of a rebuild: the number of accounts compared, and of those that were wrong in the file."""

    compared: int
    corrected: int


class SignInReplica:
    """The replica, as one process writes it.

    The realm is by default each account's domain. Without `md5` the file has no MD5 hashes.
    """

    def __init__(
        self,
        path: Path,
        accounts: AccountSource,
        *,
        group: str | None = None,
        realm_of: Realms = domain_itself,
        md5: bool = True,
        forget: Forget | None = None,
        tell_bridge: TellBridge | None = None,
    ) -> None:
        self._accounts = accounts
        self._file = ReplicaFile(path, group)
        self._realm_of = realm_of
        self._md5 = md5
        self._forget = forget
        self._tell_bridge = tell_bridge
        self._thread = ThreadPoolExecutor(1, "sign-in-replica")
        self._turn = asyncio.Lock()
        self._projections: Batches[int, None] = Batches(self._project, in_flight=1)
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_failing = False
        """True if the last write failed."""
        self._trial: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open or create the file. Raises `ConfigurationError` if the path cannot be a replica."""
        try:
            await self._run(self._file.open)
        except sqlite3.OperationalError as error:
            log.warning("the sign-in replica is busy; it is opened when it is needed", reason=str(error))

    async def close(self) -> None:
        """Finish writes in progress and close the file."""
        await self._projections.drain()
        while self._tasks:
            await asyncio.wait(self._tasks)
        async with self._turn:
            await self._run(self._file.close)
        self._thread.shutdown()

    async def project(self, *ids: int) -> None:
        """Write the present state of the accounts, which may be changed, new, deactivated or deleted.

        Raises `ReplicaUnavailable` if the file or the store cannot be used now.
        """
        await asyncio.gather(*(self._projections.add(account_id) for account_id in ids))

    async def check(self) -> None:
        """Raise `ReplicaNotWritable` if the last write failed and another one would fail now, too."""
        if not self.is_failing:
            return
        if self._trial is None or self._trial.done():
            self._trial = self._spawn(self._try())
        try:
            await asyncio.shield(self._trial)
        except ReplicaUnavailable as error:
            raise ReplicaNotWritable from error

    async def _try(self) -> None:
        """Write something, which a full disk refuses where it grants a lock."""
        async with self._writing():
            await self._run(self._file.set_note, _TRIED, str(time.time()))
        self.is_failing = False

    async def rebuild(self, progress: Callable[[int], None] | None = None) -> Rebuilt:
        """Compare the whole file with the store and correct the differences, in short transactions.

        `progress` gets the number of accounts compared so far. Raises `ReplicaUnavailable` or errors of the store.
        """
        while True:
            opening = await self._read(lambda: self._file.openings)
            done = await self._compare(progress)
            async with self._writing():
                if self._file.openings != opening:
                    continue  # the file was replaced meanwhile
                await self._run(self._file.remove_strays)
                await self._run(self._file.set_note, _COMPLETE, "yes")
            return done

    async def _compare(self, progress: Callable[[int], None] | None) -> Rebuilt:
        after, compared, corrected = -1, 0, 0
        while True:
            stored = {account.id: self._entry(account) for account in await self._accounts.after(after, PAGE)}
            held = await self._read(self._file.page, after, PAGE)
            ends = [max(page) for page in (stored, held) if len(page) == PAGE]
            last = min(ends) if ends else None
            ids = [id_ for id_ in stored.keys() | held.keys() if last is None or id_ <= last]
            wrong = [id_ for id_ in ids if stored.get(id_) != held.get(id_)]
            await self.project(*wrong)
            compared += sum(1 for id_ in ids if id_ in stored)
            corrected += len(wrong)
            if progress is not None:
                progress(compared)
            if last is None:
                return Rebuilt(compared, corrected)
            after = last

    async def is_complete(self) -> bool:
        """Return whether the file has held all accounts since it was created."""
        return await self._read(self._file.note, _COMPLETE) is not None

    async def position(self) -> str | None:
        """Return the position in the store's changes up to which the file is current, `None` if unknown."""
        return await self._read(self._file.note, _POSITION) or None

    async def set_position(self, position: str) -> None:
        """Store the position in the store's changes up to which the file is current."""
        async with self._writing():
            await self._run(self._file.set_note, _POSITION, position)

    async def _project(self, account_ids: Sequence[int]) -> Sequence[None]:
        """Write a batch. Accounts are read under the file's write lock, so that the last writer has the last state."""
        try:
            async with self._writing():
                wanted: dict[int, SipCredentials | None] = dict.fromkeys(account_ids)
                for account in await self._accounts.by_ids(list(wanted)):
                    wanted[account.id] = self._entry(account)
                replaced = await self._run(self._file.apply, wanted)
        except Exception as error:
            self.is_failing = True
            log.warning("the sign-in replica was not written", reason=str(error.__cause__ or error))
            raise ReplicaUnavailable from error
        self.is_failing = False
        await self._forget_all([one.outdated for one in replaced if one.outdated is not None])
        # An address that went from one account to another is taken away before it is given.
        lines = [one.gone_bridge for one in replaced] + [one.told_bridge for one in replaced]
        if self._tell_bridge is not None and any(lines):
            await self._tell_bridge([line for line in lines if line is not None])
        return [None] * len(account_ids)

    def _entry(self, account: Account) -> SipCredentials | None:
        return entry_of(account, self._realm_of(account.domain), md5=self._md5)

    async def _forget_all(self, outdated: Sequence[SipCredentials]) -> None:
        """Make the SIP server drop its cached credentials, with a short limit on the wait."""
        if self._forget is not None and outdated:
            await asyncio.wait({self._spawn(self._forget_each(self._forget, outdated))}, timeout=FORGET_SECONDS)

    async def _forget_each(self, forget: Forget, outdated: Sequence[SipCredentials]) -> None:
        try:
            for entry in outdated:
                await forget(entry.username, entry.domain)
        except Exception as error:  # noqa: BLE001  # the SIP server forgets by itself after its cache-expire
            log.warning("the SIP server was not told to forget former credentials", reason=str(error))

    @contextlib.asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        """Hold the file's write lock, against all tasks and processes, and commit, or roll back on failure.

        Raises `ReplicaUnavailable` if the file cannot be written now.
        """
        async with self._turn:
            try:
                await self._run(self._file.begin)
                yield
                await self._run(self._file.commit)
            except _UNUSABLE as error:
                await self._run(self._file.rollback)
                raise ReplicaUnavailable from error
            except BaseException:
                await self._run(self._file.rollback)
                raise

    async def _read(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with self._turn:
                await self._run(self._file.ensure_open)
                return await self._run(call, *args, **kwargs)
        except _UNUSABLE as error:
            raise ReplicaUnavailable from error

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in the thread of the file."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: call(*args, **kwargs))

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
