"""Changes of a user's own e-mail address and phone number, confirmed by a PIN sent to the new one."""

from datetime import timedelta
from typing import TypedDict

from flexiapi.crypto.codes import random_pin
from flexiapi.errors import FieldErrors, RecordNotFound, TooManyRequests, ValidationFailed, WrongCode
from flexiapi.model import Account, Actor, Channel, CodeChannel, PendingChange
from flexiapi.observing import log
from flexiapi.rendering.messages import EmailChangedMail, EmailChangeMail, PhoneChangedMail, PhoneChangeSms
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing
from flexiapi.store import IdentifierTaken

RESENT_AFTER = timedelta(seconds=60)
"""The time after which a code can be sent again."""


class AddressValues(TypedDict, total=False):
    """A new address or number and the way of its code, if they are well-formed."""

    email: str
    phone: str
    channel: CodeChannel


class AddressChanges:
    """Pending changes, one per account and channel.

    A PIN is stored only after its message was accepted, so that a failed delivery changes nothing.
    """

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._names = ground.names
        self._phone_countries = ground.phone_countries
        self._codes = ground.codes
        self._notices = ground.notices
        self._limiter = ground.limiter
        self._life = ground.settings.account.pin_life
        self._tries = ground.settings.account.pin_tries
        self._clock = ground.clock
        self._spaces = ground.spaces
        self._has_panel = ground.settings.panel.enabled

    async def faults(self, account: Account, values: AddressValues) -> FieldErrors:
        """Check a new address or number: a code may be sent to it, and it is neither the present one nor taken."""
        email = values.get("email")
        if email is not None and email == account.email != account.claimed_email:
            return {"email": ["email is the present one"]}
        conflicts = await self._names.conflicts(values, account.domain, public=False)
        space = self._spaces.of_domain(account.domain)
        conflicts |= await self._phone_countries.faults(values.get("phone"), space)
        return conflicts | self._notices.number_faults(values.get("phone"), values.get("channel"))

    async def request_email(self, account: Account, email: str, actor: Actor) -> None:
        """Send a PIN to a new address. Raises `TooManyRequests`, `DeliveryFailed`, `RecordNotFound`."""
        await self._limiter.count("codes", str(account.id))
        pin = random_pin()
        mail = EmailChangeMail(account.address, pin, self._life, self._link(account, "email", pin))
        await self._notices.mail(email, mail, account, actor)
        await self._await(account, "email", email, pin, actor)

    def _link(self, account: Account, channel: Channel, pin: str) -> str | None:
        """Return the page of the panel that takes a PIN, `None` without a panel. Opening it changes nothing."""
        space = self._spaces.of_domain(account.domain)
        return f"{space.url}/{channel}/validate?code={pin}" if self._has_panel else None

    async def request_phone(self, account: Account, phone: str, actor: Actor, *, channel: CodeChannel = "sms") -> None:
        """Send a PIN to a new number, by that channel. Raises `TooManyRequests`, `DeliveryFailed`, `RecordNotFound`."""
        await self._limiter.count("codes", str(account.id))
        pin = random_pin()
        sms = PhoneChangeSms(pin, self._life, account.domain, self._link(account, "phone", pin))
        await self._notices.text(phone, sms, account, actor, channel=channel)
        await self._await(account, "phone", phone, pin, actor)

    async def resend(self, account: Account, channel: Channel, actor: Actor) -> None:
        """Send a new PIN for the pending change, in place of the one before, to the same address or number.

        Raises `RecordNotFound` when no change is pending, `TooManyRequests` within a minute, `DeliveryFailed`.
        """
        pending, now = account.pending_change(channel), self._clock.now()
        if pending is None:
            raise RecordNotFound
        wait = pending.requested_at + RESENT_AFTER - now
        if wait > timedelta(0):
            raise TooManyRequests(int(wait.total_seconds()) + 1)
        await self._limiter.take(("resends", f"{account.id} {channel}"))
        if channel == "email":
            await self.request_email(account, pending.target, actor)
        else:
            await self.request_phone(account, pending.target, actor)

    async def cancel(self, account: Account, channel: Channel, actor: Actor) -> None:
        """End the pending change, if there is one."""
        if account.pending_change(channel) is not None:
            await self._store.accounts.apply(account.drop_change(channel), actor)

    def tries_left(self, pending: PendingChange) -> int:
        """Return how many codes can still be tried for a pending change; 0 when it has ended."""
        is_over = pending.expires_at <= self._clock.now()
        return 0 if is_over else max(0, self._tries - pending.attempts)

    async def _await(self, account: Account, channel: Channel, target: str, pin: str, actor: Actor) -> None:
        now = self._clock.second()
        pin_hash = self._codes.hash(pin, account.id, channel, target)
        pending = PendingChange(target, pin_hash, requested_at=now, expires_at=now + self._life)
        existing(await self._store.accounts.apply(account.await_change(channel, pending), actor))

    async def confirm_email(self, account: Account, code: str, actor: Actor) -> Account:
        """Change to the address that the PIN was sent to. Raises as `_confirm`."""
        changed = await self._confirm(account, "email", code, actor)
        notice = EmailChangedMail(account.address, self._clock.now())
        await self._notices.notify(account.email, notice, account, actor)
        return changed

    async def confirm_phone(self, account: Account, code: str, actor: Actor) -> Account:
        """Change to the number that the PIN was sent to. Raises as `_confirm`."""
        changed = await self._confirm(account, "phone", code, actor)
        notice = PhoneChangedMail(account.address, self._clock.now())
        await self._notices.notify(account.email, notice, account, actor)
        return changed

    async def _confirm(self, account: Account, channel: Channel, code: str, actor: Actor) -> Account:
        """Compare the code and apply the pending change. Return the account as it is then.

        Raises `RecordNotFound` when no change is pending (any more), `WrongCode`, `ValidationFailed` when the address
        was taken meanwhile.
        """
        counted, pending = await self._counted(account, channel, actor)
        accounts = self._store.accounts
        if not self._codes.fits(code, pending.pin_hash, account.id, channel, pending.target):
            log.warning("wrong code", of=f"{channel} change", account=account.id, ip=actor.address)
            if pending.attempts >= self._tries:
                await accounts.apply(counted.drop_change(channel), actor)
            raise WrongCode
        try:
            return existing(await accounts.apply(counted.confirm_change(channel, self._clock.second()), actor))
        except IdentifierTaken as error:
            await accounts.apply(counted.drop_change(channel), actor)
            raise ValidationFailed({channel: [f"{channel} is taken"]}) from error

    async def _counted(self, account: Account, channel: Channel, actor: Actor) -> tuple[Account, PendingChange]:
        """Count a try of the signed-in owner, and return the account and its pending change as they are then."""
        pending = account.pending_change(channel)
        if pending is None:
            raise RecordNotFound
        if pending.expires_at <= self._clock.now():
            await self._store.accounts.apply(account.drop_change(channel), actor)
            raise RecordNotFound
        counted = await self._store.accounts.count_try(account.id, f"{channel}_change", self._tries)
        pending = None if counted is None else counted.pending_change(channel)
        if counted is None or pending is None:
            raise RecordNotFound
        return counted, pending
