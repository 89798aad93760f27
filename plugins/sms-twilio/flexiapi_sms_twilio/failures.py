"""Translation of Twilio's failures, without its texts, because they quote phone numbers."""

import httpx

from flexiapi.plugin import DeliveryError, Permanent, RecipientRefused, Retryable, Throttled, retry_after

_OF_THE_NUMBER = {
    21211: "this is not a phone number",
    21217: "this is not a phone number",
    21610: "the person has asked for no more texts",
    21614: "the number takes no texts",
    21635: "the number takes no texts",
}

_HINTS = {
    10005: "calls are disabled for the account: ask Twilio's support",
    20003: "look at account_sid, api_key_sid and auth_token",
    20005: "the account is not active: has it money?",
    20404: "look at account_sid",
    21210: "look at voice_sender: it is not a number of the account",
    21212: "look at sender, senders and voice_sender",
    21215: "allow the country in Twilio's console: Voice, Geo permissions",
    21408: "allow the country in Twilio's console: Messaging, Geo permissions",
    21606: "the sender cannot send there: look at sender and senders",
    21608: "a trial account reaches verified numbers only",
    21612: "the sender cannot reach this country or network: look at sender and senders",
    21701: "look at messaging_service_sid",
}

# Too many requests at once, and too many messages that wait for one sender.
_THROTTLED = frozenset({20429, 21611})


def refused(answer: httpx.Response, code: object) -> DeliveryError:
    """Return the contract's error for an answer that is not a success."""
    status, number = answer.status_code, code if isinstance(code, int) else None
    text = f"Twilio answers {status}" + ("" if number is None else f" ({number})")
    if status == httpx.codes.TOO_MANY_REQUESTS or number in _THROTTLED:
        return Throttled(text, retry_after=retry_after(answer.headers))
    if status == httpx.codes.REQUEST_TIMEOUT or answer.is_server_error:
        return Retryable(text, retry_after=retry_after(answer.headers))
    if number in _OF_THE_NUMBER:
        return RecipientRefused(f"{text}: {_OF_THE_NUMBER[number]}")
    return Permanent(f"{text}: {_HINTS[number]}" if number in _HINTS else text)
