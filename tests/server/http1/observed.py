"""The same bytes as three servers take them: ours, Tornado's and h11."""

import contextlib
from dataclasses import dataclass

import h11
from tornado.httputil import HTTPServerRequest

from tests.server.http1.sites import Message, Messages
from tests.server.http1.wire import AnswersIncomplete, Peer, answers_of, turns

_QUIET_TURNS = 6


@dataclass(frozen=True)
class TakenRequest:
    """A request as an application has it."""

    method: str
    target: str
    headers: tuple
    body: bytes


@dataclass(frozen=True)
class Verdict:
    """Requests that were accepted from some bytes, and whether something after them was refused."""

    requests: tuple
    refused: bool


def _normal(headers):
    """Return headers in the form in which servers can be compared: names have no case, nor has the one coding."""
    return tuple(
        sorted((name, value.lower() if name == "transfer-encoding" else value) for name, value in _small(headers))
    )


def _small(headers):
    return [(name.lower(), value) for name, value in headers]


class Taken(Message):
    """A message that is answered when it is complete, and made into a request as Tornado's `Application` makes it."""

    def headers_received(self, start_line, headers):
        super().headers_received(start_line, headers)
        HTTPServerRequest(connection=self.connection, start_line=start_line, headers=headers)

    def finish(self):
        body = b"".join(event for event in self.events if isinstance(event, bytes))
        headers = _normal(self.headers.get_all())
        self.site.taken.append(TakenRequest(self.start_line.method, self.start_line.path, headers, body))
        self.events.append("finish")
        self.answer(b"")


def taking():
    """A delegate that notes the requests it takes."""
    delegate = Messages(Taken)
    delegate.taken = []
    return delegate


async def verdict(address, delegate, pieces):
    """The verdict of a running server about these bytes."""
    delegate.taken, delegate.all = [], []
    async with Peer(address) as peer:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            await peer.send(*pieces)
            before = -1
            while before != (before := len(delegate.taken) + len(delegate.all)):
                await turns(_QUIET_TURNS)
            peer.end()
        with contextlib.suppress(ConnectionResetError):
            await peer.read()
    methods = [request.method for request in delegate.taken]
    try:
        answers = answers_of(bytes(peer.heard), tuple(methods))
    except AnswersIncomplete:
        return Verdict(tuple(delegate.taken), refused=True)
    return Verdict(tuple(delegate.taken), refused=any(answer.status >= 400 for answer in answers))


def verdict_of_h11(data):
    """The verdict of h11 about these bytes."""
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * 1024)
    server.receive_data(data)
    taken = []
    while True:
        try:
            request = _request_of_h11(server)
        except h11.RemoteProtocolError:
            return Verdict(tuple(taken), refused=True)
        if request is None:
            return Verdict(tuple(taken), refused=False)
        taken.append(request)
        server.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
        server.send(h11.EndOfMessage())
        if server.our_state is not h11.DONE:
            return Verdict(tuple(taken), refused=False)
        server.start_next_cycle()


def _request_of_h11(server):
    head, body = None, b""
    while True:
        event = server.next_event()
        if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
            return None
        if isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        else:
            headers = _normal((name.decode(), value.decode("latin-1")) for name, value in head.headers)
            return TakenRequest(head.method.decode(), head.target.decode("latin-1"), headers, body)
