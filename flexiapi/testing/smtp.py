"""A real SMTP server, with TLS and AUTH."""

import asyncio
import hmac
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from flexiapi.testing.certificates import Certificates
from flexiapi.testing.local_server import HOST, OTHER_HOST, LocalServer
from flexiapi.testing.replies import Reply, reply

Encryption = Literal["none", "starttls", "tls"]


@dataclass(slots=True)
class ReceivedMail:
    """A mail transaction; `content` stays empty if the server rejected the mail."""

    sender: str | None
    recipient: str
    user: str | None
    encrypted: bool
    content: bytes = b""

    @property
    def message(self) -> EmailMessage:
        """The mail as it was sent."""
        return message_from_bytes(self.content, policy=policy.default)


class SmtpGateway(LocalServer[ReceivedMail]):
    """An SMTP server on localhost that gives replies at `stage` (RCPT or DATA) and demands AUTH if it has a user."""

    def __init__(
        self,
        *,
        encryption: Encryption = "none",
        user: str | None = None,
        password: str = "",
        stage: Literal["RCPT", "DATA"] = "RCPT",
        certificate_for: str = HOST,
    ) -> None:
        super().__init__(reply(250))
        self.host = HOST
        self.stage = stage
        self._encryption = encryption
        self._credentials = (user.encode(), password.encode()) if user is not None else None
        self._certificates = Certificates(certificate_for)
        self._trusted: Certificates | None = None
        self._sessions: set[_Session] = set()

    @property
    def ca_file(self) -> Path:
        """A file with the certificate authority to trust."""
        return (self._trusted or self._certificates).ca_file

    def pose_as_impostor(self, *, is_trusted: bool) -> bool:
        """Have a certificate that no client accepts, unless the server speaks no TLS."""
        if self._encryption == "none":
            return False
        self._certificates.discard()
        self._certificates = Certificates(OTHER_HOST if is_trusted else HOST)
        self._trusted = None if is_trusted else Certificates(HOST)
        return True

    @property
    def demands_sign_in(self) -> bool:
        """True if mails are accepted from its user only."""
        return self._credentials is not None

    async def listen(self) -> asyncio.Server:
        """Listen, with TLS from the first byte if configured."""
        context = self._certificates.server_context() if self._encryption == "tls" else None
        loop = asyncio.get_running_loop()
        return await loop.create_server(self._session, HOST, self.port, ssl=context)

    def _session(self) -> SMTP:
        self.connections += 1
        starttls = self._encryption == "starttls"
        session = _Session(
            _Handler(self),
            hostname="localhost",
            tls_context=self._certificates.server_context() if starttls else None,
            require_starttls=starttls,
            auth_require_tls=starttls,
            enable_SMTPUTF8=True,
            authenticator=self._authenticated,
            loop=asyncio.get_running_loop(),
        )
        self._sessions.add(session)
        return session

    def _authenticated(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        good = (
            self._credentials is not None
            and isinstance(data, LoginPassword)
            and hmac.compare_digest(data.login, self._credentials[0])
            and hmac.compare_digest(data.password, self._credentials[1])
        )
        return AuthResult(success=good, handled=False, auth_data=data.login if good else None)

    async def hang_up(self) -> None:
        """End all connections."""
        for session in self._sessions:
            session.cut()
        self._sessions.clear()

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._certificates.discard()
        if self._trusted is not None:
            self._trusted.discard()


class _Session(SMTP):
    """A connection that can be cut from outside."""

    @property
    def encrypted(self) -> bool:
        return self.transport is not None and self.transport.get_extra_info("sslcontext") is not None

    def cut(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()


class _Handler:
    """The handler of the mails of a connection."""

    def __init__(self, gateway: SmtpGateway) -> None:
        self._gateway = gateway
        self._mail: ReceivedMail | None = None

    async def handle_MAIL(
        self, server: _Session, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._gateway.demands_sign_in and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: _Session, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        user = session.auth_data.decode() if isinstance(session.auth_data, bytes) else None
        self._mail = ReceivedMail(envelope.mail_from, address, user, server.encrypted)
        envelope.rcpt_tos.append(address)
        answer = self._gateway.received_one(self._mail) if self._gateway.stage == "RCPT" else reply(250)
        return await _spoken(answer, server)

    async def handle_DATA(self, server: _Session, session: Session, envelope: Envelope) -> str:
        assert self._mail is not None
        if isinstance(envelope.content, bytes):
            self._mail.content = envelope.content
        answer = self._gateway.received_one(self._mail) if self._gateway.stage == "DATA" else reply(250)
        return await _spoken(answer, server)


async def _spoken(answer: Reply, session: _Session) -> str:
    await asyncio.sleep(answer.delay)
    if answer.fault == "silence":
        await asyncio.Event().wait()
    if answer.fault in ("reset", "goaway"):
        session.cut()
    if answer.fault is not None:
        return "\x00garbage"
    return f"{answer.status} {answer.body.decode() or 'as the test says'}"
