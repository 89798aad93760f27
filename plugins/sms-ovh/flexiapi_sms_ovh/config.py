"""Settings of the OVHcloud backend."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, StringConstraints, TypeAdapter

from flexiapi.plugin import BackendConfig, DataPath

_IN_A_URL = re.compile("[A-Za-z0-9_-]{16,}")

_ENDPOINTS = {
    "ovh-eu": "https://eu.api.ovh.com/1.0",
    "ovh-ca": "https://ca.api.ovh.com/1.0",
    "ovh-us": "https://api.us.ovhcloud.com/1.0",
}


Prefix = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{0,14}$")]
"""The beginning of phone numbers."""


def _report_secret(secret: SecretStr) -> SecretStr:
    if not _IN_A_URL.fullmatch(secret.get_secret_value()):
        raise ValueError("has at least 16 letters, digits, - and _, because it is part of a URL")
    return secret


def _url(endpoint: str) -> str:
    url = _ENDPOINTS.get(endpoint, endpoint)
    try:
        TypeAdapter(HttpUrl).validate_python(url)
    except ValueError:
        raise ValueError(f"write one of {', '.join(_ENDPOINTS)}, or a URL") from None
    return url.rstrip("/")


class OvhConfig(BackendConfig):
    """An application of an OVHcloud account, and the parameters of its SMS."""

    application_key: SecretStr = Field(description="key of the application")
    application_secret: SecretStr = Field(description="secret of the application")
    consumer_key: SecretStr = Field(description="consumer key, which grants rights to the application")
    endpoint: Annotated[str, AfterValidator(_url)] = Field(
        "ovh-eu", description="ovh-eu, ovh-ca, ovh-us, or the URL of the API"
    )
    service: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_-]+$", description="SMS service (sms-ab12345-1); unset, the account's first"
    )
    sender: str | None = Field(None, description="registered sender; unset, a number that accepts replies")
    senders: dict[Prefix, Annotated[str, StringConstraints(min_length=1)]] = Field(
        default_factory=dict,
        description="registered senders by prefix of the number (+1), which precede all others",
    )
    validity_minutes: int = Field(
        2880, ge=1, description="how long delivery is attempted at most, in minutes; a code no longer than it is worth"
    )
    concurrency: int = Field(20, ge=1, le=1000, description="requests that are under way at once at most")
    report_secret: Annotated[SecretStr, AfterValidator(_report_secret)] | None = Field(
        None, description="secret in the query of the callback URL that OVH is given; unset, no report is taken"
    )
    ca_file: DataPath | None = Field(None, description="certificates to trust; unset, those that httpx trusts")

    def sender_of(self, phone: str, of_domain: str | None) -> str | None:
        """Return what a text to a phone comes from: its country's, else its domain's sender, else that of all."""
        prefix = max((prefix for prefix in self.senders if phone.startswith(prefix)), key=len, default=None)
        return (self.senders[prefix] if prefix else None) or of_domain or self.sender
