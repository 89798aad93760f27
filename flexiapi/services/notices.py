"""Mails and SMS to people, within the limits per number and address."""

from flexiapi.errors import DeliveryFailed
from flexiapi.notify import Notifier
from flexiapi.observing import log
from flexiapi.plugin import MailMessage, SmsMessage
from flexiapi.rendering.messages import Mail, Sms
from flexiapi.rendering.renderer import Renderer
from flexiapi.services.limiter import Limiter


class Notices:
    """Messages, rendered and sent."""

    def __init__(self, notifier: Notifier, renderer: Renderer, limiter: Limiter) -> None:
        self._notifier = notifier
        self._renderer = renderer
        self._limiter = limiter

    async def text(self, phone: str, sms: Sms) -> None:
        """Send an SMS. Raises `TooManyRequests` for a number that had too many, and `DeliveryFailed`."""
        await self._limiter.count("sms_minute", phone)
        await self._limiter.count("sms_hour", phone)
        try:
            await self._notifier.sms(SmsMessage(phone, self._renderer.sms(sms)))
        except DeliveryFailed:
            await self._limiter.give_back("sms_minute", phone)
            await self._limiter.give_back("sms_hour", phone)
            raise

    async def mail(self, address: str, mail: Mail) -> None:
        """Send a mail with a secret. Raises `TooManyRequests` and `DeliveryFailed`."""
        await self._limiter.count("mails", address)
        await self._send(address, mail)

    async def notify(self, address: str | None, mail: Mail) -> None:
        """Mail a notice of a change, if there is an address. A failure is logged and has no other effect."""
        if address is None:
            return
        try:
            await self._send(address, mail)
        except DeliveryFailed:
            log.warning("notice not sent", notice=mail.name)

    async def _send(self, address: str, mail: Mail) -> None:
        rendered = self._renderer.mail(mail)
        await self._notifier.mail(MailMessage(address, rendered.subject, rendered.text, rendered.html))
