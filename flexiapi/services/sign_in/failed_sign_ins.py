"""Limits of failed sign-ins, exact also in a burst, at no cost for a right password."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from flexiapi.errors import TooManyRequests
from flexiapi.limit_key import counted_as
from flexiapi.services.clock import Clock
from flexiapi.services.remembered import Remembered
from flexiapi.settings import LimitSettings
from flexiapi.store import Store
from flexiapi.store.limits import Count

_NETWORK, _ACCOUNT = "failed_sign_ins", "failed_sign_ins_account"
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_BLIND_FACTOR = 10
_MOST_REMEMBERED = 10_000


@dataclass(slots=True)
class Tally:
    """The failures of a subject that this process knows of: those that are counted, and those on the way."""

    ends_at: datetime
    number: int = 0
    pending: int = 0


class FailedSignIns:
    """Counters of failed sign-ins, per network, and per account and network.

    A failure is counted before it is told, so that all processes together tell no more than the limit. A try for an
    account from a network that has failed for it before is counted before it is compared; only the first one that a
    process sees is compared before, unless `counts_first`. A network over its limit can still sign in with a right
    password; at ten times the limit none of its passwords is compared. A process remembers as many tallies as it can
    hold, the newest ones; the counters in the database are exact without them.
    """

    def __init__(self, settings: LimitSettings, store: Store, clock: Clock) -> None:
        self._counters = store.limits
        self._clock = clock
        self._of_network = settings.failed_sign_ins_per_minute
        self._of_account = settings.failed_sign_ins_per_account
        self._tallies = Remembered[Tally](
            _MOST_REMEMBERED, ends_at=lambda tally: tally.ends_at, is_in_use=lambda tally: tally.pending > 0
        )

    async def compared(
        self,
        address: str,
        account_id: int | str,
        is_right: Callable[[], bool],
        unlocked_at: datetime | None = None,
        *,
        counts_first: bool = False,
    ) -> bool:
        """Return what `is_right` says of a password, and count it if it is wrong. Raises `TooManyRequests`.

        A text in place of the id stands for an account that does not exist, whose failures count alike. Failures of a
        window that began before `unlocked_at` are forgotten. With `counts_first` every try is counted before it is
        compared, which a right one costs two writes.
        """
        if not self._tallies and not counts_first:
            return is_right() or await self._count_wrong(address, account_id, None)
        if unlocked_at is not None:
            self._forget_before(unlocked_at, _subject(address, account_id))
        counted = await self._counted_before(address, account_id, always=counts_first)
        # From here on nothing waits until a wrong password is pending.
        known = self._known(_NETWORK, counted_as(address))
        is_blind = known is not None and 0 < self._of_network * _BLIND_FACTOR <= known.number + known.pending
        if not is_blind and not is_right():
            return await self._count_wrong(address, account_id, counted)
        if counted is not None:
            await self._counters.give_back(_ACCOUNT, _subject(address, account_id))
        if known is not None and is_blind:
            raise self._refusal(known.ends_at)
        return True

    async def count_key(self, address: str) -> None:
        """Count an unknown API key. Raises `TooManyRequests` over the limit of its network."""
        await self._count_network(counted_as(address))

    async def _counted_before(self, address: str, account_id: int | str, *, always: bool) -> Count | None:
        """Count a try for an account from a network that has failed before, or any with `always`.

        Return `None` for one that is not counted. Raises `TooManyRequests` for a try that must not be compared.
        """
        subject = _subject(address, account_id)
        tally = self._known(_ACCOUNT, subject)
        if not self._of_account or (tally is None and not always):
            return None
        if tally is not None and tally.number >= self._of_account:
            raise self._refusal(tally.ends_at)
        counted = await self._counters.count(_ACCOUNT, subject, _HOUR, self._clock.now())
        if counted.number > self._of_account:
            await self._counters.give_back(_ACCOUNT, subject)
            raise self._refusal(counted.ends_at)
        return counted

    async def _count_wrong(self, address: str, account_id: int | str, counted: Count | None) -> Literal[False]:
        """Count a wrong password, and return False; `counted` is not `None` if it is counted for its account."""
        network, subject = counted_as(address), _subject(address, account_id)
        pending = self._noted(_NETWORK, network, _MINUTE)
        pending.pending += 1
        try:
            if self._of_account:
                tally = self._noted(_ACCOUNT, subject, _HOUR)
                if counted is None:
                    counted = await self._counters.count(_ACCOUNT, subject, _HOUR, self._clock.now())
                tally.ends_at = counted.ends_at
                tally.number = max(tally.number, counted.number)
                if counted.number > self._of_account:
                    raise self._refusal(tally.ends_at)
            await self._count_network(network)
        finally:
            pending.pending -= 1
        return False

    async def _count_network(self, network: str) -> None:
        if not self._of_network:
            return
        tally = self._noted(_NETWORK, network, _MINUTE)
        counted: Count = await self._counters.count(_NETWORK, network, _MINUTE, self._clock.now())
        tally.number, tally.ends_at = max(tally.number, counted.number), counted.ends_at
        if counted.number > self._of_network:
            raise self._refusal(counted.ends_at)

    def _forget_before(self, moment: datetime, subject: str) -> None:
        tally = self._tallies.get((_ACCOUNT, subject))
        if tally is not None and tally.ends_at - _HOUR <= moment:
            del self._tallies[_ACCOUNT, subject]

    def _known(self, name: str, subject: str) -> Tally | None:
        """Return the failures of a subject in the window that is open."""
        tally = self._tallies.get((name, subject))
        if tally is None or tally.ends_at > self._clock.now():
            return tally
        tally.number = 0
        if tally.pending:
            return tally
        del self._tallies[name, subject]
        return None

    def _noted(self, name: str, subject: str, window: timedelta) -> Tally:
        """Return the failures of a subject, kept from now on."""
        tally = self._known(name, subject)
        if tally is None:
            now = self._clock.now()
            tally = Tally(now + window)
            self._tallies.add((name, subject), tally, now)
        return tally

    def _refusal(self, ends_at: datetime) -> TooManyRequests:
        return TooManyRequests(int((ends_at - self._clock.now()).total_seconds()) + 1)


def _subject(address: str, account_id: int | str) -> str:
    return f"{account_id} {counted_as(address)}"
