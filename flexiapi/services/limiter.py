"""Rate limits by IP address, account or number, and budgets of SMS, counted in the store."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from flexiapi.errors import TooManyRequests
from flexiapi.limit_key import counted_as
from flexiapi.model import Account, Confirmation, e164
from flexiapi.observing import log
from flexiapi.services.clock import Clock
from flexiapi.services.remembered import Remembered
from flexiapi.settings import AccountSettings, LimitSettings
from flexiapi.store import Store

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TOTAL = "total"
"""The budget of SMS to all numbers; others are named by their prefix."""

_MOST_REMEMBERED = 10_000
_BUDGET = "sms_budget "
_ALL = "all"

Use = tuple[str, str]
"""The name of a limit and who or what it counts."""


@dataclass(frozen=True, slots=True)
class SmsBudget:
    """A budget of SMS: how many of how many are used, and when its day ends; `None` before the first one."""

    name: str
    most: int
    used: int = 0
    ends_at: datetime | None = None
    left: timedelta = DAY

    @property
    def is_nearly_used_up(self) -> bool:
        """True if four fifths are used."""
        return self.used * 5 >= self.most * 4


class Limiter:
    """The limits of the settings. Networks are IPv4 addresses and IPv6 /64.

    Wrong guesses are counted after the comparison. An address with too many is then refused from memory before its
    next guess is compared, so that a right sign-in costs no counter.
    """

    def __init__(self, settings: LimitSettings, account: AccountSettings, store: Store, clock: Clock) -> None:
        self._store = store.limits
        self._spaces = store.spaces
        self._clock = clock
        self._allowed = settings.sms_allowed_prefixes
        self._denied = settings.sms_denied_prefixes
        self._prefixes = tuple(settings.sms_by_prefix)
        budgets = {TOTAL: settings.sms_total_per_day, **settings.sms_by_prefix}
        self._budgets = {name: most for name, most in budgets.items() if most}
        self._rules: Mapping[str, tuple[int, timedelta]] = {
            "anonymous_tokens": (settings.anonymous_tokens_per_minute, MINUTE),
            "messages": (settings.messages_per_minute, MINUTE),
            "sms_minute": (settings.sms_per_minute, MINUTE),
            "sms_hour": (settings.sms_per_hour, HOUR),
            "sms_day": (settings.sms_per_day, DAY),
            "sms_number_network": (settings.sms_per_number_and_network, DAY),
            "sms_network": (settings.sms_per_network, DAY),
            "codes": (settings.codes_per_account, HOUR),
            "resends": (1, MINUTE),
            "recovery_tokens": (1, timedelta(minutes=account.recovery_token_retry_minutes)),
            "tests": (settings.tests_per_hour, HOUR),
            "exports": (settings.exports_per_hour, HOUR),
            "mails": (settings.mails_per_hour, HOUR),
            "qr_sign_ins": (settings.qr_sign_ins_per_account, HOUR),
            "wrong_codes": (settings.wrong_codes_per_hour, HOUR),
            "code_tries": (settings.wrong_codes_per_day, DAY),
            "code_tries_network": (settings.wrong_codes_per_network, DAY),
            # Each window begins with a try, so none ends before its PIN.
            "pin_tries": (account.pin_tries, account.pin_life),
            **{_BUDGET + name: (most, DAY) for name, most in self._budgets.items()},
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

    async def give_back(self, *uses: Use, taken_at: datetime) -> None:
        """Undo one count each of something that did not happen. A window that has begun since has no such count."""
        for name, subject in uses:
            limit, window = self._rules[name]
            if limit:
                await self._store.give_back(name, subject, taken_at + window)

    async def take(self, *uses: Use) -> datetime:
        """Count one use against several limits, or none if one of them is reached. Raises `TooManyRequests` then.

        Return the moment, for `give_back`.
        """
        now = self._clock.now()
        for place, (name, subject) in enumerate(uses):
            limit, window = self._rules[name]
            ends_at = await self._store.take(name, subject, window, limit, now) if limit else None
            if ends_at is not None:
                await self.give_back(*uses[:place], taken_at=now)
                raise _is_over(name, ends_at, now)
        return now

    async def left_of_pin(self, account: Account, pending: Confirmation, address: str) -> int | None:
        """Return how many tries of an account's PIN a network has left, `None` without a limit."""
        if pending.pin_hash is None:
            return None
        uses = {use[0]: use for use in self._pin_uses(account, pending, address) if self._rules[use[0]][0]}
        counts = await self._store.open_counts(uses, self._clock.now())
        left = [self._rules[name][0] - (counts[name].number if name in counts else 0) for name in uses]
        return max(0, min(left, default=0)) if left else None

    async def seconds_left(self, name: str, subject: str) -> int:
        """Return for how many seconds a subject that has used up its limit has to wait, 0 if it need not."""
        now, limit = self._clock.now(), self._rules[name][0]
        counts = await self._store.open_counts({name: (name, subject)}, now)
        counted = counts.get(name)
        return _seconds_until(counted.ends_at, now) if counted is not None and limit <= counted.number else 0

    def number_faults(self, phone: str | None) -> list[str]:
        """Return what is wrong with a number that a code is to be sent to: the settings may not allow it."""
        number = "" if phone is None else e164(phone)
        allowed, denied = _longest(self._allowed, number), _longest(self._denied, number)
        if not number or len(allowed) > len(denied) or not (self._allowed or denied):
            return []
        return ["{field} is a number that this service sends no codes to"]

    def sms_budgets_of(self, phone: str) -> list[Use]:
        """Return the uses of budgets that an SMS to a number is: that of the longest prefix, and the total."""
        names = (_longest(self._prefixes, e164(phone)), TOTAL)
        return [(_BUDGET + name, _ALL) for name in names if name in self._budgets]

    @property
    def has_sms_budgets(self) -> bool:
        """True if the settings have any."""
        return bool(self._budgets)

    async def sms_budgets(self) -> list[SmsBudget]:
        """Return the budgets as they are used now."""
        now, names = self._clock.now(), {name: (_BUDGET + name, _ALL) for name in self._budgets}
        counts = await self._store.open_counts(names, now) if names else {}
        return [
            SmsBudget(name, most, min(count.number, most), count.ends_at, count.ends_at - now)
            if (count := counts.get(name)) is not None
            else SmsBudget(name, most)
            for name, most in self._budgets.items()
        ]

    async def used_up_budgets(self, phone: str) -> list[SmsBudget]:
        """Return the budgets that keep an SMS from a number now."""
        names = {name.removeprefix(_BUDGET) for name, _ in self.sms_budgets_of(phone)}
        return [one for one in await self.sms_budgets() if one.name in names and one.used >= one.most]

    async def take_pin_try(self, account: Account, pending: Confirmation, address: str) -> None:
        """Count a try of an account's PIN before it is compared. Raises `TooManyRequests`.

        Each network that asked for a PIN has its share of tries and all others together have one, so that others do
        not use up that of the owner. The tries of a day are limited for the account or claimed number, and for
        each network.
        """
        await self.take(*self._pin_uses(account, pending, address))

    async def take_in_vain(self, subject: str, address: str) -> None:
        """Count as the comparison of a PIN does, where none is compared, so that the answer takes as long."""
        of_network = f"{subject} {counted_as(address)}"
        uses = (("pin_tries", of_network), ("code_tries", of_network), ("code_tries", subject))
        with contextlib.suppress(TooManyRequests):
            await self.take(*uses)

    def _pin_uses(self, account: Account, pending: Confirmation, address: str) -> list[Use]:
        network, tried = counted_as(address), self.tried_as(account)
        share = network if network in pending.networks else "others"
        return [
            ("pin_tries", f"{account.id} {(pending.pin_hash or b'').hex()[:16]} {share}"),
            ("code_tries_network", f"{tried} {network}"),
            ("code_tries", tried),
        ]

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


def _is_over(name: str, ends_at: datetime, now: datetime) -> TooManyRequests:
    """Return the failure for a limit that is reached. When a budget of all callers begins anew is told to none."""
    if not name.startswith(_BUDGET):
        return TooManyRequests(_seconds_until(ends_at, now))
    log.warning("budget of SMS is used up", budget=name.removeprefix(_BUDGET), until=f"{ends_at:%Y-%m-%dT%H:%MZ}")
    return TooManyRequests(int(HOUR.total_seconds()))


def _longest(prefixes: Iterable[str], number: str) -> str:
    """Return the longest of the prefixes that a number begins with, an empty text if none does."""
    return max((prefix for prefix in prefixes if number.startswith(prefix)), key=len, default="")


def _seconds_until(moment: datetime, now: datetime) -> int:
    return int((moment - now).total_seconds()) + 1
