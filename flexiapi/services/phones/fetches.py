"""Fetches of provisioning links: when, by which program, and what it was answered."""

from datetime import datetime, timedelta
from typing import NamedTuple

from flexiapi.crypto.keys import token_hash
from flexiapi.errors import StoreUnavailable
from flexiapi.model import Account, Actor, FetchOutcome, NotedFetch
from flexiapi.observing import log
from flexiapi.services.ground import Ground
from flexiapi.services.phones.known_problems import problems_of

_LIFE = timedelta(days=90)
_LONGEST_AGENT = 255


class ExplainedFetch(NamedTuple):
    """A fetch, with the known problems of the program; English texts."""

    fetch: NotedFetch
    problems: list[str]


class Fetches:
    """The last fetches of the links of each account, kept for 90 days. Noting one never fails what it notes."""

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store.provisioning_fetches
        self._clock = ground.clock

    async def note(self, account: Account, outcome: FetchOutcome, actor: Actor, used_token: str | None = None) -> None:
        """Note a fetch of a link of the account."""
        fetch, until = self._fetch(outcome, actor)
        used = None if used_token is None else token_hash(used_token)
        try:
            await self._store.note(account.id, fetch, until, used)
        except StoreUnavailable:
            log.warning("a fetch of a provisioning link is not noted", account=account.id)

    async def note_unknown(self, token: str, actor: Actor) -> None:
        """Note a fetch by a token of no account, if it is one that was used up before."""
        fetch, until = self._fetch("spent", actor)
        try:
            await self._store.note_spent(token_hash(token), fetch, until)
        except StoreUnavailable:
            log.warning("a fetch of a provisioning link is not noted")

    def _fetch(self, outcome: FetchOutcome, actor: Actor) -> tuple[NotedFetch, datetime]:
        now = self._clock.second()
        return NotedFetch(now, outcome, actor.address, actor.user_agent[:_LONGEST_AGENT]), now + _LIFE

    async def of(self, account: Account) -> list[ExplainedFetch]:
        """Return the last fetches of the links of an account, the newest first."""
        return [ExplainedFetch(one, problems_of(one.user_agent)) for one in await self._store.of(account.id)]
