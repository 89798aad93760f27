"""Mails about new voicemails: what follows from the event of a stored one."""

from datetime import timedelta

from flexiapi.errors import DeliveryFailed
from flexiapi.model import Account, Event, Voicemail
from flexiapi.observing import log
from flexiapi.plugin import Attachment, RecipientRefused
from flexiapi.rendering.messages import VoicemailMail
from flexiapi.services.calls.voicemail import Voicemails
from flexiapi.services.ground import Ground

EVENT = "voicemail.stored"
AGAIN_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480))
"""The times after each failed try. After one more the mail is given up."""

_TRY = timedelta(minutes=5)
_SECONDS = 60.0


class VoicemailNotices:
    """Mails to the owners of voicemails, each sent once by one of all servers, and tried again for some hours."""

    event = EVENT

    def __init__(self, ground: Ground, voicemails: Voicemails) -> None:
        self._settings = ground.settings.voicemail
        self._has_panel = ground.settings.panel.enabled
        self._mails = ground.store.voicemails.mails
        self._accounts = ground.store.accounts
        self._voicemails = voicemails
        self._notices = ground.notices
        self._spaces = ground.spaces
        self._clock = ground.clock

    async def take(self, event: Event) -> None:
        """Note the mail that follows from an event. One that was noted before is not noted again."""
        if self._settings.mail and isinstance(event.subject, int):
            await self._mails.add(event.id, event.subject, event.details["voicemail"], self._clock.now())

    async def send_due(self) -> bool:
        """Try to send a mail that is due. Return False if there is none."""
        now = self._clock.now()
        due = await self._mails.take_due(now, now + _TRY)
        if due is None:
            return False
        if due.tries > len(AGAIN_AFTER) + 1:
            # The tries before ended without an outcome, such as by the end of their process.
            await self._mails.finish(due.event_id, now)
            return True
        try:
            await self._send(due.account_id, due.voicemail_id, due.event_id)
        except DeliveryFailed as error:
            is_last = due.tries > len(AGAIN_AFTER) or isinstance(error.__cause__, RecipientRefused)
            if not is_last:
                await self._mails.put_off(due.event_id, now + AGAIN_AFTER[due.tries - 1])
                return True
            log.warning("the mail about a voicemail was not sent", account=due.account_id, reason=error.reason)
        await self._mails.finish(due.event_id, self._clock.now())
        return True

    async def _send(self, account_id: int, voicemail_id: str, event_id: str) -> None:
        account = await self._accounts.by_id(account_id)
        voicemail = await self._voicemails.if_any(account_id, voicemail_id)
        if account is None or voicemail is None or account.proven_email is None or not self._settings.mail:
            return
        if account.is_shut_out or account.is_blocked:
            return
        await self._notices.deliver(
            account.proven_email,
            self._mail(account, voicemail),
            account,
            await self._attached(voicemail),
            key=event_id.zfill(32),
            seconds=_SECONDS,
        )

    def _mail(self, account: Account, voicemail: Voicemail) -> VoicemailMail:
        link = f"{self._spaces.of_domain(account.domain).url}/voicemail"
        if not self._has_panel:
            link = self._voicemails.url_of(voicemail, account) or link
        return VoicemailMail(account.address, voicemail.caller_address, voicemail.uploaded_at, link)

    async def _attached(self, voicemail: Voicemail) -> tuple[Attachment, ...]:
        if voicemail.size > self._settings.most_attached_bytes:
            return ()
        content = b"".join([piece async for piece in self._voicemails.content(voicemail, 0, voicemail.size)])
        return (Attachment(voicemail.name, voicemail.type.served_as, content),)
