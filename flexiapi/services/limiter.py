"""How often something may be done: per IP address, per account, per number. Counters live in the store."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from flexiapi.errors import TooManyRequests
from flexiapi.services.clock import Clock
from flexiapi.settings import LimitSettings
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
        counted = await self._store.count(name, subject, window, now)
        if counted.number > limit:
            raise TooManyRequests(_seconds_until(counted.ends_at, now))

    async def give_back(self, name: str, subject: str) -> None:
        """Undo one count, because what it stood for did not happen."""
        limit, _ = self._rules[name]
        if limit:
            await self._store.give_back(name, subject)

    async def count_failure(self, name: str, subject: str) -> None:
        """Count a failed guess, and remember who has had too many."""
        limit, window = self._rules[name]
        if not limit:
            return
        now = self._clock.now()
        counted = await self._store.count(name, subject, window, now)
        if counted.number >= limit:
            if len(self._refused) > _MOST_REMEMBERED:
                self._refused = {who: until for who, until in self._refused.items() if until > now}
            self._refused[name, subject] = counted.ends_at

    def refuse_guesser(self, name: str, subject: str) -> None:
        """Raise `TooManyRequests` for whoever has guessed wrong too often."""
        if not self._refused:
            return
        until = self._refused.get((name, subject))
        if until is None:
            return
        now = self._clock.now()
        if until > now:
            raise TooManyRequests(_seconds_until(until, now))
        del self._refused[name, subject]


def _seconds_until(moment: datetime, now: datetime) -> int:
    return int((moment - now).total_seconds()) + 1
