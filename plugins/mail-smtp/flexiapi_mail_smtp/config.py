"""Settings of the SMTP backend."""

import socket
from pathlib import Path
from typing import Annotated, Literal

from email_validator import validate_email
from pydantic import AfterValidator, Field, SecretStr

from flexiapi.plugin import BackendConfig

_PORTS = {"none": 25, "starttls": 587, "tls": 465}


def address_parts(address: str) -> tuple[str, str]:
    """Split a mail address into local part and ASCII domain. Raises `ValueError` if it is not valid."""
    valid = validate_email(address, check_deliverability=False, globally_deliverable=False)
    return valid.local_part, valid.ascii_domain


def _address(value: str) -> str:
    return "@".join(address_parts(value))


class SmtpConfig(BackendConfig):
    """Settings of an SMTP server."""

    host: str = Field(description="name of the SMTP server")
    port: int | None = Field(
        None, ge=1, le=65535, description="TCP port; unset, 587 with starttls, 465 with tls, 25 with none"
    )
    encryption: Literal["none", "starttls", "tls"] = Field("starttls", description="encryption of the connection")
    username: str | None = Field(None, description="user to sign in as")
    password: SecretStr | None = Field(None, description="password of the user")
    verify_peer: bool = Field(True, description="require a trusted certificate")
    ca_file: Path | None = Field(None, description="certificates to trust in place of the system's")
    from_address: Annotated[str, AfterValidator(_address)] = Field("hello@example.org", description="sender's address")
    from_name: str = Field("", description="sender's name")
    hello_name: str = Field(
        default_factory=socket.gethostname, description="the client's name in EHLO; some servers require a name in DNS"
    )
    connections: int = Field(4, ge=1, le=100, description="connections that are open at once")
    timeout_seconds: float = Field(30.0, gt=0, description="how long the server may take for an answer, in seconds")
    dkim_selector: str | None = Field(None, description="DKIM selector; set, mails are signed")
    dkim_domain: str | None = Field(None, description="DKIM domain; unset, the domain of from_address")
    dkim_key_file: Path | None = Field(None, description="file with the RSA private key (PEM) that signs")

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
