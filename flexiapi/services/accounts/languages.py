"""Languages of messages that owners of accounts choose."""

from flexiapi.model import Account, Actor
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing


class AccountLanguages:
    """The languages in which owners of accounts get mails and SMS."""

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._clock = ground.clock

    async def set(self, account: Account, language: str | None, actor: Actor) -> Account:
        """Set the language of an account; `None` leaves it to each request and the domain. Raises `RecordNotFound`."""
        change = account.with_language(language, self._clock.second())
        return existing(await self._store.accounts.apply(change, actor))
