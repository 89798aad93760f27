"""The contract of a notification backend: all that a plugin imports.

A backend sends once and says how it went. It does not retry, time out, limit, count or log: the host does.
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
    """A backend's settings: describe every field, make secrets `SecretStr`; unknown keys are refused.

    The host takes `backend`, `order` and `prefixes` for itself. A mail backend's `from_address` and `from_name` are
    those of `[mail]` when its table does not set them.
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

    `data` is what the app reads (`token`); how it is wrapped for the app's platform is the backend's business.
    """

    provider: str
    param: str
    prid: str = field(repr=False)
    data: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SmsMessage:
    """A text to one phone number, written `+` and digits (E.164)."""

    phone: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailMessage:
    """A mail to one address; `html` is an alternative to `text`, never instead of it."""

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that the provider accepted the message; `id` is the provider's, when it gives one."""

    id: str | None = None


class DeliveryError(Exception):
    """A message that was not accepted. A backend raises one of its two kinds, and nothing else.

    `reason` is logged and shown to operators: what the provider answered, never what the message holds or for whom.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retryable(DeliveryError):
    """Not now: busy, unreachable, out of quota. `retry_after` is the provider's own wish, in seconds."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Permanent(DeliveryError):
    """Never: this message, or this configuration, is refused."""


class Unregistered(Permanent):
    """The push address is dead: the app was removed or has another token now."""


C = TypeVar("C", bound=BackendConfig)
M = TypeVar("M")


class Backend(ABC, Generic[C, M]):
    """What the three kinds of backend share; derive from one of them, not from this.

    A subclass has a `Config` (a `BackendConfig`). The host makes one instance per configured label and calls
    `start` once on the event loop before anything else, and `close` at the end.
    """

    Config: ClassVar[type[Any]]

    def __init__(self, config: C) -> None:
        self.config = config

    async def start(self) -> None:
        """Open what sending needs: clients, pools, keys. A failure here stops the server's start."""

    @abstractmethod
    async def send(self, message: M) -> Receipt:
        """Send once. Raises `Retryable`, `Permanent` or `Unregistered`. May be cancelled at any await."""

    async def check(self) -> None:
        """Answer "could you send now?" without sending; raise a `DeliveryError` that says what to fix."""

    async def close(self) -> None:
        """Let go of what `start` opened."""


class PushBackend(Backend[C, PushMessage]):
    """Sends push notifications for the `pn_provider` values named in `providers`; `ANY_PROVIDER` is all of them."""

    providers: ClassVar[frozenset[str]] = frozenset()


class SmsBackend(Backend[C, SmsMessage]):
    """Sends texts."""


class MailBackend(Backend[C, MailMessage]):
    """Sends mails."""


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """What a client speaks TLS with: it trusts what is in `ca_file`, or `None` what httpx trusts.

    It reads files, so call it in a thread. Raises `OSError` when the file is not there or holds no certificate.
    """
    if ca_file is None:
        return httpx.create_ssl_context()
    return ssl.create_default_context(cafile=ca_file)


def unreachable(error: Exception, whom: str, look_at: str = "ca_file") -> Retryable:
    """Why `whom` did not answer: an outage, or a certificate that is not trusted, which the settings `look_at` mend."""
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
