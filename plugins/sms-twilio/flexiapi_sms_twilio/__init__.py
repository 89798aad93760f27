"""SMS backend for Twilio."""

import asyncio
import base64
import hmac
from typing import Any

import httpx

from flexiapi.plugin import (
    Callback,
    Channel,
    DeliveryReport,
    Permanent,
    Receipt,
    ReportedStatus,
    Retryable,
    SmsBackend,
    SmsMessage,
    Unverified,
    http_client,
    tls_context,
    unreachable,
)
from flexiapi_sms_twilio.config import TwilioConfig
from flexiapi_sms_twilio.failures import refused
from flexiapi_sms_twilio.voice import read_out, spoken_language

__all__ = ["TwilioConfig", "TwilioSms"]

_LONGEST_VALIDITY_SECONDS = 36000

_STATES: dict[str, ReportedStatus] = {
    "delivered": "delivered",
    "read": "delivered",
    "failed": "failed",
    "undelivered": "failed",
    "canceled": "failed",
}

_STATES_OF_CALLS: dict[str, ReportedStatus] = {
    "completed": "delivered",
    "busy": "failed",
    "no-answer": "failed",
    "failed": "failed",
    "canceled": "failed",
}


class TwilioSms(SmsBackend[TwilioConfig]):
    """Sends SMS as messages of one account, and reads texts out in calls if it has a number for them."""

    Config = TwilioConfig

    async def start(self) -> None:
        """Make the client."""
        config = self.config
        context = await asyncio.to_thread(tls_context, config.ca_file)
        user = config.api_key_sid or config.account_sid
        self._account_url = f"{str(config.endpoint).rstrip('/')}/2010-04-01/Accounts/{config.account_sid}"
        self._http = http_client(config.concurrency, context, auth=(user, config.auth_token.get_secret_value()))

    @property
    def concurrency(self) -> int:
        """The requests that Twilio gets at once."""
        return self.config.concurrency

    @property
    def channels(self) -> frozenset[Channel]:
        """Calls too, if there is a number that they come from."""
        return frozenset({"text", "voice"} if self.config.voice_sender else {"text"})

    async def send(self, message: SmsMessage) -> Receipt:
        """Send one SMS, or make one call."""
        # Messages of earlier servers have neither channel nor life.
        called = getattr(message, "channel", "text") == "voice"
        path, fields = ("/Calls.json", self._call(message)) if called else ("/Messages.json", self._text(message))
        if self.config.report_url is not None:
            fields["StatusCallback"] = str(self.config.report_url)
        answer = await self._answer("POST", path, data=fields)
        content = _content(answer)
        if not answer.is_success:
            raise refused(answer, content.get("code"))
        sid = content.get("sid")
        # What is accepted must not go out again because the rest of the answer is odd.
        if not isinstance(sid, str) and answer.status_code != httpx.codes.CREATED:
            raise Retryable("Twilio does not answer as it should")
        return Receipt(sid if isinstance(sid, str) else None)

    def _text(self, message: SmsMessage) -> dict[str, str]:
        sender = self.config.sender_of(message.phone, getattr(message, "sender", None))
        life = getattr(message, "time_to_live", None)
        validity = {} if life is None else {"ValidityPeriod": str(min(max(int(life), 1), _LONGEST_VALIDITY_SECONDS))}
        return {"To": message.phone, **sender, "Body": message.text, **validity}

    def _call(self, message: SmsMessage) -> dict[str, str]:
        if self.config.voice_sender is None:
            raise Permanent("this backend makes no calls: set voice_sender")
        language = spoken_language(message.language, self.config.voice_languages)
        return {"To": message.phone, "From": self.config.voice_sender, "Twiml": read_out(message.text, language)}

    async def _asked(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer = await self._answer(method, path, **more)
        content = _content(answer)
        if not answer.is_success:
            raise refused(answer, content.get("code"))
        return content

    async def _answer(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return await self._http.request(method, self._account_url + path, **more)
        except httpx.RequestError as error:
            raise unreachable(error, "Twilio", "endpoint and ca_file") from None

    async def check(self) -> None:
        """Check that the account exists and is active."""
        status = (await self._asked("GET", ".json")).get("status")
        if status in ("suspended", "closed"):
            raise Permanent(f"the account is {status}: look at Twilio's console")

    async def credit(self) -> float | None:
        """Return the balance, in the currency of the account; accounts under another one have none."""
        answer = await self._answer("GET", "/Balance.json")
        content = _content(answer)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if not answer.is_success:
            raise refused(answer, content.get("code"))
        try:
            return float(content["balance"])
        except (KeyError, TypeError, ValueError):
            return None

    async def read_reports(self, callback: Callback) -> list[DeliveryReport]:
        """Read a report that Twilio has signed: HMAC-SHA1 over the URL and the sorted fields."""
        config, fields = self.config, callback.form()
        if config.report_url is None:
            raise Unverified
        signed = str(config.report_url) + "".join(f"{name}{fields[name]}" for name in sorted(fields))
        token = (config.report_token or config.auth_token).get_secret_value()
        expected = base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1"))
        if not hmac.compare_digest(expected, callback.headers.get("x-twilio-signature", "").encode()):
            raise Unverified
        kind, states = ("Call", _STATES_OF_CALLS) if "CallStatus" in fields else ("Message", _STATES)
        status, code = fields.get(f"{kind}Status", ""), fields.get("ErrorCode", "")
        reason = f"{status} ({code})" if code.isdecimal() else status
        return [DeliveryReport(states.get(status, "underway"), fields.get(f"{kind}Sid"), reason)]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {}
