"""Settings of the Twilio backend."""

import re
from typing import Annotated, Self

from pydantic import Field, HttpUrl, SecretStr, StringConstraints, model_validator

from flexiapi.plugin import BackendConfig, DataPath

Prefix = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{0,14}$")]

_SERVICE = re.compile(r"MG[0-9A-Fa-f]{32}")


class TwilioConfig(BackendConfig):
    """Settings of a Twilio account and of the senders."""

    account_sid: str = Field(pattern="^AC[0-9A-Za-z]{1,64}$", description="SID of the account (AC...)")
    auth_token: SecretStr = Field(description="auth token of the account, or the secret of the API key")
    api_key_sid: str | None = Field(None, description="SID of an API key (SK...) to sign in with, not as the account")
    sender: str | None = Field(None, description="number (+...) or name that texts come from")
    messaging_service_sid: str | None = Field(None, description="messaging service (MG...) that chooses the sender")
    senders: dict[Prefix, Annotated[str, StringConstraints(min_length=1)]] = Field(
        default_factory=dict,
        description="senders by prefix of the number (+1), which precede all others: a number, a name, or the SID of a "
        "messaging service",
    )
    voice_sender: str | None = Field(
        None, pattern=r"^\+[1-9][0-9]{1,14}$", description="number that calls come from; unset, there are no calls"
    )
    voice_languages: dict[str, str] = Field(
        default_factory=dict, description="languages of Twilio's voice (en-GB) by language of the text (en)"
    )
    concurrency: int = Field(20, ge=1, le=1000, description="requests that are under way at once at most")
    endpoint: HttpUrl = Field(HttpUrl("https://api.twilio.com"), description="URL of the API")
    report_url: HttpUrl | None = Field(
        None, description="public URL of /callbacks/LABEL of this server, where Twilio is to report deliveries"
    )
    report_token: SecretStr | None = Field(
        None, description="auth token of the account, which signs reports; unset, auth_token"
    )
    ca_file: DataPath | None = Field(None, description="certificates to trust; unset, those that httpx trusts")

    @model_validator(mode="after")
    def _one_sender(self) -> Self:
        if (self.sender is None) == (self.messaging_service_sid is None):
            raise ValueError("set either sender or messaging_service_sid")
        if self.report_url and self.api_key_sid and not self.report_token:
            raise ValueError("reports are signed with the account's auth token: set report_token")
        return self

    def sender_of(self, phone: str, of_domain: str | None) -> dict[str, str]:
        """Return the field that says what a text to a phone comes from: its country's, else its domain's sender."""
        prefix = max((prefix for prefix in self.senders if phone.startswith(prefix)), key=len, default=None)
        named = (self.senders[prefix] if prefix else None) or of_domain or self.sender
        if named is None or _SERVICE.fullmatch(named):
            return {"MessagingServiceSid": named or str(self.messaging_service_sid)}
        return {"From": named}
