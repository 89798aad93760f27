"""Contract of a notification backend: the names that a plugin imports.

A backend makes one attempt to send and reports the outcome. It does not retry, time out, limit, count or log: the
server does.
"""

import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, TypeVar

import httpx
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationInfo

__all__ = [
    "ANY_PROVIDER",
    "BackendConfig",
    "DataPath",
    "DeliveryError",
    "MailBackend",
    "MailMessage",
    "Permanent",
    "PushBackend",
    "PushMessage",
    "Receipt",
    "Retryable",
    "SmsBackend",
    "SmsMessage",
    "Unregistered",
    "retry_after",
    "tls_context",
    "unreachable",
]


class BackendConfig(BaseModel):
    """Base class of a backend's settings: describe every field, make secrets `SecretStr`; unknown keys are refused.

    The names `backend`, `order` and `prefixes` are reserved. A mail backend's `from_address` and `from_name` default to
    those of `[mail]`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _in_data_folder(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("data_path", "."), path)


DataPath = Annotated[Path, AfterValidator(_in_data_folder)]
"""A setting that names a file; a relative path, also a default one, is in the server's data folder."""

ANY_PROVIDER = "*"
"""In `providers`: every `pn_provider`."""


@dataclass(frozen=True, slots=True)
class PushMessage:
    """A push notification to one device, addressed by its RFC 8599 parameters.

    `data` is the content for the app (`token`); the backend wraps it for the app's platform.
    """

    provider: str
    param: str
    prid: str = field(repr=False)
    data: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SmsMessage:
    """An SMS to one phone number, written `+` and digits (E.164)."""

    phone: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailMessage:
    """A mail to one address; `html` is an alternative to `text`, never instead of it.

    `from_address` and `from_name` are the sender of the domain that the mail is about, `None` for the one of the
    backend's settings.
    """

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    from_address: str | None = None
    from_name: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that the provider accepted the message; `id` is the provider's, if it gives one."""

    id: str | None = None


class DeliveryError(Exception):
    """The message was not accepted. A backend raises one of the two subclasses, and nothing else.

    `reason` is logged and shown to operators: the provider's answer, never the content or recipient of the message.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retryable(DeliveryError):
    """A temporary failure: busy, unreachable, out of quota. `retry_after` is the provider's wish, in seconds."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Permanent(DeliveryError):
    """A final failure: this message, or this configuration, is refused."""


class Unregistered(Permanent):
    """The push address is no longer registered: the app was removed or has another token now."""


C = TypeVar("C", bound=BackendConfig)
M = TypeVar("M")


class Backend(ABC, Generic[C, M]):
    """Common base of the three kinds of backend; derive from one of them, not from this.

    A subclass has a `Config` (a `BackendConfig`). The server makes one instance per configured label and calls `start`
    once on the event loop before anything else, and `close` at the end.
    """

    Config: ClassVar[type[Any]]

    def __init__(self, config: C) -> None:
        self.config = config

    async def start(self) -> None:
        """Open the resources that sending needs: clients, pools, keys. A failure stops the server's start."""

    @abstractmethod
    async def send(self, message: M) -> Receipt:
        """Send once. Raises `Retryable`, `Permanent` or `Unregistered`. May be cancelled at any await."""

    async def check(self) -> None:
        """Check without sending that a message could be sent. Raises a `DeliveryError` that says what to fix."""

    async def close(self) -> None:
        """Close the resources that `start` opened."""


class PushBackend(Backend[C, PushMessage]):
    """Sends push notifications for the `pn_provider` values in `providers`; `ANY_PROVIDER` means all of them."""

    providers: ClassVar[frozenset[str]] = frozenset()


class SmsBackend(Backend[C, SmsMessage]):
    """Sends SMS."""


class MailBackend(Backend[C, MailMessage]):
    """Sends mails."""


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a client's TLS context that trusts the certificates in `ca_file`, by default those of httpx.

    It reads files, so call it in a thread. Raises `OSError` if the file does not exist or has no certificate.
    """
    if ca_file is None:
        return httpx.create_ssl_context()
    return ssl.create_default_context(cafile=ca_file)


def unreachable(error: Exception, whom: str, look_at: str = "ca_file") -> Retryable:
    """Return the reason why `whom` did not answer: an outage, or an untrusted certificate and the settings to check."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return Retryable(f"the certificate of {whom} is not trusted ({cause.verify_message}): look at {look_at}")
    return Retryable(f"{whom} cannot be reached, or broke off ({type(error).__name__})")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that an HTTP answer asks for in `Retry-After`, as a number or as a date.

    Return `None` without the header or if it is malformed, and 0 for a date in the past.
    """
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # A date without an offset (`-0000`) is in UTC too.
    wait = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
    return max(0.0, wait.total_seconds())
