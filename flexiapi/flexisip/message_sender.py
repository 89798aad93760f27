"""The interface of senders of SIP text messages."""

from abc import ABC, abstractmethod

from flexiapi.errors import ValidationFailed
from flexiapi.sip_address import SipAddress


class MessageSender(ABC):
    """Sends SIP text messages."""

    @abstractmethod
    async def send(self, to: str, body: str) -> str:
        """Send `body` to `user@domain` or `sip:user@domain` and return the Call-ID of the SIP request.

        Raises `ValidationFailed` if the SIP side refuses the message, `SipUnavailable` if it does not answer in time.
        """

    @abstractmethod
    async def check(self) -> None:
        """Return if the SIP side answers. Raises `SipUnavailable` otherwise. Sends no message."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""


def encoded(body: str) -> bytes:
    """Encode the text in UTF-8. Raises `ValidationFailed` for unpaired surrogates, which JSON can express."""
    try:
        return body.encode()
    except UnicodeEncodeError as error:
        raise ValidationFailed({"body": ["The body is not valid Unicode text."]}) from error


def recipient(to: str) -> SipAddress:
    """Parse the address of the recipient. Raises `ValidationFailed` if it is not a SIP address."""
    try:
        return SipAddress.parse(to)
    except ValueError as error:
        raise ValidationFailed({"to": ["The address must be a SIP address such as sip:user@domain."]}) from error
