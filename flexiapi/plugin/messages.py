"""Messages, as backends get them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
