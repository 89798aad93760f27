"""Rate limits by IP address, account or number, counted in the store."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from flexiapi.errors import TooManyRequests
from flexiapi.limit_key import counted_as
from flexiapi.model import Account, Confirmation, e164
from flexiapi.services.clock import Clock
from flexiapi.services.remembered import Remembered
from flexiapi.settings import AccountSettings, LimitSettings
from flexiapi.store import Store

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
_MOST_REMEMBERED = 10_000

Use = tuple[str, str]
"""The name of a limit and who or what it counts."""


class Limiter:
    """The limits of the settings. Networks are IPv4 addresses and IPv6 /64.

    Wrong guesses are counted after the comparison. An address with too many is then refused from memory before its
    next guess is compared, so that a right sign-in costs no counter.
    """

    def __init__(self, settings: LimitSettings, account: AccountSettings, store: Store, clock: Clock) -> None:
        self._store = store.limits
        self._spaces = store.spaces
        self._clock = clock
        self._rules: Mapping[str, tuple[int, timedelta]] = {
            "anonymous_tokens": (settings.anonymous_tokens_per_minute, MINUTE),
            "messages": (settings.messages_per_minute, MINUTE),
            "sms_minute": (settings.sms_per_minute, MINUTE),
            "sms_hour": (settings.sms_per_hour, HOUR),
            "sms_day": (settings.sms_per_day, DAY),
            "sms_number_network": (settings.sms_per_number_and_network, DAY),
            "sms_network": (settings.sms_per_network, DAY),
            "codes": (settings.codes_per_account, HOUR),
            "mails": (settings.mails_per_hour, HOUR),
            "wrong_codes": (settings.wrong_codes_per_hour, HOUR),
            "code_tries": (settings.wrong_codes_per_day, DAY),
            "code_tries_network": (settings.wrong_codes_per_network, DAY),
            # Each window begins with a try, so none ends before its PIN.
            "pin_tries": (account.pin_tries, account.pin_life),
        }
        self._refused = Remembered[datetime](_MOST_REMEMBERED, ends_at=lambda until: until)

    async def count(self, name: str, subject: str) -> None:
        """Count one use by a subject. Raises `TooManyRequests` above the limit."""
        limit, window = self._rules[name]
        if not limit:
            return
        now = self._clock.now()
        counted = await self._store.count(name, subject, window, now)
        if counted.number > limit:
            raise TooManyRequests(_seconds_until(counted.ends_at, now))

    async def give_back(self, *uses: Use) -> None:
        """Undo one count each of something that did not happen."""
        for name, subject in uses:
            if self._rules[name][0]:
                await self._store.give_back(name, subject)

    async def take(self, *uses: Use) -> None:
        """Count one use against several limits, or none if one of them is reached. Raises `TooManyRequests` then."""
        now = self._clock.now()
        for place, (name, subject) in enumerate(uses):
            limit, window = self._rules[name]
            ends_at = await self._store.take(name, subject, window, limit, now) if limit else None
            if ends_at is not None:
                await self.give_back(*uses[:place])
                raise TooManyRequests(_seconds_until(ends_at, now))

    async def take_pin_try(self, account: Account, pending: Confirmation, address: str) -> None:
        """Count a try of an account's PIN before it is compared. Raises `TooManyRequests`.

        Each network that asked for a PIN has its share of tries and all others together have one, so that others do
        not use up that of the owner. The tries of a day are limited for the account or claimed number, and for
        each network.
        """
        network, tried = counted_as(address), self.tried_as(account)
        share = network if network in pending.networks else "others"
        await self.take(
            ("pin_tries", f"{account.id} {(pending.pin_hash or b'').hex()[:16]} {share}"),
            ("code_tries_network", f"{tried} {network}"),
            ("code_tries", tried),
        )

    def tried_as(self, account: Account) -> str:
        """Return the subject of the tries of a day: the account, or the number that its PIN is to prove.

        A sign-up that is begun again is another account, but has no other day.
        """
        if account.phone is None and account.claimed_phone is not None:
            return f"{e164(account.claimed_phone)}{self._spaces.of_domain(account.domain).suffix}"
        return str(account.id)

    async def count_failure(self, name: str, address: str, account_id: int | None = None) -> None:
        """Count a wrong guess from an IP address, for one account if given, and remember an address at the limit."""
        limit, window = self._rules[name]
        if not limit:
            return
        now, subject = self._clock.now(), _guesser(address, account_id)
        counted = await self._store.count(name, subject, window, now)
        if counted.number >= limit:
            self._refused.add((name, subject), counted.ends_at, now)

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
