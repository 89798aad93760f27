"""Settings of the HTTP SMS backend: the request, and the interpretation of the answer."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, StringConstraints, model_validator

from flexiapi.plugin import BackendConfig
from flexiapi_sms_http.rules import REPORT_NAMES, is_path, validate_rule
from flexiapi_sms_http.templating import fill_url, validate_template


def _template(template: Any) -> Any:
    validate_template(template)
    return template


def _rule(rule: str) -> str:
    validate_rule(rule)
    return rule


def _report_rule(rule: str) -> str:
    validate_rule(rule, REPORT_NAMES)
    return rule


def _secret_templates(secrets: dict[str, SecretStr]) -> dict[str, SecretStr]:
    for secret in secrets.values():
        validate_template(secret.get_secret_value())
    return secrets


def _url(template: str) -> str:
    validate_template(template)
    parts = urlsplit(template)
    if parts.scheme not in ("http", "https") or not parts.hostname or "{" in parts.netloc:
        raise ValueError("starts with http:// or https:// and a host name without templates")
    fill_url(template, {})
    return template


UrlTemplate = Annotated[str, AfterValidator(_url)]
Rule = Annotated[str, AfterValidator(_rule)]
ReportRule = Annotated[str, AfterValidator(_report_rule)]
Prefix = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{0,14}$")]


class RequestConfig(BackendConfig):
    """The request for one message. Templates know the names in `MESSAGE_NAMES`, among them `phone` and `text`."""

    url: UrlTemplate = Field(description="URL of requests (template)")
    method: Literal["GET", "POST", "PUT"] = Field("POST", description="HTTP method")
    headers: Annotated[dict[str, SecretStr], AfterValidator(_secret_templates)] = Field(
        default_factory=dict, description="headers (templates)"
    )
    query: Annotated[dict[str, str], AfterValidator(_template)] = Field(
        default_factory=dict, description="fields of the query (templates)"
    )
    body_json: Annotated[Any, AfterValidator(_template)] = Field(
        None, description="JSON body: a table, each text in it a template"
    )
    body_form: Annotated[dict[str, str] | None, AfterValidator(_template)] = Field(
        None, description="fields of a form body (templates)"
    )
    body_text: Annotated[str | None, AfterValidator(_template)] = Field(None, description="any other body (template)")
    content_type: str = Field("text/plain; charset=utf-8", description="type of body_text")

    success: Rule = Field(
        "200 <= status < 300",
        description="when a message is accepted: an expression over status, headers, text and json of the answer, or a "
        "JSONPath ($.status), which counts in answers 2xx only",
    )
    success_values: list[str | int | float | bool] | None = Field(
        None, description="what the JSONPath of success has to find; unset, anything but false, null, 0 and nothing"
    )
    refused: Rule | None = Field(
        None, description="when the number is refused for good: it does not exist, or its owner wants no messages"
    )
    deferred: Rule | None = Field(None, description="when the number, and only it, cannot be served now")
    throttled: Rule = Field("status == 429", description="when the gateway takes no more messages for now")
    busy: Rule = Field(
        "status in [408, 425] or status >= 500", description="when a retry may succeed, if none of these holds"
    )
    receipt: Rule | None = Field(None, description="the gateway's id of the message, such as json.id")
    cost: Rule | None = Field(None, description="what the message costs, in the gateway's unit, such as json.price")

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        bodies = [body for body in (self.body_json, self.body_form, self.body_text) if body is not None]
        if len(bodies) > 1 or (bodies and self.method == "GET"):
            raise ValueError("a request has one of body_json, body_form and body_text, and with GET none")
        if self.success_values is not None and not is_path(self.success):
            raise ValueError("success_values needs a JSONPath in success, such as $.status")
        return self


# What a call takes over from the texts, unless it has its own.
_SHARED = ("headers", "success", "success_values", "refused", "deferred", "throttled", "busy", "receipt", "cost")


class HttpSmsConfig(RequestConfig):
    """Settings of a gateway."""

    secrets: dict[str, SecretStr] = Field(
        default_factory=dict, description="secret values, which templates use as secrets.NAME"
    )
    username: str | None = Field(None, description="user of HTTP Basic authentication")
    password: SecretStr | None = Field(None, description="password of HTTP Basic authentication")
    senders: dict[Prefix, Annotated[str, StringConstraints(min_length=1)]] = Field(
        default_factory=dict, description="senders by prefix of the number (+1): `sender` in templates"
    )
    voice: RequestConfig | None = Field(
        None, description="the request for a call that reads a text out, with the rules of texts unless it has its own"
    )
    check_url: HttpUrl | None = Field(None, description="URL that answers 2xx when the credentials are good")
    credit_url: UrlTemplate | None = Field(None, description="URL that tells what is left to spend (template)")
    credit: Rule | None = Field(None, description="what is left, in the answer of credit_url, such as json.balance")
    report_secret: SecretStr | None = Field(
        None, min_length=16, description="secret that proves delivery reports to be the gateway's; unset, none is taken"
    )
    report_header: str = Field("authorization", description="header of reports that has the proof")
    report_proof: Literal["secret", "hmac-sha256"] = Field(
        "secret", description="what is in that header: report_secret itself, or the HMAC of the body in hex or base64"
    )
    report_delivered: ReportRule = Field(
        "(json.status or form.status) == 'delivered'",
        description="when an SMS was delivered: an expression over json, form and query of a report, or a JSONPath",
    )
    report_failed: ReportRule = Field(
        "(json.status or form.status) in ['failed', 'undelivered', 'rejected', 'expired']",
        description="when it was not, and will not be",
    )
    report_id: ReportRule | None = Field(None, description="the gateway's id of the SMS in a report, as json.id")
    report_reason: ReportRule | None = Field(None, description="the cause in a report, a code that may be logged")
    report_each: ReportRule | None = Field(
        None, description="JSONPath of the reports in a request that has several: each is the json of the other rules"
    )
    concurrency: int = Field(20, ge=1, le=1000, description="requests that are under way at once at most")
    ca_file: Path | None = Field(None, description="certificates to trust in place of the system's")
    timeout_seconds: float = Field(30.0, gt=0, description="how long the gateway may take, in seconds")

    @model_validator(mode="before")
    @classmethod
    def _shared_with_calls(cls, settings: Any) -> Any:
        if not isinstance(settings, dict) or not isinstance(voice := settings.get("voice"), dict):
            return settings
        shared = {name: settings[name] for name in _SHARED if name in settings}
        if "success" in voice:
            shared.pop("success_values", None)
        return {**settings, "voice": {**shared, **voice}}

    @model_validator(mode="after")
    def _settings_fit(self) -> Self:
        if (self.credit_url is None) != (self.credit is None):
            raise ValueError("credit_url and credit belong together")
        if self.report_each is not None and not is_path(self.report_each):
            raise ValueError("report_each is a JSONPath, such as $.results[*]")
        return self

    def sender_of(self, phone: str, of_domain: str | None) -> str:
        """Return what a text to a phone comes from: its country's, else its domain's sender, else nothing."""
        prefix = max((prefix for prefix in self.senders if phone.startswith(prefix)), key=len, default=None)
        return (self.senders[prefix] if prefix else None) or of_domain or ""
