"""Outcomes of a try to send: a receipt, or one of the failures that a backend may raise."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that the provider accepted the message; `id` is the provider's, if it gives one.

    `cost` is what it takes for the message, in a unit of its own: credits, or money.
    """

    id: str | None = None
    cost: float | None = None


class DeliveryError(Exception):
    """The message was not accepted. A backend raises one of the subclasses, and nothing else.

    `reason` is logged and shown to operators: the provider's answer, never the content or recipient of the message.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retryable(DeliveryError):
    """The provider cannot serve now: unreachable, broken. `retry_after` is its wish, in seconds.

    A provider that keeps failing is left alone for a while, for all messages, so raise it for nothing that the address
    of a message can cause.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Throttled(Retryable):
    """The provider takes no more messages for now: rate or quota. Without `retry_after` it is not tried again."""


class RecipientDeferred(Retryable):
    """This address cannot be served now: busy, full, asked too often. It says nothing about the provider.

    Without `retry_after` it is not tried again, and by no other backend.
    """


class Permanent(DeliveryError):
    """A final failure: this message, or this configuration, is refused."""


class RecipientRefused(Permanent):
    """This address is refused for good: it does not exist, or its owner wants no messages.

    No other backend is tried.
    """


class Unregistered(RecipientRefused):
    """The push address is no longer registered: the app was removed or has another token now."""
