"""Settings of the SMTP backend."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from email_validator import validate_email
from pydantic import AfterValidator, Field, HttpUrl, SecretStr, model_validator

from flexiapi.plugin import BackendConfig

_PORTS = {"none": 25, "starttls": 587, "tls": 465}


def address_parts(address: str) -> tuple[str, str]:
    """Split a mail address into local part and ASCII domain. Raises `ValueError` if it is not valid."""
    valid = validate_email(address, check_deliverability=False, globally_deliverable=False)
    return valid.local_part, valid.ascii_domain


def _address(value: str) -> str:
    return "@".join(address_parts(value))


def _is_this_host(name: str) -> bool:
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name.lower().rstrip(".") == "localhost"


Address = Annotated[str, AfterValidator(_address)]


class SmtpConfig(BackendConfig):
    """Settings of an SMTP server."""

    host: str = Field(description="name of the SMTP server")
    port: int | None = Field(
        None, ge=1, le=65535, description="TCP port; unset, 587 with starttls, 465 with tls, 25 with none"
    )
    encryption: Literal["none", "starttls", "tls"] = Field("starttls", description="encryption of the connection")
    username: str | None = Field(None, description="user to sign in as")
    password: SecretStr | None = Field(None, description="password of the user")
    token_url: HttpUrl | None = Field(
        None, description="URL that access tokens are asked for at; set, the user signs in by OAuth (XOAUTH2)"
    )
    client_id: str | None = Field(None, description="OAuth: id of the client (application)")
    client_secret: SecretStr | None = Field(None, description="OAuth: secret of the client")
    refresh_token: SecretStr | None = Field(
        None,
        description="OAuth: refresh token of the user; unset, the client asks in its own name (client credentials)",
    )
    scope: str | None = Field(None, description="OAuth: scope to ask for")
    verify_peer: bool = Field(True, description="require a trusted certificate")
    ca_file: Path | None = Field(None, description="certificates to trust in place of the system's")
    from_address: Address = Field("hello@example.org", description="sender's address")
    from_name: str = Field("", description="sender's name")
    reply_to: Address | None = Field(None, description="address that answers go to; unset, the sender's")
    bounce_address: Address | None = Field(
        None, description="address that reports of failures go to (envelope sender); unset, the sender's"
    )
    hello_name: str | None = Field(
        None, description="the client's name in EHLO; unset, the full name of this host, or else its address"
    )
    connections: int = Field(20, ge=1, le=100, description="connections, and mails under way, at once")
    timeout_seconds: float = Field(30.0, gt=0, description="how long the server may take for an answer, in seconds")
    idle_seconds: float = Field(
        30.0, gt=0, description="how long an idle connection is kept, in seconds; less than the server keeps it"
    )
    probe_seconds: float = Field(
        1.0, gt=0, description="how long an idle connection may take to show that it lives, in seconds"
    )
    dkim_selector: str | None = Field(None, description="DKIM selector; set, mails are signed")
    dkim_domain: str | None = Field(None, description="DKIM domain; unset, the domain of from_address")
    dkim_key_file: Path | None = Field(None, description="file with the RSA private key (PEM) that signs")

    @model_validator(mode="after")
    def _has_all_for_oauth(self) -> Self:
        if self.token_url is None:
            if self.client_id or self.client_secret or self.refresh_token or self.scope:
                raise ValueError("client_id, client_secret, refresh_token and scope are of no use without token_url")
            return self
        if not self.username or not self.client_id or not (self.client_secret or self.refresh_token):
            raise ValueError("token_url needs username, client_id, and client_secret or refresh_token")
        if self.password is not None:
            raise ValueError("remove password: with token_url the user signs in by a token")
        if self.token_url.scheme != "https" and not _is_this_host(self.token_url.host or ""):
            raise ValueError("token_url must begin with https://, because the secrets go there")
        return self

    @property
    def tcp_port(self) -> int:
        """The configured port, or the usual one of the encryption."""
        return self.port or _PORTS[self.encryption]

    @property
    def server(self) -> str:
        """Host and port, for messages to operators."""
        return f"{self.host}:{self.tcp_port}"

    @property
    def signing_domain(self) -> str:
        """The domain of the DKIM signature and of message ids."""
        return self.dkim_domain or self.from_address.rpartition("@")[2]

    @property
    def doubts(self) -> Iterator[str]:
        """The settings that work but are probably mistakes, each as a sentence."""
        if self.username is not None and not _is_this_host(self.host):
            secret = "access token" if self.token_url else "password"
            if self.encryption == "none":
                yield f"the {secret} goes to {self.server} in clear text: set encryption to starttls or tls"
            elif not self.verify_peer:
                yield f"the {secret} goes to any server that answers for {self.server}: set ca_file, not verify_peer"
        if self.hello_name is not None and "." not in self.hello_name.strip("."):
            yield "hello_name has no dot, so some servers refuse it: write this host's full name in DNS"
