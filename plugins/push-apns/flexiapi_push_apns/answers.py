"""Interpretation of APNs' answers."""

from http import HTTPStatus

from aioapns.common import NotificationResult

from flexiapi.plugin import Permanent, Receipt, Retryable, Unregistered

# With status 400: the token is invalid, or belongs to the other environment or another app.
_DEAD = {"BadDeviceToken", "DeviceTokenNotForTopic"}

_HINTS = {
    "BadCertificate": "look at certificate_file",
    "BadCertificateEnvironment": "look at certificate_file and sandbox_certificate_file",
    "BadEnvironmentKeyInToken": "the key is for the other environment",
    "BadTopic": "look at the pn_param that the app sends",
    "ExpiredProviderToken": "look at this host's clock",
    "Forbidden": "look at key_file or certificate_file",
    "InvalidProviderToken": "look at key_file, key_id and team_id",
    "MissingProviderToken": "set key_file or certificate_file",
    "TopicDisallowed": "the certificate is for another app than pn_param names",
    "UnrelatedKeyIdInToken": "look at key_file and key_id",
}


def receipt(result: NotificationResult) -> Receipt:
    """Return the receipt of an accepted notification. Raises `Retryable`, `Permanent` or `Unregistered`."""
    if result.is_successful:
        return Receipt(result.notification_id)
    status, reason = int(result.status), result.description or ""
    if status == HTTPStatus.GONE or (status == HTTPStatus.BAD_REQUEST and reason in _DEAD):
        raise Unregistered(f"the device's token is dead{_words(reason)}")
    text = f"APNs answers {status}{_words(reason)}"
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise Retryable(text)
    raise Permanent(f"{text}: {_HINTS[reason]}" if reason in _HINTS else text)


def _words(reason: str) -> str:
    return f" ({reason})" if reason.isascii() and reason.isalpha() else ""
