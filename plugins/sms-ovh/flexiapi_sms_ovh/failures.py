"""Translation of OVH's failures, without its texts, because they may quote numbers."""

import re

import httpx

from flexiapi.plugin import DeliveryError, Permanent, Retryable, Throttled, retry_after

_CODE = re.compile(r"[A-Z][A-Z_]{2,60}")

_HINTS = {
    "INVALID_CREDENTIAL": "look at consumer_key, and whether it has been validated or has ended",
    "INVALID_KEY": "look at application_key",
    "INVALID_SIGNATURE": "look at application_secret and consumer_key",
    "NOT_CREDENTIAL": "look at consumer_key",
    "NOT_GRANTED_CALL": "ask for a consumer key with the rights that the README names",
}

NO_CREDITS = "the SMS service has no credits left: buy some"
"""The remedy for a service that is used up."""

TIME_OUT = "QUERY_TIME_OUT"
"""The time in the signature differs too much from OVH's."""


def refused(answer: httpx.Response, code: str | None) -> DeliveryError:
    """Return the contract's error for an answer that is not a success."""
    status = answer.status_code
    text = f"OVH answers {status}" + (f" ({code})" if code else "")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Throttled(text, retry_after=retry_after(answer.headers))
    if code == TIME_OUT or status == httpx.codes.REQUEST_TIMEOUT or answer.is_server_error:
        return Retryable(text, retry_after=retry_after(answer.headers))
    if code in _HINTS:
        return Permanent(f"{text}: {_HINTS[code]}")
    if status == httpx.codes.PAYMENT_REQUIRED or _is_about_credits(answer):
        return Permanent(f"{text}: {NO_CREDITS}")
    if status == httpx.codes.NOT_FOUND:
        return Permanent(f"{text}: look at service and endpoint")
    return Permanent(text)


def _is_about_credits(answer: httpx.Response) -> bool:
    # OVH has no code of its own for this, only its text, which is never shown.
    return "credit" in answer.text.lower()


def error_code(answer: httpx.Response) -> str | None:
    """Return OVH's own code."""
    try:
        code = answer.json().get("errorCode")
    except (ValueError, AttributeError):
        return None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None
