"""Push backend for iPhones, by the Apple Push Notification service."""

import asyncio
from http import HTTPStatus

from aioapns.common import NotificationRequest

from flexiapi.plugin import DeliveryError, Permanent, PushBackend, PushMessage, Receipt
from flexiapi_push_apns.addressing import Target, target
from flexiapi_push_apns.answers import EXPIRED, Answer, judge
from flexiapi_push_apns.config import ApnsConfig
from flexiapi_push_apns.line import Line
from flexiapi_push_apns.notification import notification
from flexiapi_push_apns.signing_in import Signature, context, signature

__all__ = ["ApnsConfig", "ApnsPush"]

# As many as one connection carries at any time: APNs allows about 1,000, less when it is busy.
_CONCURRENCY = 500

_ENVIRONMENTS = {"apns": "production", "apns.dev": "sandbox"}
_NOBODY = Target("", "org.example.check", "0" * 64)


class ApnsPush(PushBackend[ApnsConfig]):
    """Sends to production or the sandbox, as `pn_provider` says: calls, alerts, and messages in the background."""

    Config = ApnsConfig
    providers = frozenset(_ENVIRONMENTS)

    async def start(self) -> None:
        """Read the key or the certificates; connections are opened when needed."""
        self._signature, self._lines = await asyncio.to_thread(self._read)

    def _read(self) -> tuple[Signature | None, dict[str, Line]]:
        config, signed = self.config, signature(self.config)
        environments = {
            "apns": (config.url, config.certificate_file),
            "apns.dev": (config.sandbox_url, config.sandbox_certificate_file or config.certificate_file),
        }
        return signed, {
            provider: Line(url, context(config, certificate), signed, config.answer_seconds)
            for provider, (url, certificate) in environments.items()
            if config.sandbox or provider == "apns"
        }

    @property
    def concurrency(self) -> int:
        """The notifications that the connection to one environment carries at once."""
        return _CONCURRENCY

    def lane(self, message: PushMessage) -> str:
        """Return the environment: `production` or `sandbox`."""
        return _ENVIRONMENTS[message.provider]

    def device_identity(self, message: PushMessage) -> str:
        """Return the token that `send` uses, in lower case: environment, topic and a token for calls do not matter."""
        return target(message).token.lower()

    async def send(self, message: PushMessage) -> Receipt:
        """Send to the device's token for remote notifications, or for calls."""
        to = target(message)
        if self.config.key_file is not None and to.team != self.config.team_id:
            raise Permanent(f"pn_param names the team {to.team}, not {self.config.team_id}")
        if message.provider not in self._lines:
            raise Permanent("apps for the sandbox are not served: look at `sandbox`")
        made = notification(message, to, self.config.ttl_seconds)
        judge(await self._exchange(self._lines[message.provider], made))
        return Receipt(made.notification_id)

    async def _exchange(self, line: Line, request: NotificationRequest) -> Answer:
        """Send, and once more if APNs takes our token for expired: the clock may have been set meanwhile."""
        signed = self._signature
        if signed is None:
            return await line.exchange(request)
        header = signed.get_header()
        answer = await line.exchange(request)
        if answer.reason == EXPIRED and signed.replace(header):
            answer = await line.exchange(request)
        return answer

    async def check(self) -> None:
        """Send to an impossible device in each environment: APNs checks the credentials first."""
        outcomes = await asyncio.gather(*(self._checked(provider) for provider in self._lines))
        failures = [failure for failure in outcomes if failure is not None]
        if failures:
            raise type(failures[0])("; ".join(failure.reason for failure in failures))

    async def _checked(self, provider: str) -> DeliveryError | None:
        """Return what is wrong with an environment, by its name."""
        made = notification(PushMessage(provider, "", "", {}), _NOBODY, 0)
        try:
            answer = await self._exchange(self._lines[provider], made)
            if answer.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.GONE):
                judge(answer)
        except DeliveryError as error:
            return type(error)(f"{_ENVIRONMENTS[provider]}: {error.reason}")
        return None

    async def close(self) -> None:
        """Close the connections."""
        for line in self._lines.values():
            await line.close()
