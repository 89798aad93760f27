"""Access tokens for XOAUTH2: asked for by client credentials or a refresh token, kept, and renewed in time."""

import asyncio
import re
import time
from contextlib import suppress
from typing import Any

import httpx

from flexiapi.plugin import DeliveryError, Permanent, Retryable, Throttled, retry_after, tls_context, unreachable
from flexiapi_mail_smtp.config import SmtpConfig

# A token without an end of its own is asked for again after this time.
_USUAL_LIFE = 300.0
_SHARE_KEPT = 0.9
_LONGEST_MARGIN = 300.0

# A renewal that failed is not tried again sooner while the old token lives; nor is a new token dropped sooner.
_PAUSE = 30.0

# All mails without a token wait for one request, so a silent one is given up soon.
_LONGEST_REQUEST = 2.5

_WHOM = "the token server"
_TOKEN = re.compile(r"[!-~]+")
_CODE = re.compile(r"[a-z_]{3,40}")

_HINTS = {
    "invalid_client": "look at client_id and client_secret, which may have expired",
    "unauthorized_client": "look at client_id, and whether the application may use this grant",
    "invalid_grant": "the refresh_token has expired or was revoked: make a new one",
    "invalid_scope": "look at scope",
    "invalid_request": "look at token_url, client_id and scope",
    "unsupported_grant_type": "set refresh_token, or remove it",
}


class SignInTokens:
    """The access token that connections sign in with; all callers share one renewal.

    A token is renewed shortly before its end, in the background; it is used for as long as it lives while that fails.
    """

    def __init__(self, config: SmtpConfig, http: httpx.AsyncClient) -> None:
        self._config = config
        self._http = http
        self._refresh_token = _revealed(config.refresh_token)
        self._token: str | None = None
        self._asked_at = self._renew_at = self._ends_at = 0.0
        self._is_proven = False
        self._renewal: asyncio.Task[str] | None = None

    @classmethod
    async def start(cls, config: SmtpConfig) -> "SignInTokens | None":
        """Return the tokens of these settings, or `None` if they have no `token_url`; nothing is asked for yet."""
        if config.token_url is None:
            return None
        # verify_peer is about the SMTP server: the secrets go to a token server that is known for sure.
        context = await asyncio.to_thread(tls_context, config.ca_file)
        return cls(config, httpx.AsyncClient(verify=context, timeout=min(config.timeout_seconds, _LONGEST_REQUEST)))

    async def current(self) -> str:
        """Return a token that is valid. Raises a `DeliveryError` that says what to fix."""
        now = time.monotonic()
        if self._token is not None and now < self._ends_at:
            if now >= self._renew_at:
                self._renew_at = now + _PAUSE
                self._renewing()
            return self._token
        return await asyncio.shield(self._renewing())

    def accepted(self, token: str) -> None:
        """Note that the server took the token."""
        self._is_proven = self._is_proven or token == self._token

    def dropped(self, token: str) -> bool:
        """Drop a token that the server refuses, and return whether another one is worth a try.

        One that has just been issued and was never good is kept: the next would be refused too.
        """
        if token != self._token:
            return True
        if not self._is_proven and time.monotonic() - self._asked_at < _PAUSE:
            return False
        self._token = None
        return True

    async def close(self) -> None:
        """End a renewal that is under way, and close the connections."""
        if self._renewal is not None:
            self._renewal.cancel()
            with suppress(asyncio.CancelledError, DeliveryError):
                await self._renewal
        await self._http.aclose()

    def _renewing(self) -> asyncio.Task[str]:
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renewed())
            # A renewal in the background is awaited by none: the old token is used.
            self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._renewal

    async def _renewed(self) -> str:
        answer = await self._asked()
        token, life = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise Retryable(f"{_WHOM} answers without an access token")
        if isinstance(answer.get("refresh_token"), str) and self._refresh_token is not None:
            self._refresh_token = answer["refresh_token"]
        seconds = _seconds(life)
        self._token, self._is_proven, self._asked_at = token, False, time.monotonic()
        self._ends_at = self._asked_at + seconds
        self._renew_at = self._asked_at + max(seconds * _SHARE_KEPT, seconds - _LONGEST_MARGIN)
        return token

    async def _asked(self) -> dict[str, Any]:
        configured = _revealed(self._config.refresh_token)
        try:
            return await self._granted()
        except Permanent:
            if self._refresh_token == configured:
                raise
        # A later refresh token than the configured one may have been lost on the way, or revoked.
        self._refresh_token = configured
        return await self._granted()

    async def _granted(self) -> dict[str, Any]:
        config = self._config
        form = {
            "grant_type": "refresh_token" if self._refresh_token else "client_credentials",
            "client_id": config.client_id,
            "client_secret": _revealed(config.client_secret),
            "refresh_token": self._refresh_token,
            "scope": config.scope,
        }
        try:
            given = {name: value for name, value in form.items() if value}
            answer = await self._http.post(f"{config.token_url}", data=given)
        except httpx.RequestError as error:
            raise unreachable(error, _WHOM, "token_url and ca_file") from None
        content = _content(answer)
        if answer.is_success:
            return content
        raise _refusal(answer, content)


def _revealed(secret: Any) -> str | None:
    return secret.get_secret_value() if secret is not None else None


def _seconds(life: object) -> float:
    try:
        return max(0.0, float(life))  # type: ignore[arg-type]  # what is no number fails, and is caught
    except (TypeError, ValueError):
        return _USUAL_LIFE


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _refusal(answer: httpx.Response, content: dict[str, Any]) -> DeliveryError:
    """Return the contract's error; the text of the answer may quote secrets, so only its codes are told."""
    status = answer.status_code
    code = content.get("error")
    code = code if isinstance(code, str) and _CODE.fullmatch(code) else None
    numbers = content.get("error_codes")
    number = numbers[0] if isinstance(numbers, list) and numbers and isinstance(numbers[0], int) else None
    told = ", ".join(filter(None, [f"{status}", code, f"AADSTS{number}" if number else None]))
    text = f"{_WHOM} gives no access token ({told})"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Throttled(text, retry_after=retry_after(answer.headers))
    passing = status == httpx.codes.REQUEST_TIMEOUT or code in ("temporarily_unavailable", "server_error")
    if passing or answer.is_server_error:
        return Retryable(text, retry_after=retry_after(answer.headers))
    return Permanent(f"{text}: {_HINTS.get(code or '', 'look at token_url')}")
