"""Account recovery from a page: by e-mail or phone, without telling which accounts there are."""

from dataclasses import dataclass, field
from datetime import timedelta

from flexiapi.concurrency.tasks import Errands
from flexiapi.crypto.codes import grouped, random_key
from flexiapi.crypto.keys import readable
from flexiapi.errors import (
    ActivationExpired,
    CodeRefused,
    DeliveryFailed,
    RecordNotFound,
    StoreUnavailable,
    TooManyRequests,
    ValidationFailed,
)
from flexiapi.limit_key import counted_as
from flexiapi.model import Account, Actor, CodeChannel, Confirmation, Space, e164
from flexiapi.observing import log
from flexiapi.rendering.messages import PasswordResetMail
from flexiapi.services.codes.activation import compares_pin
from flexiapi.services.codes.recovery import Recovery
from flexiapi.services.codes.reset_links import LIFE, ResetLinks
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing


@dataclass(frozen=True, slots=True)
class RecoveryRequest:
    """An account as its owner names it: by its number, or by its address, with the user name where that is needed."""

    email: str | None = field(default=None, repr=False)
    username: str | None = None
    phone: str | None = field(default=None, repr=False)
    channel: CodeChannel = "sms"

    @property
    def subject(self) -> str:
        """The subject that tries are counted for, whether there is such an account or not."""
        if self.phone is not None:
            return f"recovery {e164(self.phone)}"
        return f"recovery {self.email} {self.username or ''}"


class WebRecovery:
    """Recovery codes that pages ask for.

    The request is answered before the account is looked up, so that neither the answer nor its time depends on it.
    Tries are counted for what was typed, known or not; the limits of the account itself refuse like a wrong code.
    """

    def __init__(self, ground: Ground, recovery: Recovery, reset_links: ResetLinks) -> None:
        self._store = ground.store
        self._spaces = ground.spaces
        self._recovery = recovery
        self._reset_links = reset_links
        self._notices = ground.notices
        self._limiter = ground.limiter
        self._clock = ground.clock
        self._errands = Errands()
        self._key_life = timedelta(hours=ground.settings.account.activation_hours)
        self.needs_username = not ground.settings.account.email_unique

    def way_to(self, account: Account) -> RecoveryRequest | None:
        """Return the request that sends a code to an account; `None` if it has no address or number for one."""
        if account.email is not None and account.claimed_email is None and not account.is_claim:
            return RecoveryRequest(email=account.email, username=account.address if self.needs_username else None)
        phone = account.phone or (account.username if account.username.startswith("+") else None)
        return None if phone is None else RecoveryRequest(phone=phone)

    def ask(self, asked: RecoveryRequest, actor: Actor) -> None:
        """Send a code to the owner of an account, beside the request."""
        self._errands.start(self._sent(asked, actor))

    async def finished(self) -> None:
        """Wait for the messages that are being sent."""
        await self._errands.finished()

    async def _sent(self, asked: RecoveryRequest, actor: Actor) -> None:
        try:
            if asked.phone is not None:
                await self._recovery.text_pin(asked.phone, actor, channel=asked.channel)
                return
            account = await self._by_email(asked, actor.space or self._spaces.default)
            if account is not None:
                await self._mail(account, actor)
        except RecordNotFound:
            log.info("recovery of no account", ip=actor.address)
        except (TooManyRequests, DeliveryFailed, ValidationFailed, StoreUnavailable) as error:
            log.warning("recovery code not sent", reason=type(error).__name__, ip=actor.address)

    async def _by_email(self, asked: RecoveryRequest, space: Space) -> Account | None:
        """Return the account that proved the address and may be recovered by it."""
        accounts, account = self._store.accounts, None
        if not self.needs_username:
            owner = await accounts.owner_of(f"mailto:{asked.email}{space.suffix}")
            account = None if owner is None else await accounts.by_id(owner, space.scope)
        elif asked.username is not None:
            name, _, domain = asked.username.removeprefix("sip:").partition("@")
            account = await accounts.by_address(name, domain or space.domain, space.scope)
        if account is None or account.email is None or account.email != asked.email:
            return None
        if account.claimed_email is not None or account.is_claim or account.is_shut_out or account.is_blocked:
            return None
        return account

    async def _mail(self, account: Account, actor: Actor) -> None:
        """Mail a code and a link. A code that is still valid is mailed again, so that strangers cannot end it."""
        now, pending = self._clock.second(), account.confirmation
        ends_at, key = now + self._key_life, None
        if pending is not None and pending.key is not None and (pending.expires_at is None or pending.expires_at > now):
            key, ends_at = readable(pending.key), pending.expires_at or ends_at
        is_new, key = key is None, key or random_key()
        token, link = self._reset_links.new(account)
        mail = PasswordResetMail(account.address, link, LIFE, grouped(key), ends_at - now)
        await self._notices.mail(account.email or "", mail, account, actor)
        if is_new:
            confirmation = Confirmation(key=key, expires_at=ends_at)
            account = existing(await self._store.accounts.apply(account.await_recovery_key(confirmation), actor))
        await self._reset_links.keep(token, account, actor)

    async def confirm(self, asked: RecoveryRequest, code: str, actor: Actor) -> Account:
        """Give an account back to the holder of its code.

        Raises `CodeRefused`, whatever the reason, and `TooManyRequests` after too many tries for what was typed.
        """
        space = actor.space or self._spaces.default
        subject, network = f"{asked.subject}{space.suffix}", counted_as(actor.address)
        await self._limiter.take(("code_tries_network", f"{subject} {network}"))
        try:
            account = await self._found(asked, space)
            if account is None or not compares_pin(account, code):
                await self._limiter.take_in_vain(subject, actor.address)
            if account is None:
                raise CodeRefused
            return await self._recovery.restore(account, code, actor)
        except (RecordNotFound, ActivationExpired, ValidationFailed, TooManyRequests) as error:
            raise CodeRefused from error

    async def _found(self, asked: RecoveryRequest, space: Space) -> Account | None:
        if asked.phone is None:
            return await self._by_email(asked, space)
        try:
            account, _ = await self._recovery.by_phone(asked.phone, space)
        except RecordNotFound:
            return None
        return None if account.is_shut_out or account.is_blocked else account
