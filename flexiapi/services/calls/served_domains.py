"""The SIP domains that the server has accounts for."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from flexiapi.concurrency.coalescing import CoalescedReads
from flexiapi.errors import RecordNotFound
from flexiapi.model import Scope
from flexiapi.services.ground import Ground

LIFE = timedelta(seconds=60)


class ServedDomains:
    """The domains of the spaces, and every other one that has an activated account.

    Flexisip asks for them every few minutes and refuses the calls of a domain that is missing. So an answer is complete
    or a failure, and never older than `LIFE`.
    """

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._clock = ground.clock
        self._own = [space.domain for space in ground.spaces]
        self._reads = CoalescedReads[None, Sequence[str]](self._read, in_flight=1)
        self._known: tuple[datetime, Sequence[str]] | None = None

    async def all(self, reach: Scope) -> Sequence[str]:
        """Return the domains that are in the reach, in alphabetical order. Raises `StoreUnavailable`."""
        return [domain for domain in await self._all() if reach.has(domain)]

    async def one(self, domain: str, reach: Scope) -> str:
        """Return the domain in lower case. Raises `RecordNotFound` if it is none of them, and `StoreUnavailable`."""
        found = domain.lower()
        if found not in await self.all(reach):
            raise RecordNotFound
        return found

    async def _all(self) -> Sequence[str]:
        now = self._clock.now()
        if self._known is not None and timedelta(0) <= now - self._known[0] < LIFE:
            return self._known[1]
        return await self._reads.get(None) or ()

    async def _read(self, _keys: Sequence[None]) -> dict[None, Sequence[str]]:
        asked_at = self._clock.now()
        domains = sorted({*self._own, *await self._store.listings.domains_in_use()})
        self._known = (asked_at, domains)
        return {None: domains}
