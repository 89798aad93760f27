"""Settings of the APNs backend."""

from typing import Self

from pydantic import Field, HttpUrl, model_validator

from flexiapi.plugin import BackendConfig, DataPath

FOUR_WEEKS = 2419200


class ApnsConfig(BackendConfig):
    """Credentials at APNs: a key of the team, or a certificate of the app."""

    key_file: DataPath | None = Field(None, description="key of the team (.p8) that signs tokens")
    key_id: str | None = Field(None, description="key ID that Apple shows beside the key")
    team_id: str | None = Field(None, description="team ID; devices whose pn_param names another team are refused")
    certificate_file: DataPath | None = Field(None, description="certificate and key (one PEM file), in place of a key")
    sandbox_certificate_file: DataPath | None = Field(
        None, description="certificate and key for apns.dev; unset, certificate_file serves both"
    )
    ttl_seconds: int = Field(
        FOUR_WEEKS, ge=0, le=FOUR_WEEKS, description="how long APNs keeps a notification, in seconds"
    )
    answer_seconds: float = Field(
        10.0, gt=0, description="how long APNs may take to answer before the connection is given up, in seconds"
    )
    url: HttpUrl = Field(HttpUrl("https://api.push.apple.com"), description="APNs, for apns")
    sandbox_url: HttpUrl = Field(
        HttpUrl("https://api.sandbox.push.apple.com"), description="APNs sandbox, for apns.dev"
    )
    sandbox: bool = Field(True, description="whether apns.dev is served; false for a key of production only")
    ca_file: DataPath | None = Field(None, description="certificates to trust; unset, those of the system")

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if (self.key_file is None) == (self.certificate_file is None):
            raise ValueError("set either key_file, key_id and team_id, or certificate_file")
        if self.key_file is not None and not (self.key_id and self.team_id):
            raise ValueError("key_file needs key_id and team_id too")
        if self.url.scheme != "https" or self.sandbox_url.scheme != "https":
            raise ValueError("APNs is spoken over https only")
        return self
