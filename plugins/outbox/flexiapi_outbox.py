"""Backends for development, which append messages to a file, one JSON object a line, instead of sending them."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import Field

from flexiapi.plugin import (
    ANY_PROVIDER,
    BackendConfig,
    DataPath,
    MailBackend,
    MailMessage,
    Permanent,
    PushBackend,
    PushMessage,
    Receipt,
    Retryable,
    SmsBackend,
    SmsMessage,
)


class OutboxConfig(BackendConfig):
    """Settings of the outbox."""

    path: DataPath = Field(Path("outbox.jsonl"), description="file that messages are appended to")


def append(path: Path, transport: str, fields: dict[str, Any]) -> None:
    """Append one line in one write, so that lines of several processes never mix."""
    line = json.dumps({"transport": transport, **fields}, ensure_ascii=False).encode() + b"\n"
    with opened(path) as file:
        if os.write(file, line) < len(line):
            raise OSError("the disk is full")


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open the outbox, readable by its owner only if it is new, and yield its file descriptor."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        yield file
    finally:
        os.close(file)


async def written(config: OutboxConfig, transport: str, fields: dict[str, Any]) -> Receipt:
    """Append outside of the event loop."""
    try:
        await asyncio.to_thread(append, config.path, transport, fields)
    except OSError as error:
        raise Retryable(f"cannot write {config.path}: {error.strerror or error}") from error
    return Receipt()


def check_writable(config: OutboxConfig) -> None:
    """Raise `Permanent` if the file cannot be written."""
    try:
        with opened(config.path):
            return
    except OSError as error:
        raise Permanent(f"{config.path} cannot be written: {error.strerror}") from error


def named(message: PushMessage | SmsMessage | MailMessage, *names: str) -> dict[str, str]:
    """Return those of the fields that the message has; messages of earlier servers lack some."""
    return {name: value for name in names if (value := getattr(message, name, None))}


class Outbox:
    """The common part of the three kinds."""

    config: OutboxConfig

    async def check(self) -> None:
        """Check that the file can be written."""
        check_writable(self.config)

    def files(self) -> tuple[Path, ...]:
        """Return none: the file is written, not read."""
        return ()


class OutboxPush(Outbox, PushBackend[OutboxConfig]):
    """Writes push notifications of any provider."""

    Config = OutboxConfig
    providers = frozenset({ANY_PROVIDER})

    async def send(self, message: PushMessage) -> Receipt:
        """Append the notification."""
        fields = {
            "provider": message.provider,
            "param": message.param,
            "prid": message.prid,
            "data": dict(message.data),
            **named(message, "title", "kind", "language"),
        }
        return await written(self.config, "push", fields)


class OutboxSms(Outbox, SmsBackend[OutboxConfig]):
    """Writes SMS, and texts that are to be read in a call."""

    Config = OutboxConfig
    channels = frozenset({"text", "voice"})

    async def send(self, message: SmsMessage) -> Receipt:
        """Append the SMS."""
        fields = {"phone": message.phone, "text": message.text, **named(message, "sender", "kind", "code", "language")}
        if getattr(message, "channel", "text") != "text":
            fields["channel"] = message.channel
        return await written(self.config, "sms", fields)


class OutboxMail(Outbox, MailBackend[OutboxConfig]):
    """Writes mails, with the names and sizes of their attachments."""

    Config = OutboxConfig
    takes_attachments = True

    async def send(self, message: MailMessage) -> Receipt:
        """Append the mail."""
        fields: dict[str, Any] = {
            "to": message.to,
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
        }
        fields |= named(message, "from_address", "from_name", "reply_to", "bounce_address", "kind", "code", "language")
        if attachments := getattr(message, "attachments", ()):
            fields["attachments"] = {attachment.name: len(attachment.content) for attachment in attachments}
        return await written(self.config, "mail", fields)
