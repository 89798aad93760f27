"""Chains of call forwarding: rules that lead to accounts that forward too."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum

from flexiapi.model import EVERYWHERE, Account, CallForwarding
from flexiapi.store import Store

MOST_FORWARDINGS = 10
"""The longest chain that Flexisip follows unless it is configured otherwise (`max-call-diversions`)."""


class ChainFault(StrEnum):
    """The fault of a chain."""

    LOOP = "loop"
    LENGTH = "length"


class ForwardingChains:
    """Chains of enabled rules over all accounts of the installation, whatever calls they forward.

    An account that forwards when it is busy to one that forwards back when it is busy is a loop too.
    """

    def __init__(self, store: Store) -> None:
        self._accounts = store.accounts
        self._forwardings = store.forwardings

    async def fault(self, account: Account, rule: CallForwarding) -> ChainFault | None:
        """Return the fault of the chains that an enabled rule of the account is part of."""
        length = 1
        reached = await self._reached([rule])
        while reached:
            if account.id in reached:
                return ChainFault.LOOP
            rules = [each for one in reached.values() for each in one.call_forwardings if each.enabled]
            leading = [each for each in rules if each.target or each.contact_id]
            length += 1 if leading else 0
            if length > MOST_FORWARDINGS:
                return ChainFault.LENGTH
            reached = await self._reached(leading)
        return ChainFault.LENGTH if await self._is_led_to(account, MOST_FORWARDINGS - length) else None

    async def _reached(self, rules: Sequence[CallForwarding]) -> dict[int, Account]:
        """Return the accounts that rules lead to, by id."""
        contacts = {rule.contact_id for rule in rules if rule.contact_id is not None}
        addresses = {rule.target for rule in rules if rule.target}
        found = await asyncio.gather(
            *(self._accounts.by_id(contact_id, EVERYWHERE) for contact_id in contacts),
            *(self._named(address) for address in addresses),
        )
        return {one.id: one for one in found if one is not None}

    async def _named(self, address: str) -> Account | None:
        username, _, domain = address.rpartition("@")
        return await self._accounts.by_address(username, domain, EVERYWHERE)

    async def _is_led_to(self, account: Account, most: int) -> bool:
        """Return whether a chain of more than `most` rules leads to the account."""
        ids, addresses = {account.id}, {account.address}
        for _ in range(most + 1):
            found = await self._forwardings.leading_to(ids, addresses)
            if not found:
                return False
            ids, addresses = {one for one, _ in found}, {address for _, address in found}
        return True
