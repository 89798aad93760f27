"""Rate limits by IP address, account or number, counted in the store."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from flexiapi.errors import TooManyRequests
from flexiapi.limit_key import counted_as
from flexiapi.services.clock import Clock
from flexiapi.settings import LimitSettings
from flexiapi.store import Store

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_MOST_REMEMBERED = 10_000


class Limiter:
    """The limits of the settings.

    Wrong guesses are counted after the comparison. An address with too many is then refused from memory before its
    next guess is compared, so that a right sign-in costs no counter.
    """

    def __init__(self, settings: LimitSettings, store: Store, clock: Clock) -> None:
        self._store = store.limits
        self._clock = clock
        self._rules: Mapping[str, tuple[int, timedelta]] = {
            "anonymous_tokens": (settings.anonymous_tokens_per_minute, MINUTE),
            "messages": (settings.messages_per_minute, MINUTE),
            "sms_minute": (settings.sms_per_minute, MINUTE),
            "sms_hour": (settings.sms_per_hour, HOUR),
            "codes": (settings.codes_per_account, HOUR),
            "mails": (settings.mails_per_hour, HOUR),
            "wrong_codes": (settings.wrong_codes_per_hour, HOUR),
            "code_tries": (settings.wrong_codes_per_day, DAY),
        }
        self._refused: dict[tuple[str, str], datetime] = {}

    async def count(self, name: str, subject: str) -> None:
        """Count one use by a subject. Raises `TooManyRequests` above the limit."""
        limit, window = self._rules[name]
        if not limit:
            return
        now = self._clock.now()
        counted = await self._store.count(name, subject, window, now)
        if counted.number > limit:
            raise TooManyRequests(_seconds_until(counted.ends_at, now))

    async def give_back(self, name: str, subject: str) -> None:
        """Undo one count of something that did not happen."""
        limit, _ = self._rules[name]
        if limit:
            await self._store.give_back(name, subject)

    async def count_failure(self, name: str, address: str, account_id: int | None = None) -> None:
        """Count a wrong guess from an IP address, for one account if given, and remember an address at the limit."""
        limit, window = self._rules[name]
        if not limit:
            return
        now, subject = self._clock.now(), _guesser(address, account_id)
        counted = await self._store.count(name, subject, window, now)
        if counted.number >= limit:
            if len(self._refused) > _MOST_REMEMBERED:
                self._refused = {key: until for key, until in self._refused.items() if until > now}
            self._refused[name, subject] = counted.ends_at

    def refuse_guesser(self, name: str, address: str, account_id: int | None = None) -> None:
        """Raise `TooManyRequests` for an IP address with too many wrong guesses, for one account if given."""
        if not self._refused:
            return
        subject = _guesser(address, account_id)
        until = self._refused.get((name, subject))
        if until is None:
            return
        now = self._clock.now()
        if until > now:
            raise TooManyRequests(_seconds_until(until, now))
        del self._refused[name, subject]


def _guesser(address: str, account_id: int | None) -> str:
    source = counted_as(address)
    return source if account_id is None else f"{account_id} {source}"


def _seconds_until(moment: datetime, now: datetime) -> int:
    return int((moment - now).total_seconds()) + 1
