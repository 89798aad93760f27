"""SMS backend for OVHcloud."""

import asyncio
import math
from typing import Any

from flexiapi.plugin import (
    Callback,
    DeliveryReport,
    Permanent,
    Receipt,
    RecipientRefused,
    Retryable,
    SmsBackend,
    SmsMessage,
    Unverified,
    tls_context,
)
from flexiapi_sms_ovh.api import OvhApi
from flexiapi_sms_ovh.config import OvhConfig
from flexiapi_sms_ovh.failures import NO_CREDITS
from flexiapi_sms_ovh.reports import read_report

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

    @property
    def concurrency(self) -> int:
        """The requests that OVH gets at once."""
        return self.config.concurrency

    async def send(self, message: SmsMessage) -> Receipt:
        """Send one SMS."""
        if getattr(message, "channel", "text") != "text":
            raise Permanent("OVH makes no calls")
        answer = await self._api.call("POST", f"/sms/{await self._chosen()}/jobs", self._job(message))
        if not isinstance(answer, dict) or not isinstance(answer.get("ids"), list):
            raise Retryable("OVH does not answer as it should")
        if answer.get("invalidReceivers"):
            raise RecipientRefused("OVH does not take the phone number")
        if not answer["ids"]:
            raise Permanent("OVH has made no SMS of the job")
        return Receipt(str(answer["ids"][0]), _number(answer.get("totalCreditsRemoved")))

    def _job(self, message: SmsMessage) -> dict[str, Any]:
        # Messages of earlier servers have neither a sender of their own nor a life.
        named = self.config.sender_of(message.phone, getattr(message, "sender", None))
        life = getattr(message, "time_to_live", None)
        minutes = self.config.validity_minutes
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
            "validityPeriod": minutes if life is None else min(max(math.ceil(life / 60), 1), minutes),
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
        left = await self.credit()
        if left is not None and left <= 0:
            raise Permanent(NO_CREDITS)

    async def credit(self) -> float | None:
        """Return the credits that are left to the service."""
        answer = await self._api.call("GET", f"/sms/{await self._chosen()}")
        return _number(answer.get("creditsLeft")) if isinstance(answer, dict) else None

    async def read_reports(self, callback: Callback) -> list[DeliveryReport]:
        """Read the report in a call of the callback URL."""
        if self.config.report_secret is None:
            raise Unverified
        return [read_report(callback, self.config.report_secret.get_secret_value())]

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


def _number(told: object) -> float | None:
    return float(told) if isinstance(told, int | float) else None
