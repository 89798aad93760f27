"""Removal of old data that TTL indexes do not remove."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

from flexiapi.model import Account, Actor
from flexiapi.services.accounts.removal import AccountRemoval
from flexiapi.services.ground import Ground

_AT_ONCE = 16
_PAGE = 480
_ABANDONED = timedelta(hours=1)


class Upkeep:
    """Removals by age. Each returns the number of records."""

    def __init__(self, ground: Ground, removal: AccountRemoval) -> None:
        self._store = ground.store
        self._removal = removal
        self._nonce_life = timedelta(minutes=ground.settings.account.nonce_minutes)
        self._clock = ground.clock
        self._spaces = ground.spaces

    async def nonces(self, age: timedelta) -> int:
        """End the used nonces that are older."""
        now = self._clock.now()
        return await self._store.used_nonces.end(now - age + self._nonce_life, now)

    async def api_keys(self, age: timedelta, actor: Actor) -> int:
        """Remove the API keys that have not been used for that time."""
        return await self._store.bulk.remove_api_keys(self._clock.now() - age, actor)

    async def tombstones(self, age: timedelta, actor: Actor, *, apply: bool) -> int:
        """Count, or remove, the tombstones that are older."""
        before = self._clock.now() - age
        tombstones = self._store.tombstones
        return await (tombstones.clear_before(before, actor) if apply else tombstones.count_before(before))

    async def tokens(self, actor: Actor) -> int:
        """Remove expired tokens of all kinds, and free external accounts of creations that failed."""
        now = self._clock.now()
        store = self._store
        of_accounts = (store.auth_tokens, store.reset_links)
        kinds = (store.creation_tokens, store.request_tokens, store.recovery_tokens, *of_accounts)
        removed = sum([await kind.clear(now) for kind in kinds])
        return removed + await self._store.external_accounts.free_abandoned(now - _ABANDONED, actor)

    async def seals(self, progress: Callable[[int], None]) -> int:
        """Seal all sealed values again with the current application key. `progress` gets the number of values read."""
        return await self._store.seals.renew(progress)

    async def unconfirmed(self, age: timedelta, actor: Actor, *, apply: bool, and_confirmed: bool = False) -> int:
        """Count, or remove, the accounts of each space's domain that are older and were never activated.

        `and_confirmed` includes activated ones, but no administrators. They leave no tombstone.
        """
        count = 0
        async for accounts in self._old(age, and_confirmed=and_confirmed):
            if not apply:
                count += len(accounts)
                continue
            for start in range(0, len(accounts), _AT_ONCE):
                some = accounts[start : start + _AT_ONCE]
                count += sum(
                    await asyncio.gather(*(self._discarded(one, actor, and_confirmed=and_confirmed) for one in some))
                )
            await self._removal.heal()
        return count

    async def _discarded(self, account: Account, actor: Actor, *, and_confirmed: bool) -> bool:
        """Remove the account, unless it was activated or made an administrator meanwhile."""
        unchanged = ("admin_since",) if and_confirmed else ("activated", "activated_at")
        return await self._removal.discard(account.remove(*unchanged), actor)

    async def _old(self, age: timedelta, *, and_confirmed: bool) -> AsyncIterator[list[Account]]:
        before = self._clock.now() - age
        listings = self._store.listings
        for space in self._spaces:
            last_id = 0
            while accounts := await listings.made_before(
                space.domain, before, last_id, _PAGE, and_confirmed=and_confirmed
            ):
                yield accounts
                last_id = accounts[-1].id
