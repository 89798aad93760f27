"""Failures that pass by themselves: status 503."""

from collections.abc import Sequence
from typing import ClassVar

from flexiapi.errors.base import ApiError


class Unavailable(ApiError):
    """Something that the answer needs is not available at the moment."""

    status = 503
    message = "The service is not available now. Try again later."
    retry_after: ClassVar[int] = 5

    def headers(self) -> Sequence[tuple[str, str]]:
        """Return the time to wait."""
        return [("Retry-After", str(self.retry_after))]


class StoreUnavailable(Unavailable):
    """MongoDB does not answer. `reason` is for operators, because it may name hosts."""

    message = "The database is not available now. Try again later."

    def __init__(self, reason: str = "") -> None:
        super().__init__()
        self.reason = reason


class DeliveryFailed(Unavailable):
    """A push, SMS or mail was not accepted by any backend.

    `backend` is the table of the last one that was tried, `reason` what it said. Both are for operators.
    """

    message = "The message could not be sent now. Try again later."

    def __init__(self, message: str | None = None, *, backend: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.backend = backend
        self.reason = reason


class DeviceUnregistered(DeliveryFailed):
    """The push address is no longer registered, so a retry cannot help."""

    message = "This device can no longer be reached by push."


class RegistrarUnavailable(Unavailable):
    """The SIP server's registrar does not answer."""

    message = "The registrar is not available now. Try again later."


class SipUnavailable(Unavailable):
    """The SIP proxy or the linphone-daemon does not answer."""

    message = "The SIP server is not available now. Try again later."


class ReplicaUnavailable(Unavailable):
    """The change is stored but not yet in the SIP server's replica, which will catch up."""

    message = "The SIP server does not know of the change yet. Try again later."


class ReplicaNotWritable(Unavailable):
    """Nothing was changed, for the SIP server's replica could not follow."""

    message = "Nothing was changed, because the SIP server could not be told. Try again later."


class ReportsRefused(Unavailable):
    """A report of the SIP server cannot be kept: the database is away, or too many reports wait for it."""

    message = "The report could not be kept now. Try again later."
