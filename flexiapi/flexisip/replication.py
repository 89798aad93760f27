"""The sign-in replica as a server runs it: whoever changes an account waits, before answering, until it is written."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextvars import ContextVar

from flexiapi.errors import ReplicaUnavailable
from flexiapi.flexisip.configured import cli_socket_of
from flexiapi.flexisip.follower import Changes, Follower
from flexiapi.flexisip.replica import AccountSource, SignInReplica
from flexiapi.observing import log
from flexiapi.settings import Settings


class _Due:
    """The projections that a block waits for; those that are done are not kept, for an import makes very many."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_failed = False

    def add(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def are_right(self) -> bool:
        """Wait for all; whether none failed."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        return not self._has_failed

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._has_failed |= task.cancelled() or task.exception() is not None


class Replication:
    """Projects accounts as they change. Without `flexisip.auth_replica` it does nothing, and `replica` is `None`."""

    def __init__(self, settings: Settings, accounts: AccountSource, changes: Changes) -> None:
        section = settings.flexisip
        self.path = section.auth_replica
        self.replica: SignInReplica | None = None
        self._changes = changes
        self._due: ContextVar[_Due | None] = ContextVar("due", default=None)
        if self.path is not None:
            cli = cli_socket_of(section)
            self.replica = SignInReplica(
                self.path,
                accounts,
                group=section.auth_replica_group,
                realm=settings.account.realm,
                md5=settings.account.md5,
                forget=cli.forget_credentials if cli else None,
            )

    def note(self, account_id: int) -> None:
        """Begin to project an account that has just changed; the block of `settled` around this waits for it."""
        if self.replica is None:
            return
        task = asyncio.get_running_loop().create_task(self.replica.project(account_id))
        due = self._due.get()
        if due is None:
            task.add_done_callback(_tell)
        else:
            due.add(task)

    @contextlib.asynccontextmanager
    async def settled(self) -> AsyncIterator[None]:
        """At the end of the block, all that changed in it is in the replica.

        Raises `ReplicaUnavailable` when it is not; a failure of the block's own comes first.
        """
        due = _Due()
        token = self._due.set(due)
        try:
            yield
        finally:
            self._due.reset(token)
            are_right = await due.are_right()
        if not are_right:
            raise ReplicaUnavailable

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Within the block, changes are projected. Raises `ConfigurationError` when the file cannot be a replica."""
        if self.replica is None:
            yield
            return
        try:
            await self.replica.start()
            yield
        finally:
            await self.replica.close()

    @contextlib.asynccontextmanager
    async def followed(self) -> AsyncIterator[None]:
        """Within the block, which is in one of `opened`, the changes of other processes and hosts come in as well."""
        if self.replica is None or self.path is None:
            yield
            return
        follower = asyncio.create_task(Follower(self.replica, self._changes, self.path).run())
        try:
            yield
        finally:
            follower.cancel()
            await asyncio.wait({follower})


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.warning("a change is not in the sign-in replica yet", reason=str(task.exception()))
