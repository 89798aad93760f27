"""Settings of the FCM backend."""

from typing import Self

from pydantic import Field, HttpUrl, model_validator

from flexiapi.plugin import BackendConfig, DataPath

FOUR_WEEKS = 2419200


class FcmConfig(BackendConfig):
    """The Firebase projects, each with its service account."""

    service_account_file: DataPath | None = Field(
        None, description="service account (JSON) of the project for every pn_param that `projects` does not name"
    )
    projects: dict[str, DataPath] = Field(
        {}, description="service account file of each project, by its number, which apps send as pn_param"
    )
    ttl_seconds: int = Field(FOUR_WEEKS, ge=0, le=FOUR_WEEKS, description="how long FCM keeps a message, in seconds")
    endpoint: HttpUrl = Field(HttpUrl("https://fcm.googleapis.com"), description="URL that messages are posted to")
    concurrency: int = Field(
        100, ge=1, le=1000, description="requests that are under way at once at most, in each project"
    )
    ca_file: DataPath | None = Field(None, description="certificates to trust; unset, those that httpx trusts")

    @model_validator(mode="after")
    def _has_a_project(self) -> Self:
        if self.service_account_file is None and not self.projects:
            raise ValueError("set service_account_file or projects")
        return self
