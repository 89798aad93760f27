"""Mails and SMS to people, within the limits per number and address."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from flexiapi.errors import DeliveryFailed, FieldErrors, StoreUnavailable, ValidationFailed
from flexiapi.language_tags import accepted, matched
from flexiapi.limit_key import counted_as
from flexiapi.model import Account, Actor, CodeChannel, Space, Undelivered, e164
from flexiapi.notify import Notifier
from flexiapi.observing import log
from flexiapi.plugin import Attachment, MailMessage, SmsMessage
from flexiapi.rendering.messages import Mail, Sms
from flexiapi.rendering.renderer import Renderer
from flexiapi.services.clock import Clock
from flexiapi.services.limiter import Limiter
from flexiapi.store import Store

_LONGEST_REASON = 200


class Notices:
    """Messages, rendered and sent in the name of the space that their account belongs to.

    An account remembers the last message with a code that could not be sent.
    """

    def __init__(self, notifier: Notifier, renderer: Renderer, limiter: Limiter, store: Store, clock: Clock) -> None:
        self._spaces = store.spaces
        self._accounts = store.accounts
        self._clock = clock
        self._notifier = notifier
        self._renderer = renderer
        self._limiter = limiter

    async def text(self, phone: str, sms: Sms, account: Account, actor: Actor, *, channel: CodeChannel = "sms") -> None:
        """Send an SMS with a code for an account that the actor asks for, or have it read out in a call.

        Raises `ValidationFailed` for a number that gets none by the settings or cannot be called, `TooManyRequests` for
        one or a network that had too many and when a budget is used up, and `DeliveryFailed`.
        """
        if faults := self.number_faults(phone, channel):
            raise ValidationFailed(faults)
        space = self._of(sms.domain)
        language = self._renderer.language(sms, _preferred(account, actor), space.language)
        text = sms.spoken() if channel == "voice" else sms
        number, network = f"{e164(phone)}{space.suffix}", counted_as(actor.address)
        uses = [(name, number) for name in ("sms_minute", "sms_hour", "sms_day")]
        if network:
            uses += [("sms_number_network", f"{number} {network}"), ("sms_network", network)]
        # Last, so that who is at a limit of their own uses up nothing of all others.
        uses += self._limiter.sms_budgets_of(phone)
        taken_at = await self._limiter.take(*uses)
        try:
            await self._notifier.sms(
                SmsMessage(
                    phone,
                    self._renderer.sms(text, space.name, language=language.templates),
                    kind=sms.name,
                    code=sms.code,
                    language=language.name,
                    sender=space.sms_sender,
                    time_to_live=_seconds(sms.expires_in),
                    channel="voice" if channel == "voice" else "text",
                )
            )
        except DeliveryFailed as error:
            await self._limiter.give_back(*uses, taken_at=taken_at)
            await self._remember(account, sms.name, error, actor)
            raise

    def number_faults(
        self, phone: str | None, channel: CodeChannel | None = "sms", field: str = "phone"
    ) -> FieldErrors:
        """Check that the settings let a code be sent to a number, which came in `field`, by that channel."""
        texts = [text.format(field=field) for text in self._limiter.number_faults(phone)]
        faults: FieldErrors = {field: texts} if texts else {}
        if phone is not None and channel == "voice" and not self._notifier.can_call(e164(phone)):
            faults["channel"] = ["channel cannot be voice: this service does not call such numbers"]
        return faults

    async def _remember(self, account: Account, kind: str, error: DeliveryFailed, actor: Actor) -> None:
        message = Undelivered(kind, error.backend, error.reason[:_LONGEST_REASON], self._clock.second())
        with contextlib.suppress(StoreUnavailable):
            await self._accounts.apply(account.note_undelivered(message), actor)

    def preferred_language(self, actor: Actor) -> str | None:
        """Return the language that a caller prefers, of those that there are; `None` without a wish for one of them."""
        usual = self._space_of(actor).language
        return matched(accepted(actor.accept_language), {*self._renderer.translations.languages, usual})

    def _space_of(self, actor: Actor) -> Space:
        return actor.space or self._spaces.default

    def _of(self, domain: str) -> Space:
        return self._spaces.by_domain.get(domain, self._spaces.default)

    async def mail(self, address: str, mail: Mail, account: Account, actor: Actor) -> None:
        """Send a mail with a secret for an account. Raises `TooManyRequests` and `DeliveryFailed`."""
        await self._limiter.count("mails", f"{address}{self._of(_domain(mail)).suffix}")
        try:
            await self._send(address, mail, _preferred(account, actor))
        except DeliveryFailed as error:
            await self._remember(account, mail.name, error, actor)
            raise

    async def invite(self, address: str, mail: Mail) -> None:
        """Send a mail with a secret to a person without an account. Raises `TooManyRequests` and `DeliveryFailed`."""
        await self._limiter.count("mails", f"{address}{self._of(_domain(mail)).suffix}")
        await self._send(address, mail, ())

    async def notify(
        self, address: str | None, mail: Mail, account: Account | None = None, actor: Actor | None = None
    ) -> None:
        """Mail a notice of a change of an account by an actor, if there is an address.

        A failure is logged and has no other effect.
        """
        if address is None:
            return
        try:
            await self._send(address, mail, _preferred(account, actor))
        except DeliveryFailed:
            log.warning("notice not sent", notice=mail.name)

    async def deliver(
        self,
        address: str,
        mail: Mail,
        account: Account,
        attachments: tuple[Attachment, ...],
        *,
        key: str,
        seconds: float,
    ) -> None:
        """Mail a notice with files within that time. All tries of it have the same key. Raises `DeliveryFailed`."""
        rendered = self._rendered(address, mail, _preferred(account, None))
        message = replace(rendered, attachments=attachments, idempotency_key=key)
        await self._notifier.mail(message, seconds)

    async def _send(self, address: str, mail: Mail, preferred: Sequence[str]) -> None:
        await self._notifier.mail(self._rendered(address, mail, preferred))

    def _rendered(self, address: str, mail: Mail, preferred: Sequence[str]) -> MailMessage:
        space = self._of(_domain(mail))
        language = self._renderer.language(mail, preferred, space.language)
        rendered = self._renderer.mail(mail, space.name, space.mail.signature, language=language.templates)
        sender = space.mail
        return MailMessage(
            address,
            rendered.subject,
            rendered.text,
            rendered.html,
            sender.from_address,
            sender.from_name,
            kind=mail.name,
            code=getattr(mail, "code", "") or None,
            reply_to=sender.reply_to,
            bounce_address=sender.bounce_address,
            language=language.name,
            time_to_live=_seconds(getattr(mail, "expires_in", None)),
        )


def _preferred(account: Account | None, actor: Actor | None) -> Sequence[str]:
    """Return the languages that the owner of an account prefers: its own, and those of a request by the owner."""
    own = [account.language] if account is not None and account.language is not None else []
    if account is None or actor is None or not actor.accept_language or not actor.is_owner_of(account.id):
        return own
    return [*own, *accepted(actor.accept_language)]


def _seconds(life: timedelta | None) -> int | None:
    return None if life is None else max(1, round(life.total_seconds()))


def _domain(mail: Mail) -> str:
    return mail.sip_address.rpartition("@")[2]
