"""Translation of the answers of push servers.

Callers of the API choose the endpoint, so an answer says something about the endpoint only.
"""

import asyncio
import json
from contextlib import suppress
from http import HTTPStatus

import httpx

from flexiapi.plugin import DeliveryError, Permanent, RecipientDeferred, Unregistered, retry_after

FROM_A_FRONT_SERVER = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
"""Answers that a front server gives in place of a push server that is down."""

AGAIN_SECONDS = 1.0
"""The wait before the next try, when a push server names none and the cause may have passed."""

_LONGEST_BODY = 16384
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.INTERNAL_SERVER_ERROR, *FROM_A_FRONT_SERVER})


def refused(answer: httpx.Response, host: str) -> DeliveryError:
    """Return what an answer other than success means for the endpoint."""
    status = answer.status_code
    text = f"{host} answers {status}"
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return Unregistered(f"{text}: the endpoint is gone")
    if status in _PASSING:
        wait = retry_after(answer.headers)
        return RecipientDeferred(text, retry_after=AGAIN_SECONDS if wait is None else wait)
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # ntfy answers 507 when the app has not been connected for long: it needs more than a moment.
        return RecipientDeferred(text, retry_after=retry_after(answer.headers))
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Permanent(f"{text}: look at access_tokens and vapid_key_file")
    return Permanent(text)


async def beginning(answer: httpx.Response, seconds: float) -> bytes:
    """Return the body of an answer, or what came of it in time: a caller may have chosen one that never ends."""
    found = b""
    with suppress(TimeoutError, httpx.RequestError):
        async with asyncio.timeout(seconds):
            async for chunk in answer.aiter_raw():
                found += chunk
                if len(found) > _LONGEST_BODY:
                    break
    return found


def message_id(body: bytes) -> str | None:
    """Return ntfy's id of the message; other UnifiedPush servers answer anything."""
    try:
        found = json.loads(body).get("id")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None
