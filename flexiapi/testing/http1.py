"""A real HTTP/1.1 server."""

import asyncio

import h11

from flexiapi.testing.local_server import HOST
from flexiapi.testing.replies import Reply, Request, reply
from flexiapi.testing.stream_server import StreamServer, client_name, misbehave

_CHUNK = 65536


class Gateway(StreamServer):
    """An HTTP/1.1 server on localhost that answers as the test says and records its requests."""

    def __init__(self, *, tls: bool = False, certificate_for: str = HOST) -> None:
        super().__init__(reply(200, {"id": "1"}), tls=tls, certificate_for=certificate_for)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request after the other."""
        connection = h11.Connection(h11.SERVER)
        while (request := await _request(connection, reader, client_name(writer))) is not None:
            await self.stall_over(reader)
            if reader.at_eof():
                return
            answer = self.received_one(request, request.path)
            await asyncio.sleep(answer.delay)
            if answer.fault is not None:
                await misbehave(answer.fault, writer)
            writer.write(_encoded(connection, answer, b"" if request.method == "HEAD" else answer.body))
            await writer.drain()
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()


async def _request(connection: h11.Connection, reader: asyncio.StreamReader, client: str | None) -> Request | None:
    head: h11.Request | None = None
    body = b""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            return None
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
            return Request(head.method.decode(), head.target.decode(), headers, body, client)
        else:
            return None


def _encoded(connection: h11.Connection, answer: Reply, body: bytes) -> bytes:
    headers = [*answer.headers.items(), ("content-length", str(len(answer.body)))]
    response = h11.Response(status_code=answer.status, headers=headers)
    parts = (response, h11.Data(data=body), h11.EndOfMessage())
    return b"".join(connection.send(part) or b"" for part in parts)
