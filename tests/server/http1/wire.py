"""Clients that speak raw bytes, and the answers that they get."""

import asyncio
import contextlib
import functools
import json
import socket
import struct
from dataclasses import dataclass, field

import h11

PROBE = b"GET /probe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_TURNS = 4
"""Turns of the loop after which the server has read what was sent: the kernel hands it over at once."""


@dataclass
class Answer:
    """One answer, read by h11, which refuses what is malformed."""

    status: int
    headers: dict
    body: bytes = b""
    before: list = field(default_factory=list)
    """Statuses of the informational answers before it."""

    @property
    def json(self):
        return json.loads(self.body)


class AnswersIncomplete(Exception):
    """The connection ended within an answer, which carries what was complete."""


def answers_of(data, methods=()):
    """The answers in all bytes of a connection, to requests with these methods, and to GET after them."""
    return list(_answers_of(data, methods))


@functools.lru_cache(maxsize=64)
def _answers_of(data, methods):
    found, client = [], h11.Connection(h11.CLIENT)
    client.receive_data(data)
    client.receive_data(b"")
    methods = iter(methods)
    while True:
        method = next(methods, "GET")
        if not client.trailing_data[0]:
            return found
        client.send(h11.Request(method=method, target="/", headers=[("Host", "localhost")]))
        client.send(h11.EndOfMessage())
        answer = _answer(client)
        found.append(answer)
        if client.our_state is h11.MUST_CLOSE or client.their_state is h11.CLOSED:
            rest = client.trailing_data[0]
            assert not rest, f"bytes after an answer that closes: {rest[:80]}"
            return found
        if client.states != {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
            return found
        client.start_next_cycle()


def _answer(client):
    before, answer = [], None
    while True:
        try:
            event = client.next_event()
        except h11.RemoteProtocolError as error:
            raise AnswersIncomplete(str(error)) from error
        if event is h11.PAUSED or isinstance(event, h11.EndOfMessage):
            return answer
        if isinstance(event, h11.ConnectionClosed):
            raise AnswersIncomplete
        if isinstance(event, h11.InformationalResponse):
            before.append(event.status_code)
        elif isinstance(event, h11.Response):
            headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
            answer = Answer(event.status_code, headers, before=before)
        elif isinstance(event, h11.Data):
            answer.body += bytes(event.data)


class Peer:
    """A client on the loop of the server."""

    def __init__(self, address, *, receive_buffer=None, send_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if send_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.loop = asyncio.get_running_loop()
        self.heard = bytearray()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.socket.close()

    async def send(self, *pieces):
        """Send these pieces, each after the server has read the one before."""
        for number, piece in enumerate(pieces):
            if number:
                await turns()
            await self.loop.sock_sendall(self.socket, piece)

    def send_some(self, data):
        """Send as much as the kernel takes now; return how many bytes."""
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0

    def end(self):
        """Shut down the writing side."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def reset_at_end(self):
        """Let the connection be reset when it is closed here."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def read(self, until=None):
        """Return all bytes to the end of the connection, or until these are there."""
        while until is None or until not in self.heard:
            part = await self.loop.sock_recv(self.socket, 1 << 18)
            if not part:
                break
            self.heard += part
        return bytes(self.heard)

    async def answers(self, methods=()):
        """Read to the end of the connection, and return the answers."""
        return answers_of(await self.read(), methods)

    async def first(self):
        """Read to the end of one answer that has a length, and return it with those before."""
        while True:
            with contextlib.suppress(AnswersIncomplete):
                if found := answers_of(bytes(self.heard)):
                    return found
            part = await self.loop.sock_recv(self.socket, 1 << 16)
            assert part, f"closed after {self.heard[:200]}"
            self.heard += part


async def turns(count=_TURNS):
    """Let the loop of client and server turn."""
    for _ in range(count):
        await asyncio.sleep(0)


async def asked(address, *pieces, methods=(), probe=True, end=False):
    """Send these pieces and a probe; return the answers, and whether the connection stayed open for the probe.

    With `end`, the writing side is shut down after that.
    """
    async with Peer(address) as peer:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            await peer.send(*pieces, *([PROBE] if probe else []))
        if end:
            peer.end()
        try:
            answers = await peer.answers(methods)
        except ConnectionResetError:
            # Only for a client that had announced the end and sends more; a refusal waits for the end of what is sent.
            answers = answers_of(bytes(peer.heard), methods)
            assert answers[-1].status < 400, answers
    kept = bool(answers) and answers[-1].status == 200 and _is_probe(answers[-1])
    return (answers[:-1] if kept else answers), kept


def _is_probe(answer):
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return answer.json["uri"] == "/probe"
    return False
