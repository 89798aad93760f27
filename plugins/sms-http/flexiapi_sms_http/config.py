"""Settings of the HTTP SMS backend: the request, and the interpretation of the answer."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, model_validator

from flexiapi.plugin import BackendConfig
from flexiapi_sms_http.templating import REPORT_NAMES, fill_url, validate_expression, validate_template


def _template(template: Any) -> Any:
    validate_template(template)
    return template


def _expression(expression: str) -> str:
    validate_expression(expression)
    return expression


def _report_expression(expression: str) -> str:
    validate_expression(expression, REPORT_NAMES)
    return expression


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


Expression = Annotated[str, AfterValidator(_expression)]
ReportExpression = Annotated[str, AfterValidator(_report_expression)]


class HttpSmsConfig(BackendConfig):
    """Settings of a gateway. Templates know the names in `MESSAGE_NAMES`, among them `phone` and `text`."""

    url: Annotated[str, AfterValidator(_url)] = Field(description="URL of requests (template)")
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
    secrets: dict[str, SecretStr] = Field(
        default_factory=dict, description="secret values, which templates use as secrets.NAME"
    )
    username: str | None = Field(None, description="user of HTTP Basic authentication")
    password: SecretStr | None = Field(None, description="password of HTTP Basic authentication")
    success: Expression = Field(
        "200 <= status < 300",
        description="when a text is accepted: an expression over status, headers, text and json of the answer",
    )
    busy: Expression = Field(
        "status in [408, 425, 429] or status >= 500", description="when a retry may succeed, if the SMS is not accepted"
    )
    receipt: Expression | None = Field(None, description="the gateway's id of the text, such as json.id")
    check_url: HttpUrl | None = Field(None, description="URL that answers 2xx when the credentials are good")
    report_secret: SecretStr | None = Field(
        None, min_length=16, description="secret that proves delivery reports to be the gateway's; unset, none is taken"
    )
    report_header: str = Field("authorization", description="header of reports that has the proof")
    report_proof: Literal["secret", "hmac-sha256"] = Field(
        "secret", description="what is in that header: report_secret itself, or the HMAC of the body in hex or base64"
    )
    report_delivered: ReportExpression = Field(
        "(json.status or form.status) == 'delivered'",
        description="when an SMS was delivered: an expression over json, form and query of a report",
    )
    report_failed: ReportExpression = Field(
        "(json.status or form.status) in ['failed', 'undelivered', 'rejected', 'expired']",
        description="when it was not, and will not be",
    )
    report_id: ReportExpression | None = Field(None, description="the gateway's id of the SMS in a report, as json.id")
    report_reason: ReportExpression | None = Field(None, description="the cause in a report, a code that may be logged")
    ca_file: Path | None = Field(None, description="certificates to trust in place of the system's")
    timeout_seconds: float = Field(30.0, gt=0, description="how long the gateway may take, in seconds")

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        bodies = [body for body in (self.body_json, self.body_form, self.body_text) if body is not None]
        if len(bodies) > 1 or (bodies and self.method == "GET"):
            raise ValueError("a request has one of body_json, body_form and body_text, and with GET none")
        return self
