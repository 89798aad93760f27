"""Access tokens: google-auth makes and signs the requests for them, httpx sends them."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
from google.auth.credentials import TokenState
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.oauth2.service_account import Credentials

from flexiapi.plugin import DeliveryError, Permanent, Retryable, Throttled, retry_after, unreachable
from flexiapi_push_fcm.failures import is_passing, word

# Less than a try may take by default, so that the next one asks anew when this one was silent.
_OAUTH_SECONDS = 2.5
# google-auth begins to renew a token nearly four minutes before its end.
_PAUSE_SECONDS = 30.0


class _Response(NamedTuple):
    status: int
    headers: Mapping[str, str]
    data: bytes


class OAuthTransport:
    """The transport of google-auth.

    It fails where google-auth would wait and retry, because flexiapi does so itself.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._http = httpx.Client(verify=context, timeout=_OAUTH_SECONDS)

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> _Response:
        """Send one request. Raises `TransportError` from the `DeliveryError` with the reason."""
        try:
            answer = self._http.request(method, url, content=body, headers=headers, timeout=timeout or _OAUTH_SECONDS)
        except httpx.RequestError as error:
            raise TransportError from unreachable(error, "the token endpoint")
        text = f"the token endpoint answers {answer.status_code}"
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise TransportError from Throttled(text, retry_after=retry_after(answer.headers))
        if is_passing(answer.status_code):
            raise TransportError from Retryable(text, retry_after=retry_after(answer.headers))
        return _Response(answer.status_code, answer.headers, answer.content)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


class AccessToken:
    """The access token of a service account, renewed in a thread before it expires, once for concurrent callers.

    Until it expires it is used, also while its renewal is under way or fails.
    """

    def __init__(self, credentials: Credentials, transport: OAuthTransport) -> None:
        self._credentials = credentials
        self._transport = transport
        self._renewing: asyncio.Task[DeliveryError | None] | None = None
        self._paused_until = 0.0

    async def header(self) -> str:
        """Return the value of `Authorization`. Raises `Retryable` or `Permanent`."""
        state = self._credentials.token_state
        if state is TokenState.STALE and time.monotonic() >= self._paused_until:
            self._renewal()
        elif state is TokenState.INVALID:
            # The thread cannot be stopped: cancelling one caller must not cancel the renewal for the others.
            failure = await asyncio.shield(self._renewal())
            if failure is not None:
                raise failure.with_traceback(None)
        return f"Bearer {self._credentials.token}"

    def _renewal(self) -> asyncio.Task[DeliveryError | None]:
        """Return the renewal under way, or a new one."""
        if self._renewing is None or self._renewing.done():
            self._paused_until = time.monotonic() + _PAUSE_SECONDS
            self._renewing = asyncio.create_task(asyncio.to_thread(self._renew))
        return self._renewing

    def forget(self, header: str) -> None:
        """Discard the token of this `Authorization`, because the service did not accept it."""
        if header == f"Bearer {self._credentials.token}":
            self._credentials.token = None

    async def renewed(self) -> None:
        """Wait for the renewal under way."""
        if self._renewing is not None:
            await self._renewing

    def _renew(self) -> DeliveryError | None:
        try:
            self._credentials.refresh(self._transport)
        except TransportError as error:
            return error.__cause__ if isinstance(error.__cause__, DeliveryError) else Retryable("no access token")
        except RefreshError as error:
            return _refused(error)
        except (GoogleAuthError, LookupError, TypeError, ValueError) as error:
            return Retryable(f"the token endpoint does not answer as it should ({type(error).__name__})")
        return None


def _refused(error: RefreshError) -> DeliveryError:
    details = error.args[1] if len(error.args) > 1 else None
    if not isinstance(details, dict) or "error" not in details:
        return Retryable("the token endpoint does not answer as it should")
    text = f"no access token for the service account{word(details['error'])}: look at its file, at the account in "
    text += "Google Cloud, and at this host's clock"
    return Retryable(text) if error.retryable else Permanent(text)
