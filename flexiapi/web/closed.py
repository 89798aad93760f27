"""The failures of a process that answers no requests at the moment."""

from collections.abc import Mapping

from flexiapi.errors import Unavailable


class Maintenance(Unavailable):
    """The operator has closed the service temporarily."""

    message = "The service is under maintenance. Try again later."
    retry_after = 120


class Overloaded(Unavailable):
    """The process has so many requests under way that it could not answer another one in time."""

    message = "The server has too much to do. Try again later."


class NotReady(Unavailable):
    """The process must not answer requests now. `reasons` are for operators, by subject."""

    message = "The server is not ready. Try again later."
    retry_after = 10

    def __init__(self, reasons: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.reasons = reasons

    def body(self) -> dict[str, object]:
        """Return the message, and the reasons if they were asked for."""
        return super().body() | ({} if self.reasons is None else {"reasons": dict(self.reasons)})
