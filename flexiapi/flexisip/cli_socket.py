"""Flexisip's command line socket, as registrar and for its cache of credentials."""

import asyncio
import re
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from flexiapi.errors import RegistrarUnavailable
from flexiapi.flexisip.contact import bare_id, parse_contact
from flexiapi.flexisip.registrar import Registrar, newest_first
from flexiapi.model import Device

_LONGEST_COMMAND = 511
# `Error - 404 Not Found: ...` since 2.4, `Error: 404 ...` or `Error 404` before.
_ERROR = re.compile(r"\s*Error\b")
_NOT_FOUND = re.compile(r"\s*Error\W+404\b")
_BREAKS_WORDS = re.compile(r"[\s\x00-\x1f\x7f]")


class _Contact(BaseModel):
    unique_id: str = Field(alias="unique-id")
    user_agent: str = Field("", alias="user-agent")
    update_time: int = Field(0, ge=0, le=10**10, alias="update-time")
    expires_at: int | None = Field(None, le=10**10, alias="expires-at")
    alias: bool = False
    contact: str = ""

    @property
    def device(self) -> Device:
        told = parse_contact(self.unique_id, self.contact)
        expires_at = None if self.expires_at is None else _moment(self.expires_at)
        uuid, updated_at = bare_id(self.unique_id), _moment(self.update_time)
        return Device(uuid, self.user_agent, updated_at, expires_at, told.host, told.push)

    def is_device(self, now: datetime) -> bool:
        return not self.alias and (self.expires_at is None or self.expires_at > now.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class _Record(BaseModel):
    contacts: list[_Contact] = []


class CliSocket:
    """A client that opens one connection per command.

    `path` may have `*` for the process id: then the newest socket that accepts is used. Every failure to get an answer
    within `timeout` is `RegistrarUnavailable`.
    """

    def __init__(self, path: str, timeout: timedelta = timedelta(seconds=3)) -> None:
        self._path = path
        self._timeout = timeout.total_seconds()

    async def ask(self, *words: str) -> str:
        """Send one command and return Flexisip's answer, even an error. Raises `ValueError` if it cannot be sent."""
        command = " ".join(words).encode()
        if any(not word or _BREAKS_WORDS.search(word) for word in words) or len(command) > _LONGEST_COMMAND:
            raise ValueError("the command line socket cannot carry this command")
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._exchange(command)
        except OSError as error:
            raise RegistrarUnavailable from error
        if not answer.strip():
            raise RegistrarUnavailable
        return answer.decode(errors="replace")

    async def forget_credentials(self, username: str, domain: str) -> None:
        """Make Flexisip read the account's credentials again; versions before 2.6 ignore it."""
        await self.ask("AUTH_CACHE_DELETE", username, domain)

    async def check(self) -> None:
        """Return if the socket gives any answer, even that the command's argument is unknown."""
        await self.ask("CONFIG_GET", "global/debug")

    async def _exchange(self, command: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        with await self._connect() as connection:
            await loop.sock_sendall(connection, command)
            parts = []
            while part := await loop.sock_recv(connection, 65536):
                parts.append(part)
            return b"".join(parts)

    async def _connect(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        failure: OSError = FileNotFoundError("no command line socket")
        for path in self._candidates():
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.setblocking(False)
            try:
                await loop.sock_connect(connection, str(path))
            except OSError as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise failure

    def _candidates(self) -> list[Path]:
        """Return the sockets that match the path, the newest first; ended processes leave theirs behind."""
        if "*" not in self._path:
            return [Path(self._path)]
        path = Path(self._path).absolute()
        aged = []
        for found in Path(path.anchor).glob(str(path.relative_to(path.anchor))):
            try:
                aged.append((found.stat().st_mtime_ns, found))
            except FileNotFoundError:
                continue
        return [found for _, found in sorted(aged, reverse=True)]


class CliRegistrar(Registrar):
    """The registrar behind the command line socket, in memory or in Redis."""

    def __init__(self, cli: CliSocket) -> None:
        self._cli = cli

    async def devices(self, account_address: str) -> list[Device]:
        """Return the devices of live bindings; of several bindings of one device, the last updated counts."""
        now = datetime.now(UTC)
        return newest_first(
            contact.device for contact in await self._contacts(account_address) if contact.is_device(now)
        )

    async def remove(self, account_address: str, uuid: str) -> bool:
        """End the bindings of a device. Return False if it has none.

        The record is read first, because Flexisip's answer to a deletion does not tell if there was something to
        delete.
        """
        contacts = await self._contacts(account_address)
        unique_ids = [
            contact.unique_id for contact in contacts if not contact.alias and bare_id(contact.unique_id) == uuid
        ]
        for unique_id in unique_ids:
            try:
                answer = await self._cli.ask("REGISTRAR_DELETE", f"sip:{account_address}", unique_id)
            except ValueError as error:
                raise RegistrarUnavailable("Flexisip's command line cannot name this device.") from error
            # Before 2.4, deleting the last contact answered that the record does not exist.
            if _ERROR.match(answer) and not _NOT_FOUND.match(answer):
                raise RegistrarUnavailable
        return bool(unique_ids)

    async def check(self) -> None:
        """Return if the socket answers."""
        await self._cli.check()

    async def close(self) -> None:
        """Do nothing: connections are not kept."""

    async def _contacts(self, account_address: str) -> list[_Contact]:
        try:
            answer = await self._cli.ask("REGISTRAR_GET", f"sip:{account_address}")
        except ValueError:
            return []
        if _NOT_FOUND.match(answer):
            return []
        try:
            return _Record.model_validate_json(answer).contacts
        except ValidationError as error:
            raise RegistrarUnavailable from error
