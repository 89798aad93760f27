"""What the server asks of whatever carries its text messages into SIP."""

from abc import ABC, abstractmethod

from flexiapi.errors import ValidationFailed
from flexiapi.sip_address import SipAddress


class MessageSender(ABC):
    """Sends SIP text messages."""

    @abstractmethod
    async def send(self, to: str, body: str) -> str:
        """Send `body` to `user@domain` or `sip:user@domain` and return the Call-ID of the SIP request.

        Raises `ValidationFailed` on what the SIP side refuses, `SipUnavailable` when it does not answer in time.
        """

    @abstractmethod
    async def check(self) -> None:
        """Return when the SIP side answers; `SipUnavailable` otherwise. Sends no message."""

    @abstractmethod
    async def close(self) -> None:
        """Give back the connections."""


def encoded(body: str) -> bytes:
    """The text in UTF-8; `ValidationFailed` when it holds half a surrogate pair, which JSON can write."""
    try:
        return body.encode()
    except UnicodeEncodeError as error:
        raise ValidationFailed({"body": ["The body is not valid Unicode text."]}) from error


def recipient(to: str) -> SipAddress:
    """The address that a message goes to; `ValidationFailed` when it is none."""
    try:
        return SipAddress.parse(to)
    except ValueError as error:
        raise ValidationFailed({"to": ["The address must be a SIP address such as sip:user@domain."]}) from error
