"""The last success and failure of a backend, for administrators to see."""

from dataclasses import dataclass
from datetime import UTC, datetime

from flexiapi.plugin import DeliveryError


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """A message that was not sent: when, the kind of its failure, and the reason that the backend gave."""

    at: datetime
    kind: str
    reason: str


class DeliveryRecord:
    """The last message that a backend sent in this process, and the last one that it could not send."""

    def __init__(self) -> None:
        self.sent_at: datetime | None = None
        self.failure: FailedDelivery | None = None

    def sent(self) -> None:
        """Note a message that was sent."""
        self.sent_at = datetime.now(UTC)

    def failed(self, error: DeliveryError) -> None:
        """Note a message that was not sent."""
        self.failure = FailedDelivery(datetime.now(UTC), type(error).__name__, error.reason)
