"""SMS backend for HTTP gateways, by configuration alone."""

import asyncio
import base64
import hmac
import ssl
import uuid
from typing import Any
from urllib.parse import parse_qsl

import httpx
from jinja2 import TemplateError
from pydantic import SecretStr

from flexiapi.plugin import (
    Callback,
    DeliveryReport,
    Permanent,
    Receipt,
    ReportedStatus,
    Retryable,
    SmsBackend,
    SmsMessage,
    Unverified,
    retry_after,
)
from flexiapi_sms_http.config import HttpSmsConfig
from flexiapi_sms_http.templating import fill, fill_url, holds, value

__all__ = ["HttpSms", "HttpSmsConfig"]


class HttpSms(SmsBackend[HttpSmsConfig]):
    """Makes one request per SMS from templates, and reads the answer by configured rules."""

    Config = HttpSmsConfig

    async def start(self) -> None:
        """Make the client; connections are opened when needed."""
        config = self.config
        context = await asyncio.to_thread(ssl.create_default_context, cafile=config.ca_file)
        password = config.password.get_secret_value() if config.password else ""
        auth = httpx.BasicAuth(config.username, password) if config.username is not None else None
        self._http = httpx.AsyncClient(verify=context, auth=auth, timeout=config.timeout_seconds)

    async def send(self, message: SmsMessage) -> Receipt:
        """Send one SMS."""
        try:
            request = self._request(message)
        except (TemplateError, httpx.InvalidURL, ValueError, TypeError) as error:
            raise Permanent(f"the request cannot be made from the templates ({type(error).__name__})") from error
        return self._read(await self._asked(request))

    def _request(self, message: SmsMessage) -> httpx.Request:
        config = self.config
        names = self._names(message)
        headers = self._headers(names)
        content: dict[str, Any] = {}
        if config.body_json is not None:
            content["json"] = fill(config.body_json, names)
        if config.body_form is not None:
            content["data"] = fill(config.body_form, names)
        if config.body_text is not None:
            content["content"] = fill(config.body_text, names)
            headers.setdefault("content-type", config.content_type)
        url = httpx.URL(fill_url(config.url, names))
        if config.query:
            url = url.copy_merge_params(fill(config.query, names))
        return self._http.build_request(config.method, url, headers=headers, **content)

    def _names(self, message: SmsMessage) -> dict[str, Any]:
        return {
            "phone": message.phone,
            "digits": message.phone.removeprefix("+"),
            "text": message.text,
            # Messages of earlier servers have neither of these.
            "id": getattr(message, "idempotency_key", None) or uuid.uuid4().hex,
            **{name: getattr(message, name, None) or "" for name in ("kind", "code", "language", "sender")},
            "secrets": _revealed(self.config.secrets),
        }

    def _headers(self, names: dict[str, Any]) -> dict[str, str]:
        return {name: fill(template, names) for name, template in _revealed(self.config.headers).items()}

    async def _asked(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._http.send(request)
        except httpx.ConnectError as error:
            raise Retryable(f"the gateway cannot be reached{_tls_problem(error)}") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Retryable(f"the gateway broke off ({type(error).__name__})") from error

    def _read(self, answer: httpx.Response) -> Receipt:
        names = {"status": answer.status_code, "headers": answer.headers, "text": answer.text, "json": _json(answer)}
        told = f"the gateway answered {answer.status_code}"
        try:
            if holds(self.config.success, names):
                receipt = value(self.config.receipt, names) if self.config.receipt else None
                return Receipt(None if receipt is None else str(receipt))
            if holds(self.config.busy, names):
                raise Retryable(told, retry_after=retry_after(answer.headers))
        except (TemplateError, ValueError, TypeError, LookupError) as error:
            raise Permanent(f"{told}, which success, busy and receipt cannot read ({type(error).__name__})") from error
        raise Permanent(told)

    async def check(self) -> None:
        """Call `check_url`, or check that the gateway accepts connections."""
        config = self.config
        if config.check_url is None:
            await self._asked(self._http.build_request("HEAD", httpx.URL(fill_url(config.url, {})).join("/")))
            return
        headers = self._headers(self._names(SmsMessage("", "")))
        answer = await self._asked(self._http.build_request("GET", str(config.check_url), headers=headers))
        if not answer.is_success:
            raise Permanent(f"check_url answered {answer.status_code}: look at headers, secrets, username and password")

    async def read_reports(self, callback: Callback) -> list[DeliveryReport]:
        """Read a report that has the proof of the settings."""
        config = self.config
        if not _is_proven(config, callback):
            raise Unverified
        names = {"json": _parsed(callback), "form": callback.form(), "query": dict(parse_qsl(callback.query))}
        status: ReportedStatus = "underway"
        if holds(config.report_delivered, names):
            status = "delivered"
        elif holds(config.report_failed, names):
            status = "failed"
        told = (value(rule, names) if rule else None for rule in (config.report_id, config.report_reason))
        return [DeliveryReport(status, *(None if one is None else str(one) for one in told))]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _is_proven(config: HttpSmsConfig, callback: Callback) -> bool:
    if config.report_secret is None:
        return False
    given, secret = callback.headers.get(config.report_header.lower(), ""), config.report_secret.get_secret_value()
    if config.report_proof == "secret":
        return hmac.compare_digest(secret.encode(), given.encode())
    digest, proof = hmac.digest(secret.encode(), callback.body, "sha256"), given.removeprefix("sha256=").encode()
    # Hexadecimal digits in either case.
    shown = (digest.hex().encode(), digest.hex().upper().encode(), base64.b64encode(digest))
    return any(hmac.compare_digest(one, proof) for one in shown)


def _parsed(callback: Callback) -> Any:
    try:
        return callback.json()
    except ValueError:
        return None


def _revealed(secrets: dict[str, SecretStr]) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in secrets.items()}


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _tls_problem(error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return f": TLS failed ({getattr(error, 'verify_message', None) or error.reason}), look at url and ca_file"
        error = error.__cause__ or error.__context__
    return ""
