"""Codes that are sent again."""

from datetime import datetime, timedelta

from flexiapi.crypto.codes import grouped, random_key, random_pin
from flexiapi.errors import ActivationExpired, DeliveryFailed, RecordNotFound, ValidationFailed
from flexiapi.limit_key import counted_as
from flexiapi.model import Account, Actor, CodeChannel, Confirmation
from flexiapi.rendering.messages import AccountConfirmationMail, AccountConfirmationSms
from flexiapi.services.confirmation_links import ConfirmationLinks
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing


class Resending:
    """New codes for accounts that wait for their activation, by the channel of the code before.

    A code is stored only after its message was accepted, so that the one before is good until then.
    """

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._codes = ground.codes
        self._notices = ground.notices
        self._links = ConfirmationLinks(ground.spaces, ground.settings.panel)
        self._limiter = ground.limiter
        self._pin_life = ground.settings.account.pin_life
        self._key_life = timedelta(hours=ground.settings.account.activation_hours)
        self._clock = ground.clock

    async def resend(self, account: Account, actor: Actor, *, channel: CodeChannel = "sms") -> None:
        """Send a new code in place of the pending one, to a number by that channel.

        An account without a pending code gets a mail, or else an SMS. Raises `RecordNotFound` for one that is active or
        has neither address nor number, `ValidationFailed` when the address of a mailed key is gone or the number gets
        no codes, `ActivationExpired` after the time that an administrator set, `TooManyRequests`, `DeliveryFailed`.
        """
        pending, number = account.confirmation, account.texted_number or ""
        by_mail = account.email is not None if pending is None else pending.key is not None
        if account.activated or not (by_mail or number):
            raise RecordNotFound
        if by_mail and account.email is None:
            raise ValidationFailed({"email": ["email is not set on this account"]})
        if not by_mail and (faults := self._notices.number_faults(number, channel)):
            raise ValidationFailed(faults)
        expires_at = self._end(account, self._key_life if by_mail else self._pin_life)
        await self._limiter.count("codes", str(account.id))
        if by_mail:
            confirmation = await self._mail(account, expires_at, actor)
        else:
            confirmation = await self._text(account, number, expires_at, actor, channel)
        existing(await self._store.accounts.apply(account.await_code(confirmation), actor))

    async def resend_own(self, account: Account, actor: Actor, *, channel: CodeChannel = "sms") -> None:
        """Send the caller a new code in place of the pending one, at most one a minute. Raises as `resend`."""
        use = ("resends", str(account.id))
        taken_at = await self._limiter.take(use)
        try:
            await self.resend(account, actor, channel=channel)
        except (DeliveryFailed, ValidationFailed):
            await self._limiter.give_back(use, taken_at=taken_at)
            raise

    async def seconds_left(self, account: Account) -> int:
        """Return for how many seconds the caller has to wait before another code can be asked for."""
        return await self._limiter.seconds_left("resends", str(account.id))

    def _end(self, account: Account, life: timedelta) -> datetime:
        now, expiration = self._clock.second(), account.activation_expiration
        if expiration is None:
            return now + life
        if expiration.expires <= now:
            raise ActivationExpired
        return min(now + life, expiration.expires)

    async def _mail(self, account: Account, expires_at: datetime, actor: Actor) -> Confirmation:
        key, life = random_key(), expires_at - self._clock.second()
        mail = AccountConfirmationMail(account.address, grouped(key), life, self._links.mailed(account, key))
        await self._notices.mail(account.email or "", mail, account, actor)
        return Confirmation(key=key, expires_at=expires_at)

    async def _text(
        self, account: Account, number: str, expires_at: datetime, actor: Actor, channel: CodeChannel
    ) -> Confirmation:
        pin, life = random_pin(), expires_at - self._clock.second()
        sms = AccountConfirmationSms(pin, life, account.domain, self._links.texted(account, pin))
        await self._notices.text(number, sms, account, actor, channel=channel)
        pin_hash = self._codes.hash(pin, account.id, "confirmation", number)
        networks = account.networks_asking(counted_as(actor.address), self._clock.second())
        return Confirmation(pin_hash=pin_hash, expires_at=expires_at, networks=networks)
