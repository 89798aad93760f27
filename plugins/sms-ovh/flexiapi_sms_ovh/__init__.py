"""SMS backend for OVHcloud."""

import asyncio
from typing import Any

from flexiapi.plugin import Permanent, Receipt, Retryable, SmsBackend, SmsMessage, tls_context
from flexiapi_sms_ovh.api import OvhApi
from flexiapi_sms_ovh.config import OvhConfig

__all__ = ["OvhConfig", "OvhSms"]

# The alphabet of GSM 03.38 with its extension: SMS in it have 160 characters, others 70.
_SEVEN_BITS = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)


class OvhSms(SmsBackend[OvhConfig]):
    """Sends SMS as jobs of one SMS service."""

    Config = OvhConfig

    async def start(self) -> None:
        """Make the client; the first request is made when an SMS is sent."""
        self._api = OvhApi(self.config, await asyncio.to_thread(tls_context, self.config.ca_file))
        self._service = self.config.service

    async def send(self, message: SmsMessage) -> Receipt:
        """Send one SMS."""
        answer = await self._api.call("POST", f"/sms/{await self._chosen()}/jobs", self._job(message))
        if not isinstance(answer, dict) or not isinstance(answer.get("ids"), list):
            raise Retryable("OVH does not answer as it should")
        if answer.get("invalidReceivers") or not answer["ids"]:
            raise Permanent("OVH does not take the phone number")
        return Receipt(str(answer["ids"][0]))

    def _job(self, message: SmsMessage) -> dict[str, Any]:
        # Messages of earlier servers have no sender of their own.
        named = getattr(message, "sender", None) or self.config.sender
        sender = {"sender": named} if named else {}
        return {
            **sender,
            "charset": "UTF-8",
            "class": "phoneDisplay",
            "coding": "7bit" if _SEVEN_BITS.issuperset(message.text) else "8bit",
            "message": message.text,
            "noStopClause": True,
            "priority": "high",
            "receivers": [message.phone],
            "senderForResponse": not named,
            "validityPeriod": self.config.validity_minutes,
        }

    async def _chosen(self) -> str:
        if self._service is None:
            services = await self._api.call("GET", "/sms/")
            if not isinstance(services, list) or not all(isinstance(service, str) for service in services):
                raise Retryable("OVH does not answer as it should")
            if not services:
                raise Permanent("the account has no SMS service: order one, or look at consumer_key")
            self._service = services[0]
        return self._service

    async def check(self) -> None:
        """Check that the service exists and has credits."""
        answer = await self._api.call("GET", f"/sms/{await self._chosen()}")
        left = answer.get("creditsLeft") if isinstance(answer, dict) else None
        if isinstance(left, int | float) and left <= 0:
            raise Permanent("the SMS service has no credits left: buy some")

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()
