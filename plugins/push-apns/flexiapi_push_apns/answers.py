"""Interpretation of APNs' answers."""

from dataclasses import dataclass
from http import HTTPStatus

from flexiapi.plugin import Permanent, RecipientDeferred, Retryable, Throttled, Unregistered

EXPIRED = "ExpiredProviderToken"

# With status 400: the token is invalid, or belongs to the other environment or another app.
_DEAD = {"BadDeviceToken", "DeviceTokenNotForTopic"}

_HINTS = {
    "BadCertificate": "look at certificate_file",
    "BadCertificateEnvironment": "look at certificate_file and sandbox_certificate_file",
    "BadEnvironmentKeyInToken": "the key is for the other environment",
    "BadTopic": "look at the pn_param that the app sends",
    EXPIRED: "look at this host's clock",
    "Forbidden": "look at key_file or certificate_file",
    "InvalidProviderToken": "look at key_file, key_id and team_id",
    "MissingProviderToken": "set key_file or certificate_file",
    "TopicDisallowed": "the certificate is for another app than pn_param names",
    "UnrelatedKeyIdInToken": "look at key_file and key_id",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of APNs: the status, Apple's reason of a refusal, and the seconds that it asks to wait."""

    status: int
    reason: str = ""
    retry_after: float | None = None


def judge(answer: Answer) -> None:
    """Return if the notification was accepted. Raises a `DeliveryError` if not."""
    status, reason = answer.status, answer.reason
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.GONE or (status == HTTPStatus.BAD_REQUEST and reason in _DEAD):
        raise Unregistered(f"the device's token is dead{_words(reason)}")
    text = f"APNs answers {status}{_words(reason)}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        # Of the team's tokens; any other 429 is about too many requests for one device.
        kind = Throttled if reason == "TooManyProviderTokenUpdates" else RecipientDeferred
        raise kind(text, retry_after=answer.retry_after)
    # Apple gives a reason for each refusal; what has none comes from another server before it.
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or not reason or reason == "IdleTimeout":
        raise Retryable(text, retry_after=answer.retry_after)
    raise Permanent(f"{text}: {_HINTS[reason]}" if reason in _HINTS else text)


def _words(reason: str) -> str:
    return f" ({reason})" if reason.isascii() and reason.isalpha() else ""
