"""Translation of FCM's failures, without Google's texts, because they quote device tokens."""

import re

import httpx
from pyfcm.errors import (
    AuthenticationError,
    FCMError,
    FCMNotRegisteredError,
    FCMSenderIdMismatchError,
    FCMServerError,
    InvalidDataError,
)

from flexiapi.plugin import (
    DeliveryError,
    Permanent,
    RecipientDeferred,
    Retryable,
    Throttled,
    Unregistered,
    retry_after,
)

_OF_RECIPIENT = re.compile(r"^(device|token|topic)\b|\bdevice message rate\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z][A-Za-z_]{2,60}")

OF_ANOTHER_KIND = "THIRD_PARTY_AUTH_ERROR"
"""The token is of an iPhone or a browser, for which the project lacks keys. It is a 401, but not about ours."""

_HINTS = {
    AuthenticationError: "FCM does not take the access token",
    FCMSenderIdMismatchError: "FCM refuses this project: look at `projects`, and whether its FCM API is enabled",
    FCMNotRegisteredError: "FCM does not know the project: look at project_id in the service account file",
    InvalidDataError: "FCM refuses the message or the address",
}


def is_passing(status: int) -> bool:
    """Return True if a retry may succeed after this status."""
    return status == httpx.codes.REQUEST_TIMEOUT or status >= httpx.codes.INTERNAL_SERVER_ERROR


def word(value: object) -> str:
    """Return an error code in parentheses, or an empty text if it does not look like one."""
    return f" ({value})" if isinstance(value, str) and _WORD.fullmatch(value) else ""


def refused(error: FCMError, answer: httpx.Response) -> DeliveryError:
    """Return the contract's error for one of pyfcm."""
    code = error_code(answer)
    if isinstance(error, FCMNotRegisteredError) and code == "UNREGISTERED":
        return Unregistered("FCM does not know the device any more (UNREGISTERED)")
    if code == OF_ANOTHER_KIND:
        return Permanent(f"FCM has no credentials for the kind of device: it is no Android phone{word(code)}")
    if isinstance(error, AuthenticationError):
        return Retryable(f"{_HINTS[AuthenticationError]}{word(code)}")
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return _exhausted(answer, code)
    if isinstance(error, FCMServerError):
        text = f"FCM answers {answer.status_code}{word(code)}"
        passing = is_passing(answer.status_code) or answer.is_success
        return Retryable(text, retry_after=retry_after(answer.headers)) if passing else Permanent(text)
    return Permanent(f"{_HINTS.get(type(error), 'FCM refuses')}{word(code)}")


def _exhausted(answer: httpx.Response, code: str | None) -> Throttled | RecipientDeferred:
    """Return whose quota is used up: the device's, which says nothing about others, or else the project's."""
    if any(_OF_RECIPIENT.search(text) for text in _violated(answer)):
        reason = f"FCM takes no more messages for this device now{word(code)}"
        return RecipientDeferred(reason, retry_after=retry_after(answer.headers))
    return Throttled(f"FCM answers {answer.status_code}{word(code)}", retry_after=retry_after(answer.headers))


def _violated(answer: httpx.Response) -> list[str]:
    """Return what `google.rpc.QuotaFailure` says of quotas; it may quote the token."""
    try:
        details = answer.json()["error"]["details"]
        found = [violation for detail in details for violation in detail.get("violations", [])]
        return [f"{violation.get('subject')} {violation.get('description')}" for violation in found]
    except (ValueError, LookupError, TypeError, AttributeError):
        return []


def error_code(answer: httpx.Response) -> str | None:
    """Return FCM's own code, or else Google's status."""
    try:
        error = answer.json()["error"]
        details = error.get("details", [])
        codes = [detail["errorCode"] for detail in details if "errorCode" in detail]
        found = codes[0] if codes else error["status"]
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return found if isinstance(found, str) else None
