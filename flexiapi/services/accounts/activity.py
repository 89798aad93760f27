"""The changes that were made to an account, as far as events are kept."""

from collections.abc import Sequence

from flexiapi.model import Account, Event
from flexiapi.services.ground import Ground

MOST_EVENTS = 50


class AccountActivity:
    """Events of accounts, for administrators."""

    def __init__(self, ground: Ground) -> None:
        self._events = ground.store.journal.events

    async def of(self, account: Account) -> Sequence[Event]:
        """Return the last changes of an account, the latest first."""
        return await self._events.of_account(account.id, MOST_EVENTS)
