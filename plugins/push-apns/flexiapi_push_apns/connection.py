"""A connection to APNs: HTTP/2 by h2, with its windows and limits, one stream for each notification."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError

# It would write all headers, with tokens of devices, into a log at the level DEBUG.
logging.getLogger("hpack").setLevel(logging.CRITICAL)

_MOST_AT_ONCE = 1000
# APNs expects connections to be kept; middleboxes forget idle ones after some minutes.
_IDLE_SECONDS = 60.0
# A connection on which nothing has come for so long, although something was asked, may be dead.
_SUSPICIOUS_SECONDS = 1.0
_LONGEST_BODY = 16384
_FRAME_HEADER = 9


class ConnectionLost(Exception):  # named like the other failures of connections
    """The connection has ended, or the answer did not come."""


class NotTaken(ConnectionLost):
    """The server has not looked at the request."""


@dataclass(slots=True)
class Exchanged:
    """An answer of APNs: status, headers and body."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class _Stream:
    done: asyncio.Future[Exchanged]
    unsent: bytes
    sent_at: float
    answer: Exchanged = field(default_factory=Exchanged)


class ApnsConnection(asyncio.Protocol):
    """Has as many requests under way as the server allows, once it has announced how many; others wait."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        self._http = H2Connection(H2Configuration(header_encoding="utf-8"))
        self._transport: asyncio.Transport | None = None
        self._streams: dict[int, _Stream] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._unread = b""
        self._is_retired = False
        self._heard_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_over(self) -> bool:
        """True if it takes no more requests."""
        lost = self.lost.done() or self._transport is None or self._transport.is_closing()
        return lost or self._is_retired

    @property
    def _free(self) -> int:
        return min(self._http.remote_settings.max_concurrent_streams, _MOST_AT_ONCE) - len(self._streams)

    async def exchange(self, headers: list[tuple[str, str]], payload: bytes, seconds: float) -> Exchanged:
        """Post and wait so many seconds for the answer. Raises `ConnectionLost` and `ProtocolError`.

        A caller that leaves takes its request back, so that APNs does not process it later.
        """
        await self._turn()
        number = self._http.get_next_available_stream_id()
        stream = self._streams[number] = _Stream(self._loop.create_future(), payload, self._loop.time())
        try:
            self._http.send_headers(number, headers)
            self._pour(number, stream)
            self._flush()
            async with asyncio.timeout(seconds):
                return await stream.done
        except TimeoutError:
            self.retire()
            raise ConnectionLost from None
        except asyncio.CancelledError:
            # The next try must not wait on the same dead connection.
            if self._heard_at < stream.sent_at <= self._loop.time() - _SUSPICIOUS_SECONDS:
                self.retire()
            raise
        finally:
            self._end(number)

    async def _turn(self) -> None:
        while not self.is_over and self._free <= 0:
            turn = self._loop.create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():
                    self._call_up(1)
                raise
        if self.is_over:
            raise NotTaken

    def _call_up(self, count: int) -> None:
        while self._waiting and count > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                count -= 1

    def _pour(self, number: int, stream: _Stream) -> None:
        """Send as much of a payload as the server's windows allow."""
        while stream.unsent:
            room = min(self._http.local_flow_control_window(number), self._http.max_outbound_frame_size)
            if room <= 0:
                return
            part, stream.unsent = stream.unsent[:room], stream.unsent[room:]
            self._http.send_data(number, part, end_stream=not stream.unsent)

    def _end(self, number: int) -> None:
        stream = self._streams.pop(number)
        if not stream.done.done() or stream.done.cancelled():
            with suppress(ProtocolError):
                self._http.reset_stream(number, ErrorCodes.CANCEL)
            self._flush()
        self._call_up(self._free)
        if self._is_retired and not self._streams:
            self.abort()

    def retire(self) -> None:
        """Take no more requests, and close when those under way are over."""
        self._is_retired = True
        self._call_up(len(self._waiting))
        if not self._streams:
            self.abort()

    def abort(self) -> None:
        """Close immediately."""
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(self._http.data_to_send())

    def _close_when_idle(self) -> None:
        quiet = self._loop.time() - self._heard_at
        if not self._streams and quiet >= _IDLE_SECONDS:
            self.retire()
        else:
            self._timer = self._loop.call_later(max(_IDLE_SECONDS - quiet, 1.0), self._close_when_idle)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin HTTP/2."""
        # Those of uvloop are no subclasses.
        self._transport = cast("asyncio.Transport", transport)
        self._heard_at = self._loop.time()
        self._close_when_idle()
        self._http.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Process received data; invalid data ends the connection."""
        self._heard_at = self._loop.time()
        try:
            self._unread += data
            for frame in self._frames():
                for event in self._http.receive_data(frame):
                    self._take(event)
            self._flush()
        except (ProtocolError, ValueError):
            self.abort()

    def _frames(self) -> Iterator[bytes]:
        """Yield the frames in what was received, one by one: h2 forgets the events of others before one that fails."""
        while len(self._unread) >= _FRAME_HEADER:
            length = _FRAME_HEADER + int.from_bytes(self._unread[:3])
            if length > _FRAME_HEADER + self._http.max_inbound_frame_size:
                raise ProtocolError
            if len(self._unread) < length:
                return
            frame, self._unread = self._unread[:length], self._unread[length:]
            yield frame

    def _take(self, event: Event) -> None:
        if isinstance(event, ConnectionTerminated):
            self._wind_up(event.last_stream_id or 0)
        elif isinstance(event, RemoteSettingsChanged | WindowUpdated):
            self._go_on(event)
        elif isinstance(event, ResponseReceived | DataReceived | StreamEnded | StreamReset):
            if isinstance(event, DataReceived):
                # Without this the server may send no more than 64 KiB, over all answers together.
                self._http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            stream = self._streams.get(event.stream_id or 0)
            if stream is not None and not stream.done.done():
                _record(event, stream)

    def _wind_up(self, last: int) -> None:
        """Wait for the answers that the server still gives; it has not looked at requests after the last one."""
        # h2 takes GOAWAY for the end of everything.
        self._http.state_machine.state = ConnectionState.CLIENT_OPEN
        for number, stream in self._streams.items():
            if number > last and not stream.done.done():
                stream.done.set_exception(NotTaken())
        self.retire()

    def _go_on(self, event: Event) -> None:
        """Use what the server now allows."""
        if isinstance(event, RemoteSettingsChanged) and not self.ready.done():
            self.ready.set_result(None)
        for number, stream in self._streams.items():
            self._pour(number, stream)
        self._call_up(self._free)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature is that of asyncio
        """Fail all requests under way."""
        if self._timer is not None:
            self._timer.cancel()
        if not self.ready.done():
            self.ready.set_exception(ConnectionLost())
            # Nothing may be waiting for it any more.
            self.ready.exception()
        self.lost.set_result(None)
        for stream in self._streams.values():
            if not stream.done.done():
                stream.done.set_exception(ConnectionLost())
        self._call_up(len(self._waiting))


def _record(event: Event, stream: _Stream) -> None:
    if isinstance(event, ResponseReceived):
        stream.answer.headers = {str(name): str(value) for name, value in event.headers}
        stream.answer.status = int(stream.answer.headers[":status"])
    elif isinstance(event, DataReceived):
        stream.answer.body += event.data[: _LONGEST_BODY - len(stream.answer.body)]
    elif isinstance(event, StreamEnded):
        stream.done.set_result(stream.answer)
    else:
        stream.done.set_exception(ConnectionLost())
