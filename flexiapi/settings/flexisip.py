"""Settings of the SIP server next to this one: its registrar, sign-in and messages."""

from typing import Literal

from pydantic import Field

from flexiapi.settings.values import Names, Networks, OptionalPath, OptionalSecret, OptionalText, SettingsSection


class RedisSettings(SettingsSection):
    """Flexisip's registrar database, used if `host` or `url` is set."""

    url: OptionalSecret = Field(None, description="Redis URL (redis:// or rediss://), in place of the rest")
    host: OptionalText = Field(None, description="host name of the Redis server")
    port: int = Field(6379, ge=1, le=65535, description="TCP port")
    username: OptionalText = Field(None, description="ACL user")
    password: OptionalSecret = Field(None, description="password")
    db: int = Field(0, ge=0, description="database number (Flexisip always uses 0)")
    tls: bool = Field(False, description="use TLS")
    tls_ca_file: OptionalPath = Field(None, description="certificates to trust in place of the system's")
    client: Literal["redis", "phpredis", "phpredis-sentinel", "sentinel"] = Field(
        "redis", description="`sentinel` asks the Sentinels for the master"
    )
    sentinel_host: Names = Field((), description="Sentinel hosts")
    sentinel_port: int = Field(26379, ge=1, le=65535, description="TCP port of the Sentinels")
    sentinel_service: str = Field("mymaster", description="name of the master")
    sentinel_password: OptionalSecret = Field(None, description="password of the Sentinels")
    prefix: str = Field("fs:", description="prefix of the registrar's keys")
    timeout_seconds: float = Field(3.0, gt=0, description="how long an answer may take, in seconds")


class FlexisipSettings(SettingsSection):
    """The Flexisip SIP server that uses these accounts."""

    cli_socket: OptionalText = Field(None, description="Flexisip's CLI socket; may hold `*` for the process id")
    auth_replica: OptionalPath = Field(
        None, description="SQLite file that Flexisip reads accounts from; off when unset"
    )
    auth_replica_group: OptionalText = Field(None, description="group that may read the replica")
    external_auth: bool = Field(False, description="answer Flexisip's ExternalAuthentication plugin at /sip/auth")
    external_auth_networks: Networks = Field(
        ("127.0.0.0/8", "::1/128"), validate_default=True, description="networks that may call /sip/auth"
    )
    no_answer_name: Literal["away", "no_answer"] = Field(
        "away", description="how Flexisip calls rules for calls without answer: `away` up to 2.7"
    )
    forwards_to_voicemail: bool = Field(
        False, description="whether Flexisip can forward all calls to voicemail; unset, those who save that are warned"
    )
    proxy: OptionalText = Field(None, description="SIP proxy that takes our messages: sip:host:port;transport=tcp")
    sender: OptionalText = Field(None, description="SIP address that messages come from")
    sender_password: OptionalSecret = Field(None, description="the sender's password, for proxies that ask for one")
    tls_ca_file: OptionalPath = Field(None, description="certificates to trust when the proxy uses TLS")
    message_seconds: float = Field(
        12.0, gt=0, description="how long the proxy may take to accept a message, in seconds"
    )
