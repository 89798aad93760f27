"""Profile of a mail server as it stands in the field."""

import asyncio
from collections.abc import Container
from email.parser import BytesHeaderParser

from flexiapi.testing.replies import RESET, Reply, reply
from flexiapi.testing.smtp import Encryption, ReceivedMail, SmtpGateway, SmtpSession, Stage

_ACCEPTED = 250


class MailServer(SmtpGateway):
    """An SMTP server that greylists, tarpits, forgets idle connections and limits their number.

    Attributes, which a test may change at any time:
        dead: addresses without a mailbox (550 5.1.1).
        full: addresses whose mailbox is full (452 4.2.2).
        greylists: whether the first try for each recipient is put off (450 4.7.1).
        tarpit_seconds: how long the answer to a recipient takes.
        banner_seconds: how long the first line of a connection takes.
        connection_limit: connections that it serves at once; further ones get 421.
        forgets_after: seconds without a word after which a connection is silent for ever, as behind a firewall.
        loses_answers: number of mails that it takes next, but whose connection ends before the answer.
        delivered: what is in each mailbox; a mail that came again, by its Message-ID, is there once.
        repeats: number of mails that came again.
    """

    def __init__(
        self,
        *,
        encryption: Encryption = "none",
        user: str | None = None,
        password: str = "",
        access_tokens: Container[str] | None = None,
        greylists: bool = False,
        tarpit_seconds: float = 0.0,
        banner_seconds: float = 0.0,
        connection_limit: int | None = None,
        forgets_after: float | None = None,
        closes_after: float = 300.0,
    ) -> None:
        super().__init__(encryption=encryption, user=user, password=password, access_tokens=access_tokens, stage="DATA")
        self.dead: set[str] = set()
        self.full: set[str] = set()
        self.greylists = greylists
        self.tarpit_seconds = tarpit_seconds
        self.banner_seconds = banner_seconds
        self.connection_limit = connection_limit
        self.forgets_after = forgets_after
        self.loses_answers = 0
        self.delivered: dict[str, list[ReceivedMail]] = {}
        self.repeats = 0
        self._closes_after = closes_after
        self._served: set[SmtpSession] = set()
        self._known: set[tuple[str | None, str]] = set()
        self._taken: set[tuple[str, str]] = set()

    @property
    def idle_limit(self) -> float:
        """Seconds without a command after which a connection is closed."""
        return self._closes_after

    def forget_connections(self) -> None:
        """Be silent for ever on the connections that are open now, as a firewall that was restarted."""
        for session in tuple(self._sessions):
            session.is_forgotten = True

    def forgets(self, idle_seconds: float) -> bool:
        """Return whether a connection that was idle for so long is never answered again."""
        return self.forgets_after is not None and idle_seconds > self.forgets_after

    def begun(self, session: SmtpSession) -> None:
        """Count a connection, and serve it if there are not too many."""
        super().begun(session)
        if self.connection_limit is None or len(self._served) < self.connection_limit:
            self._served.add(session)

    def ended(self, session: SmtpSession) -> None:
        """Note the end of a connection."""
        super().ended(session)
        self._served.discard(session)

    async def greeting(self, session: SmtpSession) -> str | None:
        """Return the first line of a connection, which turns away those beyond the limit."""
        if session not in self._served:
            return "421 4.7.0 Too many connections from your address"
        await asyncio.sleep(self.banner_seconds)
        return None

    def answer_at(self, stage: Stage, mail: ReceivedMail) -> Reply:
        """Return the answer to a recipient or to the content of a mail."""
        if stage == "RCPT":
            return self._refusal(mail) or reply(_ACCEPTED, delay=self.tarpit_seconds)
        answer = super().answer_at(stage, mail)
        if answer.status != _ACCEPTED or answer.fault is not None:
            return answer
        self._deliver(mail)
        if self.loses_answers > 0:
            self.loses_answers -= 1
            return RESET
        return answer

    def _refusal(self, mail: ReceivedMail) -> Reply | None:
        if mail.recipient in self.dead:
            return reply(550, body=f"5.1.1 <{mail.recipient}>: Recipient address rejected: User unknown")
        if mail.recipient in self.full:
            return reply(452, body=f"4.2.2 <{mail.recipient}>: The mailbox is full")
        known = (mail.sender, mail.recipient)
        if self.greylists and known not in self._known:
            self._known.add(known)
            return reply(450, body=f"4.7.1 <{mail.recipient}>: Recipient address rejected: Greylisted")
        return None

    def _deliver(self, mail: ReceivedMail) -> None:
        message_id = BytesHeaderParser().parsebytes(mail.content).get("Message-ID")
        taken = (mail.recipient, f"{message_id}")
        if message_id is not None and taken in self._taken:
            self.repeats += 1
            return
        self._taken.add(taken)
        self.delivered.setdefault(mail.recipient, []).append(mail)
