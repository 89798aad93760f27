"""Push backend for UnifiedPush endpoints, Web Push and ntfy topics: phones without Google's or Apple's services."""

import asyncio
import json
import re
import time

import httpx

from flexiapi.plugin import (
    DeliveryError,
    Permanent,
    PushBackend,
    PushMessage,
    Receipt,
    RecipientDeferred,
    Retryable,
    http_client,
    normalised_url,
    tls_context,
    unreachable,
)
from flexiapi_push_unified.answers import AGAIN_SECONDS, FROM_A_FRONT_SERVER, beginning, message_id, refused
from flexiapi_push_unified.config import UnifiedConfig
from flexiapi_push_unified.encryption import encrypted, keys_of
from flexiapi_push_unified.endpoints import Endpoint, endpoint_of
from flexiapi_push_unified.vapid import Vapid

__all__ = ["UnifiedConfig", "UnifiedPush"]

_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_SIGN_OF_LIFE_SECONDS = 0.5
_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class UnifiedPush(PushBackend[UnifiedConfig]):
    """Posts to the endpoint in the device's `pn_prid`, encrypted if its `pn_param` has the app's keys.

    What an endpoint makes its host answer, or not answer, is not held against the host: callers choose endpoints.
    """

    Config = UnifiedConfig
    providers = frozenset({"ntfy", "unifiedpush"})

    async def start(self) -> None:
        """Make the client, which does not follow redirects, because their targets are not allowed hosts."""
        config = self.config
        self._vapid: Vapid | None = None
        if config.vapid_key_file is not None and config.vapid_subject is not None:
            self._vapid = await asyncio.to_thread(Vapid, config.vapid_key_file, config.vapid_subject)
        context = await asyncio.to_thread(tls_context, config.ca_file)
        timeout = httpx.Timeout(30, read=config.answer_seconds)
        self._http = http_client(config.concurrency * len(config.hosts), context, timeout=timeout)
        self._answered: dict[str, float] = {}

    @property
    def concurrency(self) -> int:
        """The requests under way at once to a host, each on a connection of its own."""
        return self.config.concurrency

    def lane(self, message: PushMessage) -> str:
        """Return the host, so that one that is down or slow holds no other up."""
        try:
            return endpoint_of(message.prid, self.config).host
        except Permanent:
            return ""

    def device_identity(self, message: PushMessage) -> str:
        """Return the endpoint, normalised, for whichever provider and with whatever keys it was given."""
        endpoint_of(message.prid, self.config)
        keys_of(message.param)
        return normalised_url(message.prid)

    async def send(self, message: PushMessage) -> Receipt:
        """Post the data as JSON."""
        endpoint = endpoint_of(message.prid, self.config)
        body, headers = self._request(message, endpoint)
        began = time.monotonic()
        try:
            answer, told = await self._answer(endpoint.url, body, headers)
        except _NOT_CONNECTED as error:
            raise unreachable(error, endpoint.host) from None
        except httpx.RequestError as error:
            raise await self._silence(error, endpoint, began) from None
        if answer.status_code in FROM_A_FRONT_SERVER and not await self._lives(endpoint):
            raise Retryable(f"{endpoint.host} answers {answer.status_code}")
        self._answered[endpoint.host] = time.monotonic()
        if not answer.is_success:
            raise refused(answer, endpoint.host)
        return Receipt(message_id(told))

    async def _answer(self, url: httpx.URL, body: bytes, headers: dict[str, str]) -> tuple[httpx.Response, bytes]:
        """Return the answer and the beginning of its body. Raises `httpx.RequestError`.

        Its time counts from the request, not from the connection, which only the host can be slow with. It is one time
        for the whole: an endpoint that answers drop by drop is as silent as another.
        """
        loop = asyncio.get_running_loop()

        async def note(event: str, _: object) -> None:
            if event.endswith("send_request_headers.started"):
                limit.reschedule(loop.time() + self.config.answer_seconds)

        request = self._http.build_request("POST", url, content=body, headers=headers, extensions={"trace": note})
        try:
            async with asyncio.timeout(None) as limit:
                answer = await self._http.send(request, stream=True)
        except TimeoutError:
            raise httpx.ReadTimeout("no answer in time", request=request) from None
        try:
            left = (limit.when() or 0) - loop.time()
            return answer, await beginning(answer, left)
        finally:
            await answer.aclose()

    def _request(self, message: PushMessage, endpoint: Endpoint) -> tuple[bytes, dict[str, str]]:
        body = json.dumps(dict(message.data), separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", **self._options(message)}
        keys = keys_of(message.param)
        if keys is not None:
            body = encrypted(body, keys)
            headers |= {"Content-Type": "application/octet-stream", "Content-Encoding": "aes128gcm"}
        if endpoint.host in self.config.access_tokens:
            token = self.config.access_tokens[endpoint.host].get_secret_value()
            headers["Authorization"] = f"Bearer {token}"
        elif keys is not None and self._vapid is not None:
            headers["Authorization"] = self._vapid.header(endpoint.origin)
        return body, headers

    def _options(self, message: PushMessage) -> dict[str, str]:
        """Return the headers of RFC 8030; messages of earlier servers name no options, and are urgent."""
        longest, seconds = self.config.ttl_seconds, getattr(message, "time_to_live", None)
        topic = getattr(message, "collapse_id", None)
        return {
            "TTL": str(longest if seconds is None else min(seconds, longest)),
            "Urgency": getattr(message, "priority", "high"),
            **({"Topic": topic} if topic and _TOPIC.fullmatch(topic) else {}),
        }

    async def _silence(self, error: httpx.RequestError, endpoint: Endpoint, began: float) -> DeliveryError:
        """Return whose fault it is that there is no answer: the endpoint's, if its host answers others."""
        if self._answered.get(endpoint.host, began) <= began and not await self._lives(endpoint):
            return unreachable(error, endpoint.host)
        reason = f"{endpoint.host} answers, but not for this endpoint ({type(error).__name__})"
        # A connection may break off because it was idle for too long. An endpoint that is silent is so again.
        passing = not isinstance(error, httpx.TimeoutException)
        return RecipientDeferred(reason, retry_after=AGAIN_SECONDS if passing else None)

    async def _lives(self, endpoint: Endpoint) -> bool:
        """Return True if the host answers for its root, which no caller chooses, and not in place of a server."""
        try:
            answer = await self._http.get(f"{endpoint.origin}/", timeout=_SIGN_OF_LIFE_SECONDS)
        except httpx.RequestError:
            return False
        return answer.status_code not in FROM_A_FRONT_SERVER

    async def check(self) -> None:
        """Check that each host answers."""
        for host in self.config.hosts:
            url = f"{'http' if self.config.allow_http else 'https'}://{host}/"
            try:
                answer = await self._http.get(url)
            except httpx.RequestError as error:
                raise unreachable(error, host) from None
            if answer.is_server_error:
                raise Retryable(f"{host} answers {answer.status_code}")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
