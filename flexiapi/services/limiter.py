"""How often something may be done: per IP address, per account, per number. Counters live in the store."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from flexiapi.errors import TooManyRequests
from flexiapi.services.clock import Clock
from flexiapi.settings import Limits
from flexiapi.store import Store

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_MOST_REMEMBERED = 10_000


class Limiter:
    """Counts before something is done, and refuses with `TooManyRequests`.

    Failed guesses are counted when they fail. Whoever has had too many is then refused from memory before the next
    guess is looked at, so that a sign-in that is right costs no counter.
    """

    def __init__(self, settings: Limits, store: Store, clock: Clock) -> None:
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
            "failed_sign_ins": (settings.failed_sign_ins_per_minute, MINUTE),
            "failed_sign_ins_account": (settings.failed_sign_ins_per_account, HOUR),
        }
        self._refused: dict[tuple[str, str], datetime] = {}

    async def count(self, name: str, subject: str) -> None:
        """Count one. Raises `TooManyRequests` when that is one too many."""
        limit, window = self._rules[name]
        if not limit:
            return
        now = self._clock.now()
        if await self._store.count(name, subject, window, now) > limit:
            raise TooManyRequests(_seconds_left(window, now))

    async def give_back(self, name: str, subject: str) -> None:
        """Undo one count, because what it stood for did not happen."""
        limit, window = self._rules[name]
        if limit:
            await self._store.give_back(name, subject, window, self._clock.now())

    async def count_failure(self, name: str, subject: str) -> None:
        """Count a failed guess, and remember who has had too many."""
        limit, window = self._rules[name]
        if not limit:
            return
        now = self._clock.now()
        if await self._store.count(name, subject, window, now) >= limit:
            if len(self._refused) > _MOST_REMEMBERED:
                self._refused = {who: until for who, until in self._refused.items() if until > now}
            self._refused[name, subject] = now + timedelta(seconds=_seconds_left(window, now))

    def refuse_guesser(self, name: str, subject: str) -> None:
        """Raise `TooManyRequests` for whoever has guessed wrong too often."""
        if not self._refused:
            return
        until = self._refused.get((name, subject))
        if until is None:
            return
        left = (until - self._clock.now()).total_seconds()
        if left > 0:
            raise TooManyRequests(int(left) + 1)
        del self._refused[name, subject]


def _seconds_left(window: timedelta, now: datetime) -> int:
    length = window.total_seconds()
    return int(length - now.timestamp() % length) + 1
