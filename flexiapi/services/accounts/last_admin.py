"""Protection of the last active administrator, also when two administrators remove each other at once."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from flexiapi.errors import LastAdmin, Unavailable
from flexiapi.model import Account
from flexiapi.store import Store

_LEASE = "administrators"
_LIFE = timedelta(seconds=30)
_TRIES = 100
_PAUSE_SECONDS = 0.05


class AdminsBusy(Unavailable):
    """Another change of administrators takes too long."""

    message = "Another administrator is being changed. Try again later."


class LastAdminGuard:
    """Removal and deactivation of administrators, one at a time and never the last active one of a space."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._spaces = store.spaces

    @asynccontextmanager
    async def without(self, account: Account) -> AsyncIterator[None]:
        """Allow the account to lose its role or activation in the block.

        Raises `LastAdmin` if no other administrator of its space is active, and `AdminsBusy` after 5 seconds of waiting
        for others.
        """
        if not (account.is_admin and account.activated):
            yield
            return
        holder = secrets.token_hex(8)
        await self._take(holder)
        try:
            if not await self._store.accounts.has_other_active_admin(
                account.id, self._spaces.of_domain(account.domain).scope
            ):
                raise LastAdmin
            yield
        finally:
            await self._store.leases.give_back(_LEASE, holder)

    async def _take(self, holder: str) -> None:
        for _ in range(_TRIES):
            if await self._store.leases.take(_LEASE, holder, _LIFE):
                return
            await asyncio.sleep(_PAUSE_SECONDS)
        raise AdminsBusy
