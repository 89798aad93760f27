"""Settings of the server itself, one section for each TOML table."""

from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from flexiapi.settings.values import (
    UNIX_PREFIX,
    AppLinkPrefix,
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
    Realm,
    Regex,
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


class AccountSettings(SettingsSection):
    """Rules for accounts."""

    realm: Realm = Field(None, description="DIGEST realm of all accounts; unset, the account's domain")
    email_unique: bool = Field(False, description="an e-mail address belongs to one account at most")
    username_regex: Regex = Field(r"^[a-z0-9+_.-]*$", description="regular expression that usernames must match")
    username_min_length: int = Field(6, ge=1, description="shortest new username, in characters")
    password_min_length: int = Field(6, ge=1, description="shortest new password, in characters")
    refuse_common_passwords: bool = Field(
        True, description="refuse the most common passwords, and the username or domain as password"
    )
    blacklisted_usernames: Names = Field(
        (), description="usernames, or regular expressions of usernames, that cannot be registered"
    )
    public_domains: Names = Field((), description="domains that accounts/public may name beside app.sip_domain")
    registration: Literal["open", "invited", "closed"] = Field(
        "open",
        description="who may create accounts without an administrator: with any creation token, with one that an "
        "administrator made, or not at all",
    )
    quota: int = Field(0, ge=0, description="most accounts that the service may have; 0 is any number")
    consume_external_account_on_create: bool = Field(
        False, description="each new account takes a free external account; without a free one, creation fails"
    )
    proxy_registrar_address: OptionalText = Field(
        None,
        description="SIP server of the accounts, a host or URI: shown in mails, and where provisioned phones register",
    )
    transport_protocol_text: str = Field(
        "TLS (recommended), TCP or UDP",
        description="shown in mails; provisioned phones take the first of TLS, TCP and UDP that it names",
    )
    confirmed_text: OptionalText = Field(
        None, description="text in the mail that follows the first password of an account"
    )
    provisioning_rc_file: OptionalPath = Field(
        None, description="liblinphone rc file that every provisioning starts with"
    )
    provisioning_overwrite_all: bool = Field(False, description='provisioned entries carry overwrite="true"')
    provisioning_header_required: bool = Field(
        False, description="demand X-Linphone-Provisioning on token provisioning (liblinphone sends it from 5.3 on)"
    )
    provisioning_hooks: Names = Field(
        (), description="installed provisioning hooks to use, in this order; none by default"
    )
    provisioning_token_hours: int = Field(
        720,
        ge=0,
        description="life of a provisioning token, in hours; 0 is for ever. One in a mail lives as long as its code",
    )
    app_link_prefix: AppLinkPrefix = Field(
        "linphone-config:",
        description="what the button of the set-up page puts before a provisioning URL to open the app; empty is no "
        "button",
    )
    creation_token_retry_minutes: int = Field(
        60, ge=0, description="wait for the next push of a creation token, in minutes"
    )
    creation_token_title: OptionalText = Field(
        None, description="title of the notification that a creation token comes with; unset, the phone shows none"
    )
    creation_tokens_per_device: int = Field(4, ge=1, description="creation tokens that a device may ever get")
    creation_token_days: int = Field(7, ge=1, description="life of a creation token, in days")
    request_token_hours: int = Field(24, ge=1, description="life of a creation request token, in hours")
    pin_minutes: int = Field(10, ge=1, description="life of a PIN sent by SMS or mail, in minutes")
    pin_tries: int = Field(
        3,
        ge=1,
        le=5,
        description="tries of a PIN for the network that asked for it, and as many for all other networks together",
    )
    activation_hours: int = Field(24, ge=1, description="life of a key in a mail, and of the links beside it, in hours")
    nonce_minutes: int = Field(60, ge=1, description="life of a DIGEST nonce, in minutes")
    md5: bool = Field(True, description="accept MD5 for DIGEST, over HTTP and SIP; false allows SHA-256 only")
    tombstone_days: int = Field(
        7, ge=0, description="how long a deleted name cannot be registered, in days; 0 is for ever"
    )

    @property
    def shortest(self) -> dict[str, int]:
        """The least lengths, by the name of their setting."""
        return {"username_min_length": self.username_min_length, "password_min_length": self.password_min_length}

    @property
    def pin_life(self) -> timedelta:
        """The life of a PIN."""
        return timedelta(minutes=self.pin_minutes)


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
