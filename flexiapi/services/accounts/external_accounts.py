"""SIP accounts on another server: made there in a group, carried here in a file, given out one per new account."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from flexiapi.crypto.keys import random_text
from flexiapi.errors import NoExternalAccountLeft
from flexiapi.model import Account, Algorithm, ExternalAccount
from flexiapi.services.clock import Clock
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.settings import AccountSettings
from flexiapi.store import IdentifierTaken, Store

USERNAME_LENGTH = 12
PASSWORD_LENGTH = 16
_AT_ONCE = 100

Progress = Callable[[int], None]


class ExternalAccounts:
    """Both ends: the accounts that another server takes over, and those taken over from it."""

    def __init__(
        self, store: Store, settings: AccountSettings, passwords: Passwords, clock: Clock, sip_domain: str
    ) -> None:
        self._store = store
        self._is_wanted = settings.consume_external_account_on_create
        self._passwords = passwords
        self._clock = clock
        self._sip_domain = sip_domain

    @asynccontextmanager
    async def claimed(self) -> AsyncIterator["Claim"]:
        """One for the account that is created inside; given back when that is refused. Raises `NoExternalAccountLeft`.

        When the database gives no answer the account may be there, so `free_abandoned` finds out later.
        """
        if not self._is_wanted:
            yield Claim(None)
            return
        found = await self._store.external_accounts.claim(self._clock.now())
        if found is None:
            raise NoExternalAccountLeft
        number, external = found
        claim = Claim(external)
        try:
            yield claim
        except IdentifierTaken:
            await self._store.external_accounts.give_back(number)
            raise
        if claim.account_id is not None:
            await self._store.external_accounts.note_account(number, claim.account_id)

    async def has_group(self, group: str) -> bool:
        """Whether accounts of the group exist."""
        return bool(await self._store.listings.of_group(group, 0, 1))

    async def generate(self, amount: int, group: str, progress: Progress) -> None:
        """Make activated accounts with random names and passwords that nobody knows."""
        for start in range(0, amount, _AT_ONCE):
            some = min(_AT_ONCE, amount - start)
            await asyncio.gather(*(self._generated(group) for _ in range(some)))
            progress(some)

    async def _generated(self, group: str) -> Account:
        now = self._clock.second()
        while True:
            username = random_text(USERNAME_LENGTH).lower()
            password = random_text(PASSWORD_LENGTH)
            account = Account(
                id=0,
                username=username,
                domain=self._sip_domain,
                created_at=now,
                updated_at=now,
                activated=True,
                activated_at=now,
                group=group,
                passwords=(self._passwords.stored(username, self._sip_domain, Algorithm.SHA_256, password),),
            )
            try:
                return await self._store.accounts.add(account)
            except IdentifierTaken:
                continue

    async def of_group(self, group: str) -> AsyncIterator[ExternalAccount]:
        """What another server needs to know of the group's accounts."""
        last_id = 0
        while accounts := await self._store.listings.of_group(group, last_id, 1000):
            for account in accounts:
                for password in account.passwords[:1]:
                    yield ExternalAccount(account.username, account.domain, group, password.ha1, password.algorithm)
            last_id = accounts[-1].id

    async def add(self, externals: Sequence[ExternalAccount]) -> int:
        """Put accounts of another server into the pool, but for known names; how many were new."""
        return await self._store.external_accounts.add(externals)


class Claim:
    """An external account, `None` when none is wanted; `account_id` is to be set to whose it became."""

    def __init__(self, external: ExternalAccount | None) -> None:
        self.external = external
        self.account_id: int | None = None
