"""Messages through a linphone-daemon: one command per connection over its unix socket.

The daemon answers before any SIP answer comes: a Call-ID says that it accepted the message, not that it arrived.
"""

import asyncio
import re
import socket
from datetime import timedelta
from pathlib import Path

from flexiapi.errors import SipUnavailable, ValidationFailed
from flexiapi.flexisip.message_sender import MessageSender, encoded, recipient

_ANSWERED = re.compile(rb"\AStatus: (?:Ok\n+[^\n]+\n|Error\n+[^\n]+\n)")
_ID = re.compile(r"^Id: *(\S+)", re.MULTILINE)
_REASON = re.compile(r"^Reason: *(.*)$", re.MULTILINE)
_LINE_ENDS = re.compile(r"[\r\n\0]")
# The pause before another try, while another process uses the daemon.
_BUSY_PAUSE = timedelta(milliseconds=20)


class LinphoneDaemon(MessageSender):
    """A client of the daemon behind the socket `path`; `timeout` covers the wait for its turn and for the answer."""

    def __init__(self, path: Path, timeout: timedelta = timedelta(seconds=5)) -> None:
        self._path = str(path)
        self._timeout = timeout.total_seconds()
        self._turn = asyncio.Lock()

    async def send(self, to: str, body: str) -> str:
        """Hand over a message. The daemon reads one line, so a body of several lines is refused instead of cut."""
        address = recipient(to)
        text = body.rstrip("\r\n")
        if _LINE_ENDS.search(text):
            raise ValidationFailed(
                {"body": ["The body must be one line: the linphone-daemon sends the first line only."]}
            )
        answer = await self._ask(f"message {address.uri} ".encode() + encoded(text) + b"\n")
        identifier = _ID.search(answer)
        if identifier is None:
            reason = _REASON.search(answer)
            raise ValidationFailed({"to": [reason[1] if reason else "The linphone-daemon refused the message."]})
        return identifier[1]

    async def check(self) -> None:
        """Return if the daemon answers with its version."""
        await self._ask(b"version\n")

    async def close(self) -> None:
        """Do nothing: connections are not kept."""

    async def _ask(self, command: bytes) -> str:
        try:
            async with asyncio.timeout(self._timeout), self._turn:
                return (await self._exchange_in_turn(command)).decode(errors="replace")
        except OSError as error:
            raise SipUnavailable from error

    async def _exchange_in_turn(self, command: bytes) -> bytes:
        while True:
            try:
                return await self._exchange(command)
            except (ConnectionResetError, BrokenPipeError):
                # The daemon serves one client at a time and closes other connections without reading their commands.
                await asyncio.sleep(_BUSY_PAUSE.total_seconds())

    async def _exchange(self, command: bytes) -> bytes:
        """Send one command. Raises `ConnectionAbortedError` if the daemon accepted it and closed without an answer."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.setblocking(False)
            await loop.sock_connect(connection, self._path)
            await loop.sock_sendall(connection, command)
            answer = b""
            while not _ANSWERED.match(answer):
                part = await loop.sock_recv(connection, 4096)
                if not part and not answer:
                    raise ConnectionAbortedError("the linphone-daemon gave no answer")
                if not part:
                    break
                answer += part
            return answer
