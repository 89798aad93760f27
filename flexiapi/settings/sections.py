"""Settings of the server itself, one section for each TOML table."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from flexiapi.settings.values import (
    UNIX_PREFIX,
    FileMode,
    LanguageTag,
    LanguageTags,
    ListeningAddress,
    Names,
    Networks,
    OptionalPath,
    OptionalSecret,
    OptionalText,
    OptionalUrl,
    RootUrl,
    Secrets,
    SettingsSection,
    SipDomain,
    Sources,
)


class ServerSettings(SettingsSection):
    """The HTTP server."""

    address: ListeningAddress = Field(
        "127.0.0.1",
        description="IP address to listen on; or `unix:` and the path of a unix socket, such as "
        "unix:/run/flexiapi/http.sock, which has no port",
    )
    port: int = Field(8080, ge=0, le=65535, description="TCP port to listen on; 0 takes a free one")
    unix_mode: FileMode = Field(
        "0660", description="file mode of the unix socket: who may write to it may connect; its group is the server's"
    )
    certificate: OptionalPath = Field(
        None,
        description="PEM file of the certificate with its chain, for a server that speaks TLS itself; read again after "
        "SIGHUP; unset, it speaks plain HTTP",
    )
    key: OptionalPath = Field(None, description="PEM file of the certificate's private key, without a passphrase")
    processes: int = Field(0, ge=0, le=256, description="server processes; 0 is one per core")
    connections: int = Field(
        0,
        ge=0,
        description="most open connections of a process, others wait; 0 is as many as there are file descriptors, less "
        "a reserve",
    )
    trusted_proxies: Sources = Field(
        (),
        description="addresses or networks of front servers whose X-Forwarded-* and X-Request-Id headers count; the "
        "word `unix` is every peer on the unix socket",
    )
    proxy_protocol: Sources = Field(
        (),
        description="addresses or networks of front servers, or `unix`, each of whose connections must begin with a "
        "header of the PROXY protocol, version 2; those of others must not",
    )
    cors_origins: Names = Field((), description="origins that browsers may call the API from; none by default")
    max_body_bytes: int = Field(
        64 * 1024,
        ge=1024,
        description="largest request body, in bytes; uploads, imports and vCards may have three times as much",
    )
    stop_seconds: int = Field(10, ge=0, description="how long requests under way may take after SIGTERM, in seconds")
    hang_seconds: int = Field(
        30, ge=0, description="a process that does nothing for that long is replaced, in seconds; 0 switches this off"
    )
    most_requests: int = Field(
        1000, ge=0, description="requests under way in one process from which on others are answered 503; 0 is no limit"
    )
    maintenance: bool = Field(False, description="answer 503 to every API request")

    @model_validator(mode="after")
    def _has_both_files(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key (SERVER_CERTIFICATE, SERVER_KEY) belong together: set both, or none")
        return self

    @property
    def unix_path(self) -> Path | None:
        """The path of the unix socket to listen on, or `None` for an IP address."""
        is_unix = self.address.startswith(UNIX_PREFIX)
        return Path(self.address.removeprefix(UNIX_PREFIX)) if is_unix else None


class AppSettings(SettingsSection):
    """The service as its users know it."""

    env: Literal["production", "development"] = Field(
        "production", description="`development` allows what is dangerous in production, such as the test administrator"
    )
    name: str = Field("FlexiAPI", description="name of the service in mails and texts")
    key: OptionalSecret = Field(
        None,
        description="application key, from which the keys that protect secrets at rest and nonces are derived; "
        "unset, one is made in the data path. All hosts of one installation need the same",
    )
    previous_keys: Secrets = Field((), description="earlier application keys, still read after a change of key")
    url: RootUrl = Field(
        "",
        description="public root of every URL that is handed out, with a path if the front server removes one from "
        "requests; unset, made from address and port",
    )
    terms_url: OptionalUrl = Field(
        None, description="page with the terms of use, which people accept when they create an account"
    )
    privacy_url: OptionalUrl = Field(
        None, description="page with the privacy policy, which people accept when they create an account"
    )
    language: LanguageTag = Field(
        "en",
        description="language of messages to people who prefer none that there is, as a tag such as fr or pt-BR; also "
        "that of your templates outside of folders of languages",
    )
    sms_sender: OptionalText = Field(
        None, description="name or number that SMS come from, where the provider allows it; unset, the backend's own"
    )
    sip_domain: SipDomain = Field("sip.example.org", description="the SIP domain of the accounts")
    admins_manage_multi_domains: bool = Field(False, description="administrators see and make accounts of any domain")
    dangerous_endpoints: bool = Field(
        False, description="enable accounts/public, recover-by-phone, {sip}/recover/{recover_key} and info-by-phone"
    )
    api_key_expiration_minutes: int = Field(60, ge=1, description="life of an unused API key, in minutes")
    api_key_max_days: int = Field(0, ge=0, description="life of an API key however it is used, in days; 0 is for ever")
    linphone_daemon_unix_path: OptionalPath = Field(
        None, description="socket of a linphone-daemon that sends the messages of POST /messages"
    )


class DataSettings(SettingsSection):
    """Files of the server."""

    path: Path = Field(Path("var"), description="folder of the embedded MongoDB, the application key and the outbox")


class MongodbSettings(SettingsSection):
    """The database."""

    uri: str = Field("embedded", description="MongoDB URI, or `embedded` for a private mongod under data.path")
    database: str = Field("flexiapi", description="database name")
    timeout_seconds: float = Field(5.0, gt=0, description="how long an operation may take, in seconds")

    @property
    def is_embedded(self) -> bool:
        """True if the database is a private mongod, started by the server."""
        return self.uri == "embedded"


class NocaptchaSettings(SettingsSection):
    """The human check of the creation token page (reCAPTCHA, hCaptcha and Turnstile share one protocol)."""

    sitekey: OptionalText = Field(None, description="public key of the site; without both keys, the check is a button")
    secret: OptionalSecret = Field(None, description="secret key of the site")
    script_url: str = Field("https://www.google.com/recaptcha/api.js", description="script that shows the check")
    verify_url: str = Field("https://www.google.com/recaptcha/api/siteverify", description="where answers are verified")
    widget_class: str = Field("g-recaptcha", description="CSS class that the script looks for")
    response_field: str = Field("g-recaptcha-response", description="form field with the answer")


class TemplateSettings(SettingsSection):
    """Templates of texts and pages."""

    path: OptionalPath = Field(None, description="folder searched before the built-in templates")
    languages: LanguageTags = Field(
        (), description="languages that people may get messages in beside that of the domain; by default all there are"
    )


class EventSettings(SettingsSection):
    """The journal of changes."""

    days: int = Field(14, ge=1, description="how long an event is kept, in days")


class NoticeSettings(SettingsSection):
    """Mails to the people who operate the server, when something needs them."""

    to: Names = Field(
        (), description="mail addresses; they are told of resting backends, a replica that lags, and an old backup"
    )
    again_hours: int = Field(6, ge=1, description="hours after which they are told again while it lasts")
    backup_file: OptionalPath = Field(None, description="file whose time of change is that of the newest backup")
    backup_hours: int = Field(26, ge=1, description="age of the newest backup at which it is too old, in hours")


class LogSettings(SettingsSection):
    """Logs, written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="lowest severity that is logged; the lines of requests do not depend on it, see `access`"
    )
    format: Literal["text", "json"] = Field("text", description="for people or for machines")
    access: bool = Field(True, description="one line per request, whatever the level")


class MetricsSettings(SettingsSection):
    """Metrics for Prometheus."""

    enabled: bool = Field(True, description="answer GET /metrics")
    networks: Networks = Field(
        ("127.0.0.0/8", "::1/128"), validate_default=True, description="networks that may read /metrics"
    )
