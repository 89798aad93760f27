"""Settings of the UnifiedPush backend."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from flexiapi.plugin import BackendConfig, DataPath

_HOST = re.compile(r"(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(:(?P<port>[0-9]{1,5}))?")


def _a_host(text: str) -> str:
    if not _HOST.fullmatch(text.lower()):
        raise ValueError("write a host name or address, with `:port` if it is not the usual one")
    return text.lower()


Host = Annotated[str, AfterValidator(_a_host)]


class UnifiedConfig(BackendConfig):
    """Settings with the allowed hosts, because callers of the API choose the endpoints."""

    hosts: tuple[Host, ...] = Field(
        min_length=1, description="push servers that endpoints may be on, such as ntfy.sh or push.example.org:8443"
    )
    access_tokens: dict[Host, SecretStr] = Field(
        {}, description="access token by host, for servers that take messages only from those they know"
    )
    token_paths: re.Pattern[str] = Field(
        re.compile(r"/[A-Za-z0-9_-]{1,64}"),
        description="regular expression of the paths that an access token is sent to: the endpoints, nothing else",
    )
    vapid_key_file: DataPath | None = Field(
        None,
        description="private key (PEM, curve P-256) that signs encrypted messages for push servers that ask so",
    )
    vapid_subject: str | None = Field(
        None,
        pattern=r"^(mailto:[^\s@]+@[^\s@]+|https://\S+)$",
        description="address where push servers reach the operator, mailto:... or https:...; required with the key",
    )
    ttl_seconds: int = Field(86400, ge=0, le=2419200, description="how long a server keeps a message, in seconds")
    answer_seconds: float = Field(
        2.0, gt=0, description="how long an endpoint may take to answer, until its host is asked whether it lives"
    )
    concurrency: int = Field(
        50, ge=1, le=1000, description="requests that are under way at once at most, to each of the hosts"
    )
    allow_http: bool = Field(False, description="take endpoints without TLS too; for servers on this host")
    ca_file: DataPath | None = Field(None, description="certificates to trust; unset, those that httpx trusts")

    @model_validator(mode="after")
    def _tokens_are_of_hosts(self) -> Self:
        strangers = set(self.access_tokens) - set(self.hosts)
        if strangers:
            raise ValueError(f"access_tokens names {', '.join(sorted(strangers))}, which `hosts` does not")
        return self

    @model_validator(mode="after")
    def _key_has_a_subject(self) -> Self:
        if (self.vapid_key_file is None) != (self.vapid_subject is None):
            raise ValueError("set both vapid_key_file and vapid_subject, or neither")
        return self
