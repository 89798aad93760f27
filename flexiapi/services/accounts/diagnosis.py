"""Diagnosis of an account: why it cannot sign in, get codes, register or be set up, in plain words."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from flexiapi.crypto.keys import readable
from flexiapi.model import Account, Actor, e164
from flexiapi.rendering.catalogues import marked
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing
from flexiapi.services.sign_in import Passwords

# A failure that is older says nothing about today.
_TOLD = timedelta(days=14)

Topic = Literal["signing in", "codes", "registering", "setting up"]


@dataclass(frozen=True, slots=True)
class Hindrance:
    """One reason, what it keeps the account from, and what to do about it."""

    topic: Topic
    reason: str
    advice: str


class AccountDiagnosis:
    """Findings about accounts, from their state and from the limits that are used up, and the end of these limits."""

    def __init__(self, ground: Ground, passwords: Passwords) -> None:
        self._store = ground.store
        self._spaces = ground.spaces
        self._passwords = passwords
        self._notifier = ground.notifier
        self._clock = ground.clock
        self._limiter = ground.limiter
        self._token_life = timedelta(hours=ground.settings.account.provisioning_token_hours)
        limits, account = ground.settings.limits, ground.settings.account
        self._of_account: Mapping[str, tuple[Topic, int, str]] = {
            "failed_sign_ins_account": ("signing in", limits.failed_sign_ins_per_account, "wrong passwords"),
            "codes": ("codes", limits.codes_per_account, "codes were asked for"),
            "code_tries": ("codes", limits.wrong_codes_per_day, "tries of PINs"),
            "code_tries_network": ("codes", limits.wrong_codes_per_network, "tries of PINs"),
            "pin_tries": ("codes", account.pin_tries, "tries of one PIN"),
        }
        self._of_number: Mapping[str, tuple[Topic, int, str]] = {
            "sms_minute": ("codes", limits.sms_per_minute, "SMS to the number in a minute"),
            "sms_hour": ("codes", limits.sms_per_hour, "SMS to the number in an hour"),
            "sms_day": ("codes", limits.sms_per_day, "SMS to the number in a day"),
            "sms_number_network": ("codes", limits.sms_per_number_and_network, "SMS to the number in a day"),
        }
        self._of_mail: Mapping[str, tuple[Topic, int, str]] = {
            "mails": ("codes", limits.mails_per_hour, "mails to the address in an hour"),
        }

    async def of(self, account: Account) -> list[Hindrance]:
        """Return what keeps the account from its uses, the most telling first."""
        return [
            *self._state(account),
            *self._credentials(account),
            *[finding async for finding in self._limits(account)],
            *await self._numbers(account),
            *self._undelivered(account),
            *self._channels(account),
            *self._set_up(account),
        ]

    async def unlock(self, account: Account, actor: Actor) -> Account:
        """Forget failed sign-ins and tries of codes that were counted for the account. Raises `RecordNotFound`."""
        for name, subject in self._counted(account):
            await self._store.limits.forget(name, subject)
        return existing(await self._store.accounts.apply(account.unlock(self._clock.now()), actor))

    def _counted(self, account: Account) -> Iterator[tuple[str, str]]:
        """Yield the limits that count for the account, its number and its address."""
        suffix = self._spaces.of_domain(account.domain).suffix
        yield from ((name, str(account.id)) for name in self._of_account if not name.startswith("code_tries"))
        yield from ((name, self._limiter.tried_as(account)) for name in ("code_tries", "code_tries_network"))
        yield "code_tries", f"password {account.id}"
        number = account.texted_number
        if number:
            yield from ((name, f"{e164(number)}{suffix}") for name in self._of_number)
        if account.email:
            yield from ((name, f"{account.email}{suffix}") for name in self._of_mail)

    def _state(self, account: Account) -> Iterator[Hindrance]:
        if account.unreadable:
            reason = f"What the database has as its {', '.join(account.unreadable)} cannot be read."
            yield Hindrance("signing in", reason, "Replace it (PUT /api/accounts/{id}).")
        if account.is_blocked:
            reason = "It was blocked by an administrator."
            yield Hindrance("signing in", reason, "If it is to come back: POST /api/accounts/{id}/unblock.")
        if account.is_shut_out or account.is_barred:
            yield Hindrance("signing in", "It was deactivated by an administrator.", "`activate` it.")
        elif not account.activated:
            yield Hindrance(
                "registering",
                self._not_activated(account),
                "Send the code again (POST /api/accounts/{id}/resend), `provision` it, or `activate` it.",
            )
        expiration = account.activation_expiration
        if not account.activated and expiration is not None and expiration.expires <= self._clock.now():
            yield Hindrance(
                "setting up",
                f"The time for its activation ended on {_shown(expiration.expires)}.",
                "`activate` it, or give it another time through the API.",
            )

    def _not_activated(self, account: Account) -> str:
        pending = account.confirmation
        if pending is None:
            return "It is not activated yet: no code is pending."
        what = marked("mail") if pending.key is not None else "SMS"
        if pending.expires_at is None:
            return f"It is not activated yet: it waits for the code sent by {what}, which does not expire."
        until = _shown(pending.expires_at)
        if pending.expires_at <= self._clock.now():
            return f"It is not activated yet: the code sent by {what} expired on {until}."
        return f"It is not activated yet: it waits for the code sent by {what}, which expires on {until}."

    def _credentials(self, account: Account) -> Iterator[Hindrance]:
        if not account.passwords:
            yield Hindrance("signing in", "It has no password.", "`set-password`, or `provision` it.")
            return
        if all(readable(password.stored) is None for password in account.passwords):
            yield Hindrance(
                "signing in",
                "Its password cannot be read: it was stored with another application key.",
                "Name that key in app.previous_keys (APP_PREVIOUS_KEYS), or `set-password`.",
            )
        elif not self._passwords.algorithms(account):
            yield Hindrance(
                "signing in",
                "Its password is stored as MD5 only, and account.md5 (ACCOUNT_MD5) is off.",
                "`set-password`.",
            )

    async def _limits(self, account: Account) -> AsyncIterator[Hindrance]:
        now = self._clock.now()
        rules = {**self._of_account, **self._of_number, **self._of_mail}
        for name, subject in self._counted(account):
            topic, limit, what = rules[name]
            for count in await self._store.limits.standing(name, subject, now):
                whence = count.beside if name.endswith(("_network", "_account")) else None
                if limit and count.number >= limit:
                    reason = _over(count.number, what, whence, limit, _shown(count.ends_at))
                    yield Hindrance(topic, reason, "Wait until then, or `unlock` it.")
                elif name == "failed_sign_ins_account" and count.number:
                    yield Hindrance(topic, _so_far(count.number, what, whence), "Is that phone set up rightly?")

    async def _numbers(self, account: Account) -> list[Hindrance]:
        """Return what keeps all numbers like that of the account from codes."""
        number = account.texted_number
        if not number:
            return []
        found = [
            Hindrance(
                "codes",
                f"The budget of SMS ({one.name}) is used up: {one.used} of {one.most} a day.",
                f"Wait until {_shown(one.ends_at)}, or see the budgets in [limits]."
                if one.ends_at
                else "See [limits].",
            )
            for one in await self._limiter.used_up_budgets(number)
        ]
        if self._limiter.number_faults(number):
            advice = "See limits.sms_allowed_prefixes and limits.sms_denied_prefixes."
            found.append(Hindrance("codes", f"The settings let no codes be sent to numbers such as {number}.", advice))
        return found

    def _undelivered(self, account: Account) -> Iterator[Hindrance]:
        message = account.undelivered
        if message is None or message.at + _TOLD <= self._clock.now():
            return
        said = ": ".join(filter(None, (message.backend, message.reason)))
        yield Hindrance(
            "codes",
            f"The last message to it ({message.kind}) could not be sent on {_shown(message.at)}: {said}.",
            f"`flexiapi plugins check {message.backend}` tries that backend."
            if message.backend
            else "See [sms.NAME] and [mail.NAME] in the settings.",
        )

    def _channels(self, account: Account) -> Iterator[Hindrance]:
        transports = {outlet.transport for outlet in self._notifier.outlets}
        number = account.texted_number
        if not account.email and not number:
            yield Hindrance("codes", "It has neither an address nor a number for codes.", "`provision` it.")
        if account.email and "mail" not in transports:
            yield Hindrance("codes", "No mail backend is configured.", "See [mail] in the settings.")
        if number and "sms" not in transports:
            yield Hindrance("codes", "No SMS backend is configured.", "See [sms.NAME] in the settings.")
        if account.claimed_phone and not account.is_claim:
            yield Hindrance(
                "codes",
                f"Its number {account.claimed_phone} is not proven, so it cannot recover the account.",
                "Its owner confirms it in the app, or an administrator sets it.",
            )

    def _set_up(self, account: Account) -> Iterator[Hindrance]:
        base = self._spaces.of_domain(account.domain).provisioning_rc_file
        if base is not None and not base.exists():
            yield Hindrance(
                "setting up",
                f"There is no {base}, so phones are set up without it.",
                "See account.provisioning_rc_file (ACCOUNT_PROVISIONING_RC_FILE).",
            )
        made, now = account.provisioning_token_at, self._clock.now()
        if account.provisioning_token is None or made is None:
            return
        until = account.provisioning_token_until
        if (self._token_life and made + self._token_life <= now) or (until is not None and until <= now):
            yield Hindrance("setting up", f"Its link of {_shown(made)} has expired.", "`provision` makes another.")


def _over(number: int, what: str, whence: str | None, limit: int, until: str) -> str:
    # Whole sentences, since pages translate each as a whole.
    if whence:
        return f"{number} {what} from {whence}, and {limit} are allowed until {until}."
    return f"{number} {what}, and {limit} are allowed until {until}."


def _so_far(number: int, what: str, whence: str | None) -> str:
    if whence:
        return f"{number} {what} from {whence} within an hour."
    return f"{number} {what} within an hour."


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
