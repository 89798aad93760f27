"""SMS backend for Twilio."""

import asyncio
import base64
import hmac
from typing import Any, Self

import httpx
from pydantic import Field, HttpUrl, SecretStr, model_validator

from flexiapi.plugin import (
    BackendConfig,
    Callback,
    DataPath,
    DeliveryError,
    DeliveryReport,
    Permanent,
    Receipt,
    ReportedStatus,
    Retryable,
    SmsBackend,
    SmsMessage,
    Unverified,
    retry_after,
    tls_context,
    unreachable,
)

_HINTS = {
    20003: "look at account_sid, api_key_sid and auth_token",
    20404: "look at account_sid",
    21211: "this is not a phone number",
    21212: "look at sender",
    21408: "allow the country in Twilio's console: Messaging, Geo permissions",
    21606: "the sender cannot send there: look at sender",
    21610: "the person has asked for no more texts",
    21614: "the number takes no texts",
    21701: "look at messaging_service_sid",
}


_STATES: dict[str, ReportedStatus] = {
    "delivered": "delivered",
    "read": "delivered",
    "failed": "failed",
    "undelivered": "failed",
    "canceled": "failed",
}


class TwilioConfig(BackendConfig):
    """Settings of a Twilio account and of the sender."""

    account_sid: str = Field(pattern="^AC[0-9A-Za-z]{1,64}$", description="SID of the account (AC...)")
    auth_token: SecretStr = Field(description="auth token of the account, or the secret of the API key")
    api_key_sid: str | None = Field(None, description="SID of an API key (SK...) to sign in with, not as the account")
    sender: str | None = Field(None, description="number (+...) or name that texts come from")
    messaging_service_sid: str | None = Field(None, description="messaging service (MG...) that chooses the sender")
    endpoint: HttpUrl = Field(HttpUrl("https://api.twilio.com"), description="URL of the API")
    report_url: HttpUrl | None = Field(
        None, description="public URL of /callbacks/LABEL of this server, where Twilio is to report deliveries"
    )
    report_token: SecretStr | None = Field(
        None, description="auth token of the account, which signs reports; unset, auth_token"
    )
    ca_file: DataPath | None = Field(None, description="certificates to trust; unset, those that httpx trusts")

    @model_validator(mode="after")
    def _one_sender(self) -> Self:
        if (self.sender is None) == (self.messaging_service_sid is None):
            raise ValueError("set either sender or messaging_service_sid")
        if self.report_url and self.api_key_sid and not self.report_token:
            raise ValueError("reports are signed with the account's auth token: set report_token")
        return self


class TwilioSms(SmsBackend[TwilioConfig]):
    """Sends SMS as messages of one account."""

    Config = TwilioConfig

    async def start(self) -> None:
        """Make the client."""
        config = self.config
        context = await asyncio.to_thread(tls_context, config.ca_file)
        user = config.api_key_sid or config.account_sid
        self._account_url = f"{str(config.endpoint).rstrip('/')}/2010-04-01/Accounts/{config.account_sid}"
        self._http = httpx.AsyncClient(
            auth=(user, config.auth_token.get_secret_value()),
            verify=context,
            timeout=30,
        )

    async def send(self, message: SmsMessage) -> Receipt:
        """Send one SMS."""
        config = self.config
        # Messages of earlier servers have no sender of their own.
        named = getattr(message, "sender", None) or config.sender
        sender = {"From": named} if named else {"MessagingServiceSid": config.messaging_service_sid}
        fields = {"To": message.phone, **sender, "Body": message.text}
        if config.report_url is not None:
            fields["StatusCallback"] = str(config.report_url)
        answer = await self._asked("POST", "/Messages.json", data=fields)
        sid = answer.get("sid")
        if not isinstance(sid, str):
            raise Retryable("Twilio does not answer as it should")
        return Receipt(sid)

    async def _asked(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, self._account_url + path, **more)
        except httpx.RequestError as error:
            raise unreachable(error, "Twilio", "endpoint and ca_file") from None
        content = _content(answer)
        if not answer.is_success:
            raise _refused(answer, content.get("code"))
        return content

    async def check(self) -> None:
        """Check that the account exists and is active."""
        status = (await self._asked("GET", ".json")).get("status")
        if status in ("suspended", "closed"):
            raise Permanent(f"the account is {status}: look at Twilio's console")

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
        status, code = fields.get("MessageStatus", ""), fields.get("ErrorCode", "")
        reason = f"{status} ({code})" if code.isdecimal() else status
        return [DeliveryReport(_STATES.get(status, "underway"), fields.get("MessageSid"), reason)]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {}


def _refused(answer: httpx.Response, code: object) -> DeliveryError:
    """Return the contract's error without Twilio's text, because it quotes phone numbers."""
    text = f"Twilio answers {answer.status_code}" + (f" ({code})" if isinstance(code, int) else "")
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.is_server_error:
        return Retryable(text, retry_after=retry_after(answer.headers))
    hint = _HINTS.get(code) if isinstance(code, int) else None
    return Permanent(f"{text}: {hint}" if hint else text)
