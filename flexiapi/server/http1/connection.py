"""Connections of clients: reading and writing, backpressure, time limits, and the end."""

import asyncio
import math
from typing import Protocol, cast

from tornado.httputil import HTTPInputError

from flexiapi.observing import log
from flexiapi.server.http1.intake import ANSWER, BODY, DROP, HEAD, Application, Intake
from flexiapi.server.http1.refusal import RefusedRequest
from flexiapi.server.http1.response import HttpResponse
from flexiapi.server.http1.room import WriteRoom

_MOST_WAITING_BYTES = 16 * 1024
_MOST_DROPPED_BYTES = 64 * 1024 * 1024
# Clients that keep connections for later requests read, and so answer the end of TLS, only with the next one.
_TLS_END_SECONDS = 1.0
_NOT_VALID = "The request is not valid HTTP."


class ConnectionOwner(Application, Protocol):
    """The server of a connection.

    `buffer` is where its connections read to, by turns, and `room` a future that is done.
    """

    is_stopping: bool
    buffer: memoryview
    room: "asyncio.Future[None]"

    def opened(self, connection: "ClientConnection") -> None:
        """Note a new connection."""

    def closed(self, connection: "ClientConnection") -> None:
        """Forget a connection."""

    def gave_up(self, ip: str) -> None:
        """Log now and then that a client did not read its answer."""

    def answer_of(self, refusal: RefusedRequest, ip: str) -> bytes:
        """Return the answer to a refused request of this client; count that, and log it now and then."""


