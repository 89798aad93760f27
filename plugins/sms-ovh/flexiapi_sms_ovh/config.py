"""Settings of the OVHcloud backend."""

from typing import Annotated

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, TypeAdapter

from flexiapi.plugin import BackendConfig, DataPath

_ENDPOINTS = {
    "ovh-eu": "https://eu.api.ovh.com/1.0",
    "ovh-ca": "https://ca.api.ovh.com/1.0",
    "ovh-us": "https://api.us.ovhcloud.com/1.0",
}


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
    validity_minutes: int = Field(2880, ge=1, description="how long delivery is attempted, in minutes")
    ca_file: DataPath | None = Field(None, description="certificates to trust; unset, those that httpx trusts")
