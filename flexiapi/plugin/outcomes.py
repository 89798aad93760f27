"""Outcomes of a try to send: a receipt, or one of the failures that a backend may raise."""

from dataclasses import dataclass


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
