"""Text messages by SIP."""

from typing import TypedDict

from flexiapi.errors import FieldErrors, RouteNotFound, ValidationFailed
from flexiapi.flexisip.message_sender import MessageSender, encoded, recipient
from flexiapi.model import Space

LONGEST_BODY = 16 * 1024


class MessageValues(TypedDict, total=False):
    """The values of a message that are well-formed."""

    to: str
    body: str


class Messages:
    """Text messages, sent by the way that the settings name."""

    def __init__(self, sender: MessageSender | None) -> None:
        self._sender = sender

    @property
    def is_enabled(self) -> bool:
        """True if the settings name a way to send messages."""
        return self._sender is not None

    async def faults(self, values: MessageValues, space: Space) -> FieldErrors:
        """Check the receiver, which is in no other space, and the length of a message."""
        to, body = values.get("to"), values.get("body")
        faults: FieldErrors = {}
        try:
            if to is not None and not space.scope.has(recipient(to).host.lower().removesuffix(".")):
                faults["to"] = ["to is no address of this service"]
        except ValidationFailed as error:
            faults |= error.errors
        if body is not None and len(encoded(body)) > LONGEST_BODY:
            faults["body"] = ["body must have at most 16384 bytes"]
        return faults

    async def send(self, to: str, body: str) -> str:
        """Send a message. Return its id. Raises `ValidationFailed`, `SipUnavailable`."""
        if self._sender is None:
            raise RouteNotFound
        return await self._sender.send(to, body)
