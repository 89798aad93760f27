"""The sign-in replica of a running server or command: opened, settled after changes, and followed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from flexiapi.concurrency.tasks import beside
from flexiapi.errors import ReplicaUnavailable
from flexiapi.flexisip.bridge_news import BridgeNews
from flexiapi.flexisip.configured import cli_socket_of, registrar_of
from flexiapi.flexisip.credentials import Realms
from flexiapi.flexisip.follower import Changes, Follower
from flexiapi.flexisip.redis import RedisRegistrar
from flexiapi.flexisip.replica import AccountSource, SignInReplica
from flexiapi.model import Actor
from flexiapi.settings import Settings

_SETTLE_SECONDS = 0.2


class Replication:
    """Projection of changed accounts. Without `flexisip.auth_replica` it does nothing, and `replica` is `None`."""

    def __init__(self, settings: Settings, accounts: AccountSource, changes: Changes, realm_of: Realms) -> None:
        section = settings.flexisip
        self.path = section.auth_replica
        self.replica: SignInReplica | None = None
        self._changes = changes
        self._redis: RedisRegistrar | None = None
        self._news: BridgeNews | None = None
        if self.path is not None:
            cli, registrar = cli_socket_of(section), registrar_of(settings)
            if isinstance(registrar, RedisRegistrar):
                self._redis, self._news = registrar, BridgeNews(registrar.publish)
            self.replica = SignInReplica(
                self.path,
                accounts,
                group=section.auth_replica_group,
                realm_of=realm_of,
                md5=settings.account.md5,
                forget=cli.forget_credentials if cli else None,
                tell_bridge=self._news.tell if self._news else None,
            )

    async def settle(self, actor: Actor) -> None:
        """Wait until the accounts that the actor changed are in the replica. Raises `ReplicaUnavailable`."""
        changed = actor.take_changed()
        if self.replica is not None and changed:
            await self.replica.project(*changed)

    @contextlib.asynccontextmanager
    async def settling(self, actor: Actor) -> AsyncIterator[None]:
        """Settle accounts while the block, which may change very many, changes them, and the rest at its end.

        Raises `ReplicaUnavailable` at the end if any of them is not in the replica; a failure of the block comes first.
        """
        has_failed = asyncio.Event()
        async with beside(self._settle_repeatedly(actor, has_failed)):
            yield
        await self.settle(actor)
        if has_failed.is_set():
            raise ReplicaUnavailable

    async def _settle_repeatedly(self, actor: Actor, has_failed: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(_SETTLE_SECONDS)
            try:
                await self.settle(actor)
            except Exception:  # noqa: BLE001  # the end of the block raises
                has_failed.set()

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Keep the replica open in the block. Raises `ConfigurationError` if the file cannot be a replica."""
        if self.replica is None:
            yield
            return
        try:
            await self.replica.start()
            yield
        finally:
            await self.replica.close()
            if self._news is not None and self._redis is not None:
                await self._news.close()
                await self._redis.close()

    @contextlib.asynccontextmanager
    async def followed(self, may_work: Callable[[], bool] = lambda: True) -> AsyncIterator[None]:
        """Follow the changes of other processes and hosts in the block, which must be inside `opened`.

        While the process may not work, the file stays as it is.
        """
        if self.replica is None or self.path is None:
            yield
            return
        async with beside(Follower(self.replica, self._changes, self.path, may_work).run()):
            yield