class ClientConnection(asyncio.BufferedProtocol):
    """A connection of a client: Tornado's `server_conn`.

    Attributes:
        peer: the other end, with `remote_ip` and `protocol`.
        intake: the reading side.
        room: the room for answers.
    """

    __slots__ = ("_dropped", "_is_advancing", "_is_eof", "_is_reading", "_owner", "intake", "peer", "room", "transport")

    def __init__(self, owner: ConnectionOwner, peer: object) -> None:
        self.peer = peer
        self._owner = owner
        self._dropped = 0
        self.room = WriteRoom()
        self._is_reading = True
        self._is_eof = self._is_advancing = False
        self.intake = Intake(owner, self, self._go_on)

    # For asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        self.transport = cast("asyncio.Transport", transport)
        self._owner.opened(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # it is small
        """Return the buffer of the server; a small one, for what one read brings waits for its turn."""
        return self._owner.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what has been read."""
        intake = self.intake
        if intake.stage == DROP:
            self._drop(nbytes)
            return
        data = self._owner.buffer[:nbytes].tobytes()
        intake.data = intake.data + data if intake.data else data
        self._advance()

    def eof_received(self) -> bool:
        """Go on with the requests that are there: the client may wait for answers after the end of what it sends."""
        self._is_eof = True
        if self.intake.stage == DROP:
            return False
        self._advance()
        # TLS ends in both directions at once.
        return self.intake.stage != DROP and self.transport.can_write_eof()

    def pause_writing(self) -> None:
        """Let those wait who write, until the client has read."""
        self.room.fill(self._owner.now() + self._owner.limits.write_seconds)

    def resume_writing(self) -> None:
        """Let those go on who write, then take the requests that waited. Asyncio must not be told to close in here."""
        self.room.free()
        asyncio.get_running_loop().call_soon(self._advance)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # all ends are alike
        """Tell all who are concerned."""
        self.room.lose()
        try:
            self.intake.forget()
        finally:
            self.intake.end(math.inf)
            self._owner.closed(self)
            self.intake.release()

    # For the answer.

    @property
    def is_stopping(self) -> bool:
        """True if connections end after their answer."""
        return self._owner.is_stopping

    def write(self, data: bytes, more: bytes = b"") -> "asyncio.Future[None]":
        """Write bytes. The future is done when there is room for others."""
        return self.room.write(self.transport, data, more) or self._owner.room

    def answered(self, response: HttpResponse) -> None:
        """Expect the next request, or end the connection. An answer before the end of its request is the last one."""
        intake = self.intake
        if response.is_last or intake.stage != ANSWER:
            self._end(lingers=intake.stage != ANSWER or bool(intake.data))
            return
        intake.expect_request()
        if not self._is_advancing and (intake.data or self._is_eof or not self._is_reading):
            asyncio.get_running_loop().call_soon(self._advance)

    def abort(self) -> None:
        """Close the connection at once."""
        self.intake.stage = DROP
        self.transport.abort()

    # For the server.

    def close(self) -> None:
        """Close the connection when what is written has been sent."""
        self._end(lingers=False)

    def expire(self) -> None:
        """End the connection, for its time is over, unless the client still reads an answer."""
        intake, room, now = self.intake, self.room, self._owner.now()
        if self._is_ending_tls():
            if room.is_sent(self.transport):
                self.abort()
        elif (intake.stage == DROP or now >= room.deadline) and room.is_being_read(self.transport):
            room.renew(now + self._owner.limits.write_seconds)
            intake.deadline = max(intake.deadline, now + self._owner.limits.write_seconds)
        elif intake.stage == DROP or now >= room.deadline:
            if self.transport.get_write_buffer_size():
                self._owner.gave_up(getattr(self.peer, "remote_ip", ""))
            self.abort()
        elif intake.stage == HEAD and not intake.has_begun:
            self.close()
        else:
            self._refuse(RefusedRequest("The request has taken too long to arrive.", 408))

    def _is_ending_tls(self) -> bool:
        return self.intake.stage == DROP and self.transport.is_closing() and not self.transport.can_write_eof()

    def _advance(self) -> None:
        """Take requests as far as possible, and read only what there is a use for."""
        if self._is_advancing:
            return
        self._is_advancing = True
        try:
            self.intake.advance()
        except (RefusedRequest, HTTPInputError) as refusal:
            self._refuse(refusal if isinstance(refusal, RefusedRequest) else RefusedRequest(_NOT_VALID))
        except Exception as failure:  # noqa: BLE001  # of the application
            self._fail(failure)
        finally:
            self._is_advancing = False
        self._set_reading()

    def _set_reading(self) -> None:
        stage, is_waiting = self.intake.stage, self.intake.is_waiting
        is_held = is_waiting or (stage == HEAD and self.room.is_full)
        if self._is_eof and stage in (HEAD, BODY) and not is_held:
            self.close()
            return
        # While an answer is awaited, reading shows that the client has gone, even if it had sent other requests.
        wanted = not (is_waiting or ((stage == ANSWER or is_held) and len(self.intake.data) >= _MOST_WAITING_BYTES))
        if stage != DROP and wanted != self._is_reading:
            self._is_reading = wanted
            (self.transport.resume_reading if wanted else self.transport.pause_reading)()

    def _go_on(self, taken: "asyncio.Future[None]") -> None:
        """Read on, for the application has taken what it was given."""
        self.intake.go_on()
        failure = None if taken.cancelled() else taken.exception()
        if failure is not None:
            self._fail(failure)
        elif self.intake.stage != DROP:
            self._advance()

    def _fail(self, failure: BaseException) -> None:
        log.error("request failed", exc_info=failure)
        self._refuse(RefusedRequest("Server Error", 500))

    def _refuse(self, refusal: RefusedRequest) -> None:
        """Answer a request that cannot be read, and end the connection."""
        intake = self.intake
        if intake.stage == DROP:
            return
        is_begun = intake.response is not None and intake.response.is_begun
        intake.forget()
        if is_begun:
            # Half an answer cannot be mended.
            self.abort()
            return
        self.write(self._owner.answer_of(refusal, getattr(self.peer, "remote_ip", "")))
        self._end(lingers=True)

    def _end(self, *, lingers: bool) -> None:
        """Close the connection when what is written has been sent.

        With `lingers` the client may still be sending. Bytes that are not read when a connection is closed would make
        the kernel reset it, and the client might lose the answer: they are read and dropped for a moment.
        """
        limits = self._owner.limits
        if not lingers or self._is_eof:
            is_tls = not self.transport.can_write_eof()
            self.intake.end(self._owner.now() + (_TLS_END_SECONDS if is_tls else limits.write_seconds))
            self.transport.close()
            return
        self.intake.end(self._owner.now() + limits.linger_seconds)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        if not self._is_reading:
            self._is_reading = True
            self.transport.resume_reading()

    def _drop(self, count: int) -> None:
        self._dropped += count
        if self._dropped > _MOST_DROPPED_BYTES:
            self.abort()
