"""External accounts: SIP accounts on another server, one for each new account here.

The other server creates them as a group and exports the group to a file; this one imports the file.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from flexiapi.crypto import digest
from flexiapi.crypto.keys import random_text
from flexiapi.errors import (
    AlreadyAttached,
    ApiError,
    ExternalAccountUsed,
    NoExternalAccountLeft,
    RecordNotFound,
    StoreUnavailable,
    ValidationFailed,
)
from flexiapi.model import Account, Actor, Algorithm, Change, ExternalAccount, PooledAccount, Space
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in import Passwords
from flexiapi.store import IdentifierTaken

USERNAME_LENGTH = 12
PASSWORD_LENGTH = 16
POOL_AT_ONCE = 50
_AT_ONCE = 100

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class PoolPage:
    """Accounts of the pool, by number; `following` is the number after which the next page begins, if there is one.

    `owners` are the accounts of ours that use them, by id, as far as the administrator sees them.
    """

    accounts: Sequence[PooledAccount]
    owners: Mapping[int, Account]
    following: int | None = None


ClaimedExternal = tuple[int, ExternalAccount]
"""An external account of the pool that was claimed, after its number there."""


class ExternalAccounts:
    """Groups of accounts for another server, and the pool of external accounts from one."""

    def __init__(self, ground: Ground, passwords: Passwords) -> None:
        self._store = ground.store
        self._is_wanted = ground.settings.account.consume_external_account_on_create
        self._passwords = passwords
        self._clock = ground.clock
        self._spaces = ground.spaces

    async def add_account(
        self, change: Change[Account], actor: Actor, claimed: ClaimedExternal | None = None
    ) -> Account:
        """Add a new account, with an external account of its own if the settings want one.

        It is the one that was `claimed` before, or the next one. Raises `NoExternalAccountLeft`, `IdentifierTaken`.
        """
        if claimed is not None or not self._is_wanted:
            return await self._added(change, claimed, actor)
        async with self.claimed(actor) as one:
            return await self._added(change, one, actor)

    @contextlib.asynccontextmanager
    async def claimed(self, actor: Actor) -> AsyncIterator[ClaimedExternal | None]:
        """Claim an external account, if the settings want one, for the account that the block adds.

        It is given back when the block fails. When the database gives no answer the account may exist, so
        `free_abandoned` finds out later. Raises `NoExternalAccountLeft`.
        """
        externals = self._store.external_accounts
        found = await externals.claim(self._clock.now(), actor) if self._is_wanted else None
        if found is None and self._is_wanted:
            raise NoExternalAccountLeft
        try:
            yield found
        except (IdentifierTaken, ApiError) as error:
            if found is not None and not isinstance(error, StoreUnavailable):
                await externals.give_back(found[0], actor)
            raise

    async def attach(self, account: Account, actor: Actor) -> Account:
        """Give an account the next external account. Raises `AlreadyAttached`, `NoExternalAccountLeft`."""
        if account.external_account is not None:
            raise AlreadyAttached
        externals = self._store.external_accounts
        found = await externals.claim(self._clock.now(), actor)
        if found is None:
            raise NoExternalAccountLeft
        number, external = found
        # A crash before the account has it leaves it to `free_abandoned`.
        changed = await self._store.accounts.apply(account.attach_external(external, self._clock.second()), actor)
        if changed is None:
            await externals.give_back(number, actor)
            raise AlreadyAttached
        await externals.note_account(number, account.id, actor)
        return changed

    async def _added(self, change: Change[Account], claimed: ClaimedExternal | None, actor: Actor) -> Account:
        if claimed is None:
            return existing(await self._store.accounts.apply(change, actor))
        assert change.after is not None
        number, external = claimed
        with_external = replace(change, after=replace(change.after, external_account=external))
        account = existing(await self._store.accounts.apply(with_external, actor))
        await self._store.external_accounts.note_account(number, account.id, actor)
        return account

    async def has_group(self, group: str) -> bool:
        """Return whether accounts of the group exist."""
        return bool(await self._store.listings.of_group(group, 0, 1))

    async def generate(self, amount: int, group: str, progress: Progress, actor: Actor) -> None:
        """Create activated accounts with random names and passwords. `progress` gets the size of each batch."""
        for start in range(0, amount, _AT_ONCE):
            some = min(_AT_ONCE, amount - start)
            await asyncio.gather(*(self._generated(group, actor) for _ in range(some)))
            progress(some)

    async def _generated(self, group: str, actor: Actor) -> Account:
        while True:
            username = random_text(USERNAME_LENGTH).lower()
            password = random_text(PASSWORD_LENGTH)
            domain = (actor.space or self._spaces.default).domain
            change = Account.new(
                self._clock.second(),
                activated=True,
                username=username,
                domain=domain,
                group=group,
                passwords=(self._passwords.stored(username, domain, Algorithm.SHA_256, password),),
            )
            try:
                return existing(await self._store.accounts.apply(change, actor))
            except IdentifierTaken:
                continue

    async def of_group(self, group: str) -> AsyncIterator[ExternalAccount]:
        """Yield the accounts of the group as external accounts of another server."""
        last_id = 0
        while accounts := await self._store.listings.of_group(group, last_id, 1000):
            for account in accounts:
                for password in account.passwords[:1]:
                    yield ExternalAccount(account.username, account.domain, group, password.ha1, password.algorithm)
            last_id = accounts[-1].id

    async def add(self, externals: Sequence[ExternalAccount], actor: Actor) -> int:
        """Add accounts of another server to the pool, except known names. Return how many were new."""
        return await self._store.external_accounts.add(externals, actor)

    async def add_one(
        self, username: str, domain: str, password: str, algorithm: Algorithm, group: str, actor: Actor
    ) -> None:
        """Add an account of another server by its password. Raises `ValidationFailed` for a known name."""
        ha1 = digest.ha1(algorithm, username, domain, password)
        if not await self.add([ExternalAccount(username, domain, group, ha1, algorithm)], actor):
            raise ValidationFailed({"username": ["username is in the pool already, with this domain"]})

    async def pool(self, space: Space, after: int = 0, *, used: bool | None = None) -> PoolPage:
        """Return a page of the pool: all, or those used or free. Administrators see the accounts of their space."""
        found = await self._store.external_accounts.page(after, POOL_AT_ONCE + 1, used=used)
        shown = found[:POOL_AT_ONCE]
        ids = [one.account_id for one in shown if one.account_id is not None]
        owners = await self._store.accounts.by_ids(ids, space.reach)
        following = shown[-1].number if len(found) > POOL_AT_ONCE else None
        return PoolPage(shown, {one.id: one for one in owners}, following)

    async def counts(self) -> tuple[int, int]:
        """Return how many accounts of the pool are used, and how many are free."""
        return await self._store.external_accounts.counts()

    async def free(self, number: int) -> PooledAccount:
        """Return a free account of the pool. Raises `RecordNotFound`, `ExternalAccountUsed`."""
        found = await self._store.external_accounts.pooled(number)
        if found is None:
            raise RecordNotFound
        if found.is_used:
            raise ExternalAccountUsed
        return found

    async def remove(self, number: int, actor: Actor) -> None:
        """Remove a free account from the pool. Raises `RecordNotFound`, `ExternalAccountUsed`."""
        await self.free(number)
        if not await self._store.external_accounts.remove_free(number, actor):
            raise ExternalAccountUsed
