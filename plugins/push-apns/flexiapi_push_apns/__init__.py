"""Push backend for iPhones, by the Apple Push Notification service."""

import asyncio
from http import HTTPStatus

from aioapns.common import NotificationRequest, PushType

from flexiapi.plugin import Permanent, PushBackend, PushMessage, Receipt
from flexiapi_push_apns.addressing import target
from flexiapi_push_apns.answers import receipt
from flexiapi_push_apns.config import ApnsConfig
from flexiapi_push_apns.line import Line
from flexiapi_push_apns.signing_in import authorization, context

__all__ = ["ApnsConfig", "ApnsPush"]

# Apple requires this priority for background notifications: the phone may choose the moment.
_CONSIDERATE = 5
_AT_ONCE = 10


class ApnsPush(PushBackend[ApnsConfig]):
    """Sends to production or the sandbox, as `pn_provider` says: alerts with a title, otherwise in the background."""

    Config = ApnsConfig
    providers = frozenset({"apns", "apns.dev"})

    async def start(self) -> None:
        """Read the key or the certificates; connections are opened when needed."""
        self._lines = await asyncio.to_thread(self._made)

    def _made(self) -> dict[str, Line]:
        config, signature = self.config, authorization(self.config)
        environments = {
            "apns": (config.url, config.certificate_file),
            "apns.dev": (config.sandbox_url, config.sandbox_certificate_file or config.certificate_file),
        }
        return {
            provider: Line(url, context(config, certificate), signature, config.answer_seconds)
            for provider, (url, certificate) in environments.items()
        }

    def device_identity(self, message: PushMessage) -> str:
        """Return the token that `send` uses, in lower case: environment, topic and a token for calls do not matter."""
        return target(message).token.lower()

    async def send(self, message: PushMessage) -> Receipt:
        """Send to the device's token for remote notifications."""
        to = target(message)
        if self.config.key_file is not None and to.team != self.config.team_id:
            raise Permanent(f"pn_param names the team {to.team}, not {self.config.team_id}")
        return receipt(await self._lines[message.provider].exchange(self._request(message, to.token, to.topic)))

    def _request(self, message: PushMessage, token: str, topic: str) -> NotificationRequest:
        # Messages of earlier servers have no title and no options.
        title, seconds = getattr(message, "title", None), getattr(message, "time_to_live", None)
        aps: dict[str, object] = {"content-available": 1}
        if title:
            aps["alert"] = {"title": title}
        at_once = title and getattr(message, "priority", "high") == "high"
        longest = self.config.ttl_seconds
        return NotificationRequest(
            token,
            {"aps": aps, "customPayload": dict(message.data)},
            time_to_live=longest if seconds is None else min(seconds, longest),
            priority=_AT_ONCE if at_once else _CONSIDERATE,
            collapse_key=getattr(message, "collapse_id", None),
            push_type=PushType.ALERT if title else PushType.BACKGROUND,
            apns_topic=topic,
        )

    async def check(self) -> None:
        """Send to an impossible device in production: APNs checks the credentials first."""
        nobody = PushMessage("apns", "", "", {})
        request = self._request(nobody, "0" * 64, "org.example.check")
        result = await self._lines["apns"].exchange(request)
        if int(result.status) not in (HTTPStatus.BAD_REQUEST, HTTPStatus.GONE):
            receipt(result)

    async def close(self) -> None:
        """Close the connections."""
        for line in self._lines.values():
            await line.close()
