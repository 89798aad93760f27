"""OVH's API: signed requests."""

import asyncio
import hashlib
import json
import ssl
import time
from typing import Any

import httpx

from flexiapi.plugin import Retryable, http_client, unreachable
from flexiapi_sms_ovh.config import OvhConfig
from flexiapi_sms_ovh.failures import TIME_OUT, error_code, refused


class OvhApi:
    """Makes requests as the configured application, each signed with OVH's time."""

    def __init__(self, config: OvhConfig, context: ssl.SSLContext) -> None:
        self._config = config
        self._http = http_client(config.concurrency, context)
        self._ahead: float | None = None
        self._asking_time = asyncio.Lock()

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """Make a signed request and return the parsed JSON answer. Raises a `DeliveryError`."""
        url = self._config.endpoint + path
        content = "" if body is None else json.dumps(body, ensure_ascii=False)
        headers = self._signed(method, url, content, int(time.time() + await self._seconds_ahead()))
        answer = await self._asked(method, url, content=content.encode(), headers=headers)
        return _read(answer)

    def _signed(self, method: str, url: str, content: str, now: int) -> dict[str, str]:
        config = self._config
        consumer = config.consumer_key.get_secret_value()
        signed = "+".join((config.application_secret.get_secret_value(), consumer, method, url, content, str(now)))
        digest = hashlib.sha1(signed.encode()).hexdigest()  # noqa: S324 - OVH's API requires it
        return {
            "Content-Type": "application/json; charset=utf-8",
            "X-Ovh-Application": config.application_key.get_secret_value(),
            "X-Ovh-Consumer": consumer,
            "X-Ovh-Timestamp": str(now),
            "X-Ovh-Signature": f"$1${digest}",
        }

    async def _seconds_ahead(self) -> float:
        """Return how many seconds OVH's clock is ahead of the local one."""
        async with self._asking_time:
            if self._ahead is None:
                answer = await self._asked("GET", f"{self._config.endpoint}/auth/time")
                told = _read(answer)
                if not isinstance(told, int):
                    raise Retryable("OVH tells no time")
                self._ahead = told - time.time()
            return self._ahead

    async def _asked(self, method: str, url: str, **more: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, url, **more)
        except httpx.RequestError as error:
            raise unreachable(error, "OVH", "endpoint and ca_file") from None
        if not answer.is_success:
            code = error_code(answer)
            if code == TIME_OUT:
                self._ahead = None
            raise refused(answer, code)
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _read(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise Retryable("OVH's answer is not JSON") from None
