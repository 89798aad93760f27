"""A real SMTP server, with TLS and AUTH."""

import asyncio
import hmac
import json
import time
from base64 import b64decode
from collections.abc import Container
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
Stage = Literal["RCPT", "DATA"]

# RFC 4954: access tokens are longer than other arguments of commands.
_LONGEST_SIGN_IN = 12288

_OK = 250


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
    """An SMTP server on localhost that gives replies at `stage` (RCPT or DATA).

    With a `user` or `access_tokens` it demands AUTH: by password, or by one of these tokens (XOAUTH2).
    """

    def __init__(
        self,
        *,
        encryption: Encryption = "none",
        user: str | None = None,
        password: str = "",
        access_tokens: Container[str] | None = None,
        stage: Stage = "RCPT",
        certificate_for: str = HOST,
    ) -> None:
        super().__init__(reply(_OK))
        self.host = HOST
        self.stage = stage
        self.access_tokens = access_tokens
        self.most_connections = 0
        """The largest number of connections that were open at once."""
        self._encryption = encryption
        self._credentials = (user.encode(), password.encode()) if user is not None else None
        self._certificates = Certificates(certificate_for)
        self._trusted: Certificates | None = None
        self._sessions: set[SmtpSession] = set()

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
        return self._credentials is not None or self.access_tokens is not None

    @property
    def idle_limit(self) -> float:
        """Seconds without a command after which a connection is closed."""
        return 300.0

    @property
    def open_connections(self) -> int:
        """The number of connections that are open now."""
        return len(self._sessions)

    async def greeting(self, session: "SmtpSession") -> str | None:
        """Return the first line of a connection; `None` for the usual one. After one that begins with 421 it ends."""
        return None

    def forgets(self, idle_seconds: float) -> bool:
        """Return whether a connection that was idle for so long is never answered again."""
        return False

    def answer_at(self, stage: Stage, mail: ReceivedMail) -> Reply:
        """Return the answer to a recipient or to the content of a mail."""
        return self.received_one(mail) if stage == self.stage else reply(_OK)

    async def listen(self) -> asyncio.Server:
        """Listen, with TLS from the first byte if configured."""
        context = self._certificates.server_context() if self._encryption == "tls" else None
        loop = asyncio.get_running_loop()
        return await loop.create_server(self._session, HOST, self.port, ssl=context)

    def _session(self) -> SMTP:
        self.connections += 1
        starttls = self._encryption == "starttls"
        return SmtpSession(
            self,
            tls_context=self._certificates.server_context() if starttls else None,
            require_starttls=starttls,
            auth_require_tls=starttls,
            auth_exclude_mechanism=self._mechanisms_without,
            authenticator=self._authenticated,
        )

    @property
    def _mechanisms_without(self) -> list[str]:
        if self.access_tokens is None:
            return ["XOAUTH2"]
        return ["LOGIN", "PLAIN"] if self._credentials is None else []

    def begun(self, session: "SmtpSession") -> None:
        """Count a connection."""
        self._sessions.add(session)
        self.most_connections = max(self.most_connections, len(self._sessions))

    def ended(self, session: "SmtpSession") -> None:
        """Note the end of a connection."""
        self._sessions.discard(session)

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
        for session in tuple(self._sessions):
            session.cut()
        self._sessions.clear()

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._certificates.discard()
        if self._trusted is not None:
            self._trusted.discard()


class SmtpSession(SMTP):
    """A connection that can be cut from outside, or forgotten: then it stays open, and silent."""

    def __init__(self, gateway: SmtpGateway, **options: Any) -> None:
        self._gateway = gateway
        self._greeted = False
        self._used_at = time.monotonic()
        self.is_forgotten = False
        if gateway.access_tokens is not None:
            self.line_length_limit = _LONGEST_SIGN_IN
        super().__init__(
            _Handler(gateway),
            hostname="localhost",
            enable_SMTPUTF8=True,
            timeout=gateway.idle_limit,
            loop=asyncio.get_running_loop(),
            **options,
        )
        self.command_size_limits["AUTH"] = _LONGEST_SIGN_IN

    @property
    def encrypted(self) -> bool:
        """True if it is over TLS."""
        return self.transport is not None and self.transport.get_extra_info("sslcontext") is not None

    def cut(self) -> None:
        """End it at once."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve, or go on over TLS."""
        self._gateway.begun(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        self._gateway.ended(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """Take what the client says, unless the connection is forgotten."""
        now = time.monotonic()
        self.is_forgotten = self.is_forgotten or self._gateway.forgets(now - self._used_at)
        self._used_at = now
        if not self.is_forgotten:
            super().data_received(data)

    async def push(self, status: Any) -> None:
        """Say a line."""
        await self._gateway.stall_over()
        if not self._greeted:
            self._greeted = True
            status = await self._gateway.greeting(self) or status
        if self.is_forgotten:
            return
        await super().push(status)
        self._used_at = time.monotonic()
        if str(status).startswith("421") and self.transport is not None:
            self.transport.close()


class _Handler:
    """The handler of the mails of a connection."""

    def __init__(self, gateway: SmtpGateway) -> None:
        self._gateway = gateway
        self._mail: ReceivedMail | None = None

    async def auth_XOAUTH2(self, server: SmtpSession, args: list[str]) -> AuthResult:
        user, token = _bearer(args[1])
        tokens = self._gateway.access_tokens
        if tokens is not None and token in tokens:
            return AuthResult(success=True, auth_data=user.encode())
        # The client has to answer the challenge before it learns of the failure.
        await server.challenge_auth(json.dumps({"status": "401", "schemes": "bearer"}))
        return AuthResult(success=False, handled=False, message="535 5.7.3 Authentication unsuccessful")

    async def handle_MAIL(
        self, server: SmtpSession, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self._gateway.stall_over()
        if self._gateway.demands_sign_in and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SmtpSession, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        await self._gateway.stall_over()
        user = session.auth_data.decode() if isinstance(session.auth_data, bytes) else None
        self._mail = ReceivedMail(envelope.mail_from, address, user, server.encrypted)
        envelope.rcpt_tos.append(address)
        return await _spoken(self._gateway.answer_at("RCPT", self._mail), server)

    async def handle_DATA(self, server: SmtpSession, session: Session, envelope: Envelope) -> str:
        await self._gateway.stall_over()
        assert self._mail is not None
        if isinstance(envelope.content, bytes):
            self._mail.content = envelope.content
        return await _spoken(self._gateway.answer_at("DATA", self._mail), server)


def _bearer(encoded: str) -> tuple[str, str]:
    """Return user and token of `user=...^Aauth=Bearer ...^A^A`."""
    fields = dict(part.partition("=")[::2] for part in b64decode(encoded).decode().split("\x01") if part)
    return fields.get("user", ""), fields.get("auth", "").removeprefix("Bearer ")


async def _spoken(answer: Reply, session: SmtpSession) -> str:
    await asyncio.sleep(answer.delay)
    if answer.fault == "silence":
        await asyncio.Event().wait()
    if answer.fault in ("reset", "goaway"):
        session.cut()
    if answer.fault is not None:
        return "\x00garbage"
    return f"{answer.status} {answer.body.decode() or 'as the test says'}"
