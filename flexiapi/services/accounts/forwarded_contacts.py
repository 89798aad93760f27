"""Rules of call forwarding to contacts, which end with the contact."""

from collections.abc import Collection

from flexiapi.errors import StoreUnavailable
from flexiapi.model import EVERYWHERE, Account, Actor
from flexiapi.services.ground import Ground

_TRIES = 20


class ForwardedContacts:
    """Contacts that rules forward calls to. A rule whose contact is gone is switched off, and stays."""

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._clock = ground.clock

    async def linked(self, account: Account, contact_ids: Collection[int]) -> frozenset[int]:
        """Return those that are contacts of the account, directly or by a list."""
        return frozenset([one for one in contact_ids if await self._is_linked(account, one)])

    async def _is_linked(self, account: Account, contact_id: int) -> bool:
        if contact_id in account.contact_ids:
            return True
        return await self._store.contacts_lists.any_has(account.contacts_list_ids, contact_id)

    async def settle(self, account_id: int, actor: Actor) -> None:
        """Switch off the rules of an account to what is no longer its contact. Raises `StoreUnavailable`."""
        for _ in range(_TRIES):
            account = await self._store.accounts.by_id(account_id, EVERYWHERE)
            gone = frozenset[int]() if account is None else await self._gone(account)
            if account is None or not gone:
                return
            change = account.disable_call_forwardings(gone, self._clock.second())
            if await self._store.accounts.apply(change, actor) is not None:
                return
        raise StoreUnavailable("others change an account all the time")

    async def _gone(self, account: Account) -> frozenset[int]:
        enabled = [rule for rule in account.call_forwardings if rule.enabled]
        named = frozenset(rule.contact_id for rule in enabled if rule.contact_id is not None)
        return named - await self.linked(account, named)

    async def settle_those_to(self, contact_ids: Collection[int], actor: Actor) -> None:
        """Do the same for all accounts with a rule to any of these contacts. Raises `StoreUnavailable`."""
        if contact_ids:
            for account_id in await self._store.forwardings.to_contacts(contact_ids):
                await self.settle(account_id, actor)
