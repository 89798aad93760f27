"""A real HTTP/2 server over TLS."""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from flexiapi.testing.local_server import HOST
from flexiapi.testing.replies import Reply, Request, reply
from flexiapi.testing.stream_server import StreamServer, client_name, misbehave

_CHUNK = 65536


class Http2Gateway(StreamServer):
    """An HTTP/2 server (TLS, ALPN `h2`) that answers as the test says, at most `max_streams` requests at once.

    With `first_streams`, that is the limit of a connection until a request on it has been answered with 200. Bodies are
    sent as far as the client's windows allow: a client that does not acknowledge what it receives gets no more.
    """

    protocols = ("h2",)

    def __init__(
        self, *, max_streams: int = 100, first_streams: int | None = None, certificate_for: str = HOST
    ) -> None:
        super().__init__(reply(200, {"id": "1"}), tls=True, certificate_for=certificate_for)
        self.max_streams = max_streams
        self.first_streams = first_streams
        self._conversations: set[_Conversation] = set()

    def go_away(self) -> None:
        """Announce the end of all connections (GOAWAY), but answer the requests that are under way on them."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._announce_ends)

    def _announce_ends(self) -> None:
        for conversation in self._conversations:
            conversation.announce_end()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, each in a task of its own."""
        conversation = _Conversation(self, writer)
        self._conversations.add(conversation)
        try:
            while data := await reader.read(_CHUNK):
                await conversation.heard(data)
        except ProtocolError:
            writer.write(conversation.connection.data_to_send())
        finally:
            self._conversations.discard(conversation)
            conversation.end()


@dataclass(slots=True)
class _Stream:
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)
    task: asyncio.Task[None] | None = None


class _Conversation:
    """An HTTP/2 connection."""

    def __init__(self, gateway: Http2Gateway, writer: asyncio.StreamWriter) -> None:
        self.connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._gateway = gateway
        self._writer = writer
        self._streams: dict[int, _Stream] = {}
        self._window_opened = asyncio.Event()
        self._is_limited = gateway.first_streams is not None
        self.connection.initiate_connection()
        self._limit(gateway.max_streams if gateway.first_streams is None else gateway.first_streams)
        writer.write(self.connection.data_to_send())

    def _limit(self, streams: int) -> None:
        self.connection.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: streams})

    async def heard(self, data: bytes) -> None:
        """Process received data."""
        for event in self.connection.receive_data(data):
            self._take(event)
        await self._flush()

    def _take(self, event: Event) -> None:
        if isinstance(event, RequestReceived):
            headers = {str(name): str(value) for name, value in event.headers}
            self._streams[event.stream_id] = _Stream(headers)
        elif isinstance(event, DataReceived):
            self._streams[event.stream_id].body += event.data
            self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            stream = self._streams[event.stream_id]
            stream.task = asyncio.create_task(self._ended_well(event.stream_id, stream))
        elif isinstance(event, WindowUpdated | RemoteSettingsChanged):
            self._window_opened.set()
        elif isinstance(event, StreamReset):
            reset = self._streams.pop(event.stream_id, None) if event.stream_id is not None else None
            if reset is not None and reset.task is not None:
                reset.task.cancel()

    async def _ended_well(self, stream_id: int, stream: _Stream) -> None:
        try:
            await self._answer(stream_id, stream)
        except (ConnectionError, ProtocolError):
            self._writer.transport.abort()

    async def _answer(self, stream_id: int, stream: _Stream) -> None:
        await self._gateway.stall_over()
        headers = stream.headers
        client = client_name(self._writer)
        request = Request(headers[":method"], headers[":path"], headers, bytes(stream.body), client)
        answer = self._gateway.received_one(request, request.path)
        await asyncio.sleep(answer.delay)
        if answer.fault == "goaway":
            self.connection.close_connection()
            await self._flush()
            self._writer.close()
            return
        if answer.fault is not None:
            await misbehave(answer.fault, self._writer)
        await self._send(stream_id, answer, b"" if request.method == "HEAD" else answer.body)
        self._streams.pop(stream_id, None)
        if self._is_limited and answer.status == HTTPStatus.OK:
            self._is_limited = False
            self._limit(self._gateway.max_streams)
            await self._flush()

    async def _send(self, stream_id: int, answer: Reply, body: bytes) -> None:
        headers = [(":status", str(answer.status)), *answer.headers.items()]
        self.connection.send_headers(stream_id, headers, end_stream=not body)
        while body:
            await self._flush()
            room = min(self.connection.local_flow_control_window(stream_id), self.connection.max_outbound_frame_size)
            if room <= 0:
                self._window_opened.clear()
                await self._window_opened.wait()
                continue
            self.connection.send_data(stream_id, body[:room], end_stream=len(body) <= room)
            body = body[room:]
        await self._flush()

    async def _flush(self) -> None:
        self._writer.write(self.connection.data_to_send())
        await self._writer.drain()

    def announce_end(self) -> None:
        """Send GOAWAY."""
        self.connection.close_connection()
        # h2 takes that for the end, but the requests under way are to be answered.
        self.connection.state_machine.state = ConnectionState.SERVER_OPEN
        self._writer.write(self.connection.data_to_send())

    def end(self) -> None:
        """Cancel the requests that are not answered."""
        for stream in self._streams.values():
            if stream.task is not None:
                stream.task.cancel()
