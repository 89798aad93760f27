"""Messages, as backends get them.

Fields are only ever added, at the end and with a default: a backend made for an earlier server never misses one.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

_new_key = partial(secrets.token_hex, 16)

Priority = Literal["high", "normal"]
Channel = Literal["text", "voice"]
PushPurpose = Literal["background", "message", "call"]


@dataclass(frozen=True, slots=True)
class PushMessage:
    """A push notification to one device, addressed by its RFC 8599 parameters.

    `data` is the content for the app (`token`); the backend wraps it for the app's platform. With a `title` the phone
    shows the notification, without one it is for the app alone. The provider may drop it after `time_to_live` seconds,
    and replace an undelivered one with the same `collapse_id`. A message of `normal` priority need not wake the phone.
    `kind`, `language` and `idempotency_key` are as in `SmsMessage`. Another `purpose` than `background` is that of a
    SIP server: the phone rings (`call`) or tells that something waits (`message`), and asks it for the `call_id`.
    """

    provider: str
    param: str
    prid: str = field(repr=False)
    data: Mapping[str, str] = field(repr=False)
    title: str | None = None
    priority: Priority = "high"
    time_to_live: int | None = None
    collapse_id: str | None = None
    kind: str = ""
    language: str | None = None
    idempotency_key: str = field(default_factory=_new_key, repr=False, compare=False)
    purpose: PushPurpose = "background"
    call_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SmsMessage:
    """An SMS to one phone number, written `+` and digits (E.164).

    Providers that fill templates of their own take `kind`, the name of the text's template, and the `code` in it
    (`None` if it has none). `language` is that of the text, as in `en`, and `sender` the name or number that it is to
    come from, `None` for the one of the backend's settings. `idempotency_key`, 32 hexadecimal digits, is the same in
    all tries of one message, by all backends. After `time_to_live` seconds the text is worthless. With the `channel`
    `voice` it is to be read to the person in a call: the digits of the code are apart in it.
    """

    phone: str = field(repr=False)
    text: str = field(repr=False)
    kind: str = ""
    code: str | None = field(default=None, repr=False)
    language: str | None = None
    sender: str | None = None
    idempotency_key: str = field(default_factory=_new_key, repr=False, compare=False)
    time_to_live: int | None = None
    channel: Channel = "text"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a mail."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailMessage:
    """A mail to one address; `html` is an alternative to `text`, never instead of it.

    `from_address` and `from_name` are the sender of the domain that the mail is about, `None` for the one of the
    backend's settings; so are `reply_to`, where answers go, and `bounce_address`, where reports of failures go.
    `attachments` are empty for a backend that does not declare to send them (`takes_attachments`). The other fields are
    as in `SmsMessage`.
    """

    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    from_address: str | None = None
    from_name: str | None = None
    kind: str = ""
    code: str | None = field(default=None, repr=False)
    language: str | None = None
    idempotency_key: str = field(default_factory=_new_key, repr=False, compare=False)
    time_to_live: int | None = None
    reply_to: str | None = None
    bounce_address: str | None = None
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
