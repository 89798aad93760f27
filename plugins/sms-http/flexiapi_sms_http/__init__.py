"""SMS backend for HTTP gateways, by configuration alone."""

import asyncio
import base64
import hmac
import ssl
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

import httpx
from jinja2 import TemplateError
from pydantic import SecretStr

from flexiapi.plugin import (
    Callback,
    Channel,
    DeliveryReport,
    Permanent,
    Receipt,
    RecipientDeferred,
    RecipientRefused,
    ReportedStatus,
    Retryable,
    SmsBackend,
    SmsMessage,
    Throttled,
    Unverified,
    http_client,
    retry_after,
)
from flexiapi_sms_http.config import HttpSmsConfig, RequestConfig
from flexiapi_sms_http.rules import UNREADABLE, every, holds, is_path, number, text
from flexiapi_sms_http.templating import fill, fill_url

__all__ = ["HttpSms", "HttpSmsConfig"]

# What evaluating a rule raises if it does not fit what the gateway has sent.
_UNFIT = (TemplateError, UNREADABLE, ValueError, TypeError, LookupError, ArithmeticError)


class HttpSms(SmsBackend[HttpSmsConfig]):
    """Makes one request per SMS from templates, and reads the answer by configured rules."""

    Config = HttpSmsConfig

    async def start(self) -> None:
        """Make the client; connections are opened when needed."""
        config = self.config
        context = await asyncio.to_thread(ssl.create_default_context, cafile=config.ca_file)
        password = config.password.get_secret_value() if config.password else ""
        auth = httpx.BasicAuth(config.username, password) if config.username is not None else None
        self._http = http_client(config.concurrency, context, auth=auth, timeout=config.timeout_seconds)

    @property
    def concurrency(self) -> int:
        """The requests that the gateway gets at once."""
        return self.config.concurrency

    @property
    def channels(self) -> frozenset[Channel]:
        """Calls too, if there is a request for them."""
        return frozenset({"text", "voice"} if self.config.voice else {"text"})

    async def send(self, message: SmsMessage) -> Receipt:
        """Send one SMS, or make one call."""
        # Messages of earlier servers have no channel.
        rules = self.config.voice if getattr(message, "channel", "text") == "voice" else self.config
        if rules is None:
            raise Permanent("this gateway makes no calls: set its table voice")
        try:
            request = self._request(rules, self._names(message))
        except (TemplateError, httpx.InvalidURL, ValueError, TypeError) as error:
            raise Permanent(f"the request cannot be made from the templates ({type(error).__name__})") from error
        return _read(rules, await self._asked(request))

    def _request(self, config: RequestConfig, names: dict[str, Any]) -> httpx.Request:
        headers = _filled(config.headers, names)
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
            # Messages of earlier servers have none of these.
            "id": getattr(message, "idempotency_key", None) or uuid.uuid4().hex,
            **{name: getattr(message, name, None) or "" for name in ("kind", "code", "language")},
            "sender": self.config.sender_of(message.phone, getattr(message, "sender", None)),
            "validity": "" if (life := getattr(message, "time_to_live", None)) is None else max(int(life), 1),
            "channel": getattr(message, "channel", "text"),
            "secrets": _revealed(self.config.secrets),
        }

    async def _asked(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._http.send(request)
        except httpx.ConnectError as error:
            raise Retryable(f"the gateway cannot be reached{_tls_problem(error)}") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise Retryable(f"the gateway broke off ({type(error).__name__})") from error

    async def check(self) -> None:
        """Call `check_url`, or check that the gateway accepts connections."""
        config = self.config
        if config.check_url is None:
            await self._asked(self._http.build_request("HEAD", httpx.URL(fill_url(config.url, {})).join("/")))
            return
        answer = await self._told(str(config.check_url))
        if not answer.is_success:
            raise Permanent(f"check_url answered {answer.status_code}: look at headers, secrets, username and password")

    async def credit(self) -> float | None:
        """Ask `credit_url` what is left."""
        config = self.config
        if config.credit_url is None:
            return None
        names = {"secrets": _revealed(config.secrets)}
        answer = await self._told(fill_url(config.credit_url, names))
        if not answer.is_success:
            failure = Retryable if holds(config.busy, _names_of(answer)) else Permanent
            raise failure(f"credit_url answered {answer.status_code}")
        try:
            return number(config.credit, _names_of(answer))
        except _UNFIT as error:
            raise Permanent(f"credit cannot read the answer of credit_url ({type(error).__name__})") from error

    async def _told(self, url: str) -> httpx.Response:
        headers = _filled(self.config.headers, self._names(SmsMessage("", "")))
        return await self._asked(self._http.build_request("GET", url, headers=headers))

    async def read_reports(self, callback: Callback) -> list[DeliveryReport]:
        """Read the reports of a request that has the proof of the settings."""
        config = self.config
        if not _is_proven(config, callback):
            raise Unverified
        names = {"json": _parsed(callback), "form": callback.form(), "query": dict(parse_qsl(callback.query))}
        if config.report_each is None:
            return [_report(config, names)]
        return [_report(config, {**names, "json": one}) for one in every(config.report_each, names)]

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _read(rules: RequestConfig, answer: httpx.Response) -> Receipt:
    """Return the receipt that an answer is by the rules. Raises the failure that it is."""
    names, told, wait = _names_of(answer), f"the gateway answered {answer.status_code}", retry_after(answer.headers)
    try:
        if holds(rules.success, names, rules.success_values) and (answer.is_success or not is_path(rules.success)):
            return _receipt(rules, names)
        if holds(rules.refused, names):
            raise RecipientRefused(f"{told}: it refuses the number")
        if holds(rules.deferred, names):
            raise RecipientDeferred(f"{told}: it cannot serve the number now", retry_after=wait)
        if holds(rules.throttled, names):
            raise Throttled(told, retry_after=wait)
        if holds(rules.busy, names):
            raise Retryable(told, retry_after=wait)
    except _UNFIT as error:
        raise Permanent(f"{told}, which the rules cannot read ({type(error).__name__})") from error
    raise Permanent(told)


def _receipt(rules: RequestConfig, names: dict[str, Any]) -> Receipt:
    # A message that is accepted must not go out again because an answer is not as the rules expect.
    receipt, cost = None, None
    with suppress(*_UNFIT):
        receipt = text(rules.receipt, names)
    with suppress(*_UNFIT):
        cost = number(rules.cost, names)
    return Receipt(receipt, cost)


def _report(config: HttpSmsConfig, names: dict[str, Any]) -> DeliveryReport:
    status: ReportedStatus = "underway"
    if holds(config.report_delivered, names):
        status = "delivered"
    elif holds(config.report_failed, names):
        status = "failed"
    return DeliveryReport(status, text(config.report_id, names), text(config.report_reason, names))


def _names_of(answer: httpx.Response) -> dict[str, Any]:
    return {"status": answer.status_code, "headers": answer.headers, "text": answer.text, "json": _json(answer)}


def _is_proven(config: HttpSmsConfig, callback: Callback) -> bool:
    if config.report_secret is None:
        return False
    given, secret = callback.headers.get(config.report_header.lower(), ""), config.report_secret.get_secret_value()
    if config.report_proof == "secret":
        return hmac.compare_digest(secret.encode(), given.encode())
    if not callback.body:
        # It would prove the query of a GET to be the gateway's, which is not signed.
        return False
    digest, proof = hmac.digest(secret.encode(), callback.body, "sha256"), given.removeprefix("sha256=").encode()
    # Hexadecimal digits in either case.
    shown = (digest.hex().encode(), digest.hex().upper().encode(), base64.b64encode(digest))
    return any(hmac.compare_digest(one, proof) for one in shown)


def _parsed(callback: Callback) -> Any:
    try:
        return callback.json()
    except ValueError:
        return None


def _filled(headers: Mapping[str, SecretStr], names: Mapping[str, Any]) -> dict[str, str]:
    return {name: fill(template, names) for name, template in _revealed(headers).items()}


def _revealed(secrets: Mapping[str, SecretStr]) -> dict[str, str]:
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
