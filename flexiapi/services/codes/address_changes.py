"""A user's own e-mail address and phone number: changed by a PIN that was sent to the new one."""

from typing import Any, Literal, TypedDict

from flexiapi.crypto.codes import Codes, random_pin
from flexiapi.errors import FieldErrors, RecordNotFound, ValidationFailed, WrongCode
from flexiapi.model import Account, PendingChange
from flexiapi.rendering.messages import EmailChangedMail, EmailChangeMail, PhoneChangedMail, PhoneChangeSms
from flexiapi.services.clock import Clock
from flexiapi.services.codes.notices import Notices
from flexiapi.services.limiter import Limiter
from flexiapi.services.names import Names
from flexiapi.services.sign_in.signing_out import still_signed_in
from flexiapi.settings import AccountSettings
from flexiapi.store import IdentifierTaken, Store

Channel = Literal["email", "phone"]
_PHONE_TRIES = 1


class AddressValues(TypedDict, total=False):
    """A new address or number, if it is well-formed."""

    email: str
    phone: str


class AddressChanges:
    """Starts and confirms changes, one pending per account and channel.

    A PIN is kept only after its message was accepted, so that a refused one changes nothing.
    """

    def __init__(
        self,
        store: Store,
        names: Names,
        codes: Codes,
        notices: Notices,
        limiter: Limiter,
        settings: AccountSettings,
        clock: Clock,
    ) -> None:
        self._store = store
        self._names = names
        self._codes = codes
        self._notices = notices
        self._limiter = limiter
        self._life = settings.pin_life
        self._tries = {"email": settings.pin_tries, "phone": _PHONE_TRIES}
        self._clock = clock

    async def faults(self, account: Account, values: AddressValues) -> FieldErrors:
        """Check a new address or number: it is neither the present one nor taken."""
        email = values.get("email")
        if email is not None and email == account.email:
            return {"email": ["email is the present one"]}
        return await self._names.conflicts(values, account.domain, public=False)

    async def request_email(self, account: Account, email: str) -> None:
        """Send a PIN to a new address. Raises `TooManyRequests`, `DeliveryFailed`, `RecordNotFound`."""
        await self._limiter.count("codes", str(account.id))
        pin = random_pin()
        await self._notices.mail(email, EmailChangeMail(account.address, pin, self._life))
        await self._keep(account, "email", email, pin)

    async def request_phone(self, account: Account, phone: str) -> None:
        """Send a PIN to a new number. Raises `TooManyRequests`, `DeliveryFailed`, `RecordNotFound`."""
        await self._limiter.count("codes", str(account.id))
        pin = random_pin()
        await self._notices.text(phone, PhoneChangeSms(pin, self._life))
        await self._keep(account, "phone", phone, pin)

    async def _keep(self, account: Account, channel: Channel, target: str, pin: str) -> None:
        now = self._clock.second()
        pin_hash = self._codes.hash(pin, account.id, channel, target)
        pending = PendingChange(target, pin_hash, requested_at=now, expires_at=now + self._life)
        change: dict[str, Any] = {_field(channel): pending}
        if await self._store.accounts.update(account, expecting=still_signed_in(account), **change) is None:
            raise RecordNotFound

    async def confirm_email(self, account: Account, code: str) -> Account:
        """Change to the address that the PIN was sent to; what was mailed to the old one ends. Raises as `_confirm`."""
        changes: dict[str, Any] = {"provisioning_token": None, "provisioning_token_at": None}
        changed = await self._confirm(account, "email", code, changes)
        await self._notices.notify(account.email, EmailChangedMail(account.address, self._clock.now()))
        return changed

    async def confirm_phone(self, account: Account, code: str) -> Account:
        """Change to the number that the PIN was sent to. Raises as `_confirm`."""
        changed = await self._confirm(account, "phone", code, {})
        await self._notices.notify(account.email, PhoneChangedMail(account.address, self._clock.now()))
        return changed

    async def _confirm(self, account: Account, channel: Channel, code: str, changes: dict[str, Any]) -> Account:
        """The account as it is then.

        Raises `RecordNotFound` when no change is pending (any more), `WrongCode`, `ValidationFailed` when the address
        was taken meanwhile, `TooManyRequests` after too many tries on one day.
        """
        counted, pending = await self._counted(account, channel)
        if not self._codes.fits(code, pending.pin_hash, account.id, channel, pending.target):
            if pending.attempts >= self._tries[channel]:
                await self._drop(counted, channel, pending)
            raise WrongCode
        now = self._clock.second()
        changes = {channel: pending.target, _field(channel): None, "updated_at": now, **changes}
        changes |= {"activated": True, "activated_at": counted.activated_at or now}
        changes |= {"confirmation": None, "activation_expiration": None}
        try:
            changed = await self._store.accounts.update(counted, expecting=_same(channel, pending), **changes)
        except IdentifierTaken as error:
            await self._drop(counted, channel, pending)
            raise ValidationFailed({channel: [f"{channel} is taken"]}) from error
        if changed is None:
            raise RecordNotFound
        return changed

    async def _counted(self, account: Account, channel: Channel) -> tuple[Account, PendingChange]:
        """The account and its pending change, after the try at it was counted."""
        pending = _pending(account, channel)
        if pending is None:
            raise RecordNotFound
        if pending.expires_at <= self._clock.now():
            await self._drop(account, channel, pending)
            raise RecordNotFound
        await self._limiter.count("code_tries", str(account.id))
        counted = await self._store.accounts.count_try(account.id, _field(channel), self._tries[channel])
        pending = None if counted is None else _pending(counted, channel)
        if counted is None or pending is None:
            raise RecordNotFound
        return counted, pending

    async def _drop(self, account: Account, channel: Channel, pending: PendingChange) -> None:
        change: dict[str, Any] = {_field(channel): None}
        await self._store.accounts.update(account, expecting=_same(channel, pending), **change)


def _field(channel: Channel) -> str:
    return f"{channel}_change"


def _pending(account: Account, channel: Channel) -> PendingChange | None:
    return account.email_change if channel == "email" else account.phone_change


def _same(channel: Channel, pending: PendingChange) -> dict[str, Any]:
    """Holds an update to the change that was looked at: another request may have ended or replaced it."""
    return {f"{_field(channel)}.pin_hash": pending.pin_hash}
