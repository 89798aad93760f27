"""Settings of notification: backends, and the delivery of push, SMS and mail."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from flexiapi.settings.values import Names, OptionalMailAddress, OptionalSecret, OptionalText, SettingsSection


class DeliverySettings(SettingsSection):
    """Delivery of messages by the backends of [push.*], [sms.*] and [mail.*]."""

    fallback_backend: OptionalText = Field(
        None, description="backend of every transport that has none configured; `outbox` in development"
    )
    deadline_seconds: float = Field(
        8.0, gt=0, description="how long a caller waits for a delivery, in seconds; a try gets a third of what is left"
    )
    tries: int = Field(3, ge=1, le=10, description="tries per backend within the deadline")
    concurrent: int = Field(
        100, ge=1, description="messages under way at once, by a backend that does not declare how many it can have"
    )
    circuit_failures: int = Field(10, ge=1, description="failures in a row after which a backend rests")
    circuit_seconds: float = Field(
        15.0, gt=0, description="how long a backend rests at most, in seconds; an eighth of it at first"
    )


class BackendSettings(BaseModel):
    """A configured backend: `[sms.main]` is the backend `main` of the transport `sms`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    backend: str = Field(description="name of an installed backend (`flexiapi plugins` lists them)")
    order: int = Field(0, description="lower numbers are tried first")
    prefixes: Names = Field((), description="SMS only: phone number prefixes (+33, ...) that it serves; by default all")

    @property
    def options(self) -> dict[str, Any]:
        """The settings of the backend itself."""
        return dict(self.model_extra or {})


BackendTables = dict[str, BackendSettings]


OF_MAIL_BACKENDS = ("from_address", "from_name", "reply_to", "bounce_address")
"""The settings of [mail] that backends inherit which have settings of these names."""


class MailSettings(SettingsSection):
    """Mails. The SMTP settings here make a backend of their own; tables such as [mail.main] make others."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: BackendTables

    from_address: str = Field("hello@example.org", description="sender's address")
    from_name: str = Field("FlexiAPI", description="sender's name")
    reply_to: OptionalMailAddress = Field(None, description="address that answers go to; unset, the sender's")
    bounce_address: OptionalMailAddress = Field(
        None, description="address that reports of failures go to (envelope sender); unset, the sender's"
    )
    signature: str = Field("The FlexiAPI team", description="last line of every mail")
    host: OptionalText = Field(None, description="SMTP server; makes a backend `smtp` of these settings")
    port: int = Field(587, ge=1, le=65535, description="TCP port of the SMTP server")
    encryption: Literal["", "none", "starttls", "tls", "ssl"] = Field(
        "starttls", description="encryption of the connection"
    )
    username: OptionalText = Field(None, description="user at the SMTP server")
    password: OptionalSecret = Field(None, description="password at the SMTP server")
    verify_peer: bool = Field(True, description="require a trusted certificate")
