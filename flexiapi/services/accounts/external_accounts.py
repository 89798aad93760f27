"""External accounts: SIP accounts on another server, one for each new account here.

The other server creates them as a group and exports the group to a file; this one imports the file.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from flexiapi.crypto.keys import random_text
from flexiapi.errors import NoExternalAccountLeft, SpaceFull
from flexiapi.model import Account, Actor, Algorithm, Change, ExternalAccount
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in import Passwords
from flexiapi.store import IdentifierTaken

USERNAME_LENGTH = 12
PASSWORD_LENGTH = 16
_AT_ONCE = 100

Progress = Callable[[int], None]


class ExternalAccounts:
    """Groups of accounts for another server, and the pool of external accounts from one."""

    def __init__(self, ground: Ground, passwords: Passwords) -> None:
        self._store = ground.store
        self._is_wanted = ground.settings.account.consume_external_account_on_create
        self._passwords = passwords
        self._clock = ground.clock
        self._spaces = ground.spaces

    async def add_account(self, change: Change[Account], actor: Actor) -> Account:
        """Add a new account, with an external account of its own if the settings want one.

        The external account is given back when the new account is refused. When the database gives no answer the
        account may exist, so `free_abandoned` finds out later. Raises `NoExternalAccountLeft`, `IdentifierTaken`.
        """
        accounts, externals = self._store.accounts, self._store.external_accounts
        if not self._is_wanted:
            return existing(await accounts.apply(change, actor))
        found = await externals.claim(self._clock.now(), actor)
        if found is None:
            raise NoExternalAccountLeft
        number, external = found
        assert change.after is not None
        try:
            with_external = replace(change, after=replace(change.after, external_account=external))
            account = existing(await accounts.apply(with_external, actor))
        except (IdentifierTaken, SpaceFull):
            await externals.give_back(number, actor)
            raise
        await externals.note_account(number, account.id, actor)
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
