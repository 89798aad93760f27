"""The registrar in Redis: one hash per address, with a field per binding."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from pydantic import SecretStr
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from flexiapi.errors import ConfigurationError, RegistrarUnavailable
from flexiapi.flexisip.contact import Contact, parse_contact
from flexiapi.flexisip.registrar import Registrar, newest_first
from flexiapi.model import Device
from flexiapi.settings import RedisSettings

Answer = TypeVar("Answer")
# `host`, `host:port`, `[IPv6 literal]:port`; anything else is used as host name unchanged.
_HOST_AND_PORT = re.compile(r"(?:\[(?P<literal>[^\]]+)\]|(?P<name>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")


class RedisRegistrar(Registrar):
    """Reads and deletes bindings, and notifies Flexisip of deletions, because it caches subscribed records."""

    def __init__(self, section: RedisSettings) -> None:
        self._prefix = section.prefix
        self._timeout = section.timeout_seconds
        self._sentinel: Sentinel | None = None
        if by_sentinel(section):
            self._sentinel = _sentinel(section)
            self._client: Client = self._sentinel.master_for(section.sentinel_service)
        else:
            self._client = _client(section)

    async def devices(self, account_address: str) -> list[Device]:
        """Return the devices of live bindings; of several bindings of one device, the last updated counts."""
        now = datetime.now(UTC)
        contacts = [contact for _, contact in await self._contacts(account_address)]
        return newest_first(contact.device for contact in contacts if contact.is_device(now))

    async def remove(self, account_address: str, uuid: str) -> bool:
        """Delete every field of the device, then publish on the address, so that Flexisip reads the record again."""
        contacts = await self._contacts(account_address)
        fields = [name for name, contact in contacts if contact.uuid == uuid and not contact.alias]
        if not fields:
            return False
        removed = await self._ask(lambda: self._client.hdel(self._prefix + account_address, *fields))
        if removed > 0:
            await self._ask(lambda: self._client.publish(account_address, ""))
        return removed > 0

    async def publish(self, channel: str, text: str) -> None:
        """Publish a text on a channel. Raises `RegistrarUnavailable`."""
        await self._ask(lambda: self._client.publish(channel, text))

    async def check(self) -> None:
        """Return if Redis answers a command that needs the password."""
        await self._ask(self._client.ping)

    async def close(self) -> None:
        """Close all connections, including those to the Sentinels."""
        clients = [self._client, *(self._sentinel.sentinels if self._sentinel else ())]
        await asyncio.gather(*(client.aclose() for client in clients), return_exceptions=True)

    async def _contacts(self, account_address: str) -> list[tuple[bytes, Contact]]:
        key = self._prefix + account_address
        record = await self._ask(lambda: cast("Awaitable[dict[bytes, bytes]]", self._client.hgetall(key)))
        return [(name, parse_contact(_text(name), _text(value))) for name, value in record.items()]

    async def _ask(self, command: Callable[[], Awaitable[Answer]]) -> Answer:
        """Run a command within the timeout, and again on a new connection if the pooled one was stale.

        The library's own retry would stay with a former master.
        """
        try:
            async with asyncio.timeout(self._timeout):
                try:
                    return await command()
                except RedisConnectionError:
                    return await command()
        except (RedisError, OSError) as error:
            raise RegistrarUnavailable from error


def by_sentinel(section: RedisSettings) -> bool:
    """Return True if the Sentinels are asked for the master."""
    return section.client in ("sentinel", "phpredis-sentinel")


def _client(section: RedisSettings) -> Client:
    if section.url:
        url = section.url.get_secret_value()
        try:
            return Client.from_url(url, **_connection(section, tls=url.startswith("rediss:")))
        except ValueError:
            # The library's text may quote the URL, which contains the password.
            raise ConfigurationError("[redis] url is not a Redis URL") from None
    return Client(
        host=section.host or "127.0.0.1",
        port=section.port,
        ssl=section.tls,
        **_account(section),
        **_connection(section),
    )


def _sentinel(section: RedisSettings) -> Sentinel:
    if not section.sentinel_host:
        raise ConfigurationError("[redis] client asks for Sentinels, and sentinel_host names none")
    hosts = [_host_and_port(name, section.sentinel_port) for name in section.sentinel_host]
    # Any Sentinel may be away: asking them all must leave time for the master.
    share = section.timeout_seconds / (len(hosts) + 1)
    return Sentinel(  # type: ignore[no-untyped-call]  # the library leaves this constructor untyped
        hosts,
        sentinel_kwargs={
            "ssl": section.tls,
            "password": _clear(section.sentinel_password),
            **_connection(section),
            "socket_timeout": share,
            "socket_connect_timeout": share,
        },
        ssl=section.tls,
        **_account(section),
        **_connection(section),
    )


def _account(section: RedisSettings) -> dict[str, Any]:
    return {"db": section.db, "username": section.username, "password": _clear(section.password)}


def _connection(section: RedisSettings, *, tls: bool | None = None) -> dict[str, Any]:
    options: dict[str, Any] = {
        "socket_timeout": section.timeout_seconds,
        "socket_connect_timeout": section.timeout_seconds,
        "retry": Retry(NoBackoff(), 0),
    }
    if section.tls_ca_file and (section.tls if tls is None else tls):
        options["ssl_ca_certs"] = str(section.tls_ca_file)
    return options


def _clear(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None


def _host_and_port(name: str, port: int) -> tuple[str, int]:
    match = _HOST_AND_PORT.fullmatch(name)
    return (match["name"] or match["literal"], int(match["port"] or port)) if match else (name, port)


def _text(value: bytes) -> str:
    return value.decode(errors="replace")
