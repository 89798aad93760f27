"""The accounts of a space at a glance, for its administrators."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from flexiapi.model import Account, AccountSelection, AccountsTotal, Event, EventSelection, Space
from flexiapi.services.accounts.browsing import AccountBrowsing
from flexiapi.services.ground import Ground

MOST_SHOWN = 12
_MOST_READ = 300
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AccountTotals:
    """The numbers of accounts: all, the activated ones, administrators, those of the last day and of seven."""

    accounts: AccountsTotal
    activated: AccountsTotal
    admins: AccountsTotal
    of_day: AccountsTotal
    of_week: AccountsTotal


@dataclass(frozen=True, slots=True)
class RecentEvents:
    """The last changes of accounts, the latest first, and the accounts that they name, by id."""

    events: Sequence[Event]
    accounts: Mapping[int, Account]


class AccountOverview:
    """Totals and recent changes of the accounts that administrators of a space see."""

    def __init__(self, ground: Ground, browsing: AccountBrowsing) -> None:
        self._events = ground.store.journal.events
        self._accounts = ground.store.accounts
        self._clock = ground.clock
        self._browsing = browsing

    async def totals(self, space: Space) -> AccountTotals:
        """Count the accounts."""
        now = self._clock.now()
        wanted = (
            AccountSelection(None),
            AccountSelection(None, activated=True),
            AccountSelection(None, admin=True),
            AccountSelection(None, created_from=now - _DAY),
            AccountSelection(None, created_from=now - 7 * _DAY),
        )
        return AccountTotals(*await asyncio.gather(*(self._browsing.total(one, space) for one in wanted)))

    async def of_types(self, type_ids: Sequence[int], space: Space) -> Mapping[int, AccountsTotal]:
        """Count the accounts that have each type."""
        return await self._each({one: AccountSelection(None, type_id=one) for one in type_ids}, space)

    async def of_lists(self, list_ids: Sequence[int], space: Space) -> Mapping[int, AccountsTotal]:
        """Count the accounts that have each contacts list."""
        return await self._each({one: AccountSelection(None, contacts_list_id=one) for one in list_ids}, space)

    async def _each(self, wanted: Mapping[int, AccountSelection], space: Space) -> Mapping[int, AccountsTotal]:
        return {key: await self._browsing.total(one, space) for key, one in wanted.items()}

    async def recent(self, space: Space) -> RecentEvents:
        """Return the last changes of accounts that administrators of the space see, of the last 300 changes of all.

        Changes of accounts that are gone are left out, for the space that they were of is not known.
        """
        last = await self._events.numbers.last()
        found = await self._events.newest(EventSelection(), _MOST_READ, last)
        changed = [event for event in reversed(found) if event.collection == "accounts" and event.account_ids]
        ids = {event.account_ids[0] for event in changed}
        ids |= {event.actor.account_id for event in changed if event.actor.account_id is not None}
        seen = {account.id: account for account in await self._accounts.by_ids(sorted(ids), space.reach)}
        shown = [event for event in changed if event.account_ids[0] in seen]
        return RecentEvents(shown[:MOST_SHOWN], seen)
