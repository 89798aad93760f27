"""A server that stops: who was let in gets a whole answer, who comes later is refused."""

import asyncio
import contextlib
import socket

import pytest
from tornado.web import Application, RequestHandler

from flexiapi.server import http_server
from flexiapi.server.http_server import HttpServer
from tests.kit.watched_log import LOG

BIG = b"x" * 16_000_000
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Site:
    """A server on a free port whose one page waits for `may_answer`."""

    def __init__(self, answer=b"hello"):
        self.answer, self.in_flight = answer, 0
        self.arrived, self.may_answer = asyncio.Event(), asyncio.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.address = self.listener.getsockname()
        self.server = HttpServer(Application([("/", page_of(self))]))
        self.server.add_socket(self.listener)

    async def drain(self):
        while self.in_flight:  # noqa: ASYNC110  # as plain as can be
            await asyncio.sleep(0.01)

    def stop(self, seconds=120):
        return asyncio.create_task(self.server.finish(self.drain, seconds))


def page_of(site):
    class Page(RequestHandler):
        async def get(self):
            site.in_flight += 1
            site.arrived.set()
            await site.may_answer.wait()
            self.write(site.answer)

        def on_finish(self):
            site.in_flight -= 1

    return Page


def connected(site):
    client = socket.create_connection(site.address)
    client.setblocking(False)
    return client


async def told(client, data):
    await asyncio.get_running_loop().sock_sendall(client, data)


async def heard(client, until=None):
    """Return all that the server sends, to the end of the connection or of `until`."""
    loop, parts = asyncio.get_running_loop(), b""
    while part := await loop.sock_recv(client, 65536):
        parts += part
        if until and parts.endswith(until):
            break
    return parts


async def refused(site):
    while True:
        reader = None
        with contextlib.suppress(ConnectionError):
            reader, writer = await asyncio.open_connection(*site.address)
            writer.close()
        if reader is None:
            return
        await asyncio.sleep(0.01)


@pytest.fixture
def no_grace(monkeypatch):
    """Only clients that have sent something are waited for."""
    monkeypatch.setattr(http_server, "_FIRST_REQUEST_SECONDS", 0)


@pytest.fixture
def end_the_wait(monkeypatch):
    """Clients may still send a request for two minutes, or until this is called."""
    names = ("_FIRST_REQUEST_SECONDS", "_KEPT_ALIVE_SECONDS")
    for name in names:
        monkeypatch.setattr(http_server, name, 120)

    def end():
        for name in names:
            monkeypatch.setattr(http_server, name, 0)

    return end


def run(test, **site):
    async def inside():
        async with asyncio.timeout(150):
            await test(Site(**site))

    asyncio.run(inside())


@pytest.mark.usefixtures("no_grace")
def test_a_request_under_way_is_answered_and_new_ones_are_refused():
    async def test(site):
        with connected(site) as client:
            await told(client, GET)
            await site.arrived.wait()
            stopped = site.stop()
            await refused(site)
            await asyncio.sleep(0.1)
            site.may_answer.set()
            assert (await heard(client)).endswith(b"hello")
            await stopped

    run(test)


@pytest.mark.parametrize("turns", [0, 1, 5], ids=["in the queue", "being accepted", "accepted"])
def test_who_has_connected_may_still_send_a_request(turns, monkeypatch):
    monkeypatch.setattr(http_server, "_FIRST_REQUEST_SECONDS", 120)

    async def test(site):
        site.may_answer.set()
        with connected(site) as client:
            for _ in range(turns):
                await asyncio.sleep(0)
            stopped = site.stop()
            await refused(site)
            await asyncio.sleep(0.5)
            await told(client, GET)
            answer = await heard(client)
            assert answer.endswith(b"hello")
            assert b"Connection: close" in answer
            await stopped

    run(test)


def test_a_connection_that_is_kept_alive_is_told_to_close(end_the_wait):
    async def test(site):
        site.may_answer.set()
        with connected(site) as client:
            await told(client, GET)
            assert b"Connection: close" not in await heard(client, until=b"hello")
            stopped = site.stop()
            await refused(site)
            await told(client, GET)
            assert b"Connection: close" in await heard(client)
            end_the_wait()
            await stopped

    run(test)


def test_an_idle_connection_holds_nobody_up():
    async def test(site):
        site.may_answer.set()
        with connected(site) as client:
            await told(client, GET)
            await heard(client, until=b"hello")
            await asyncio.wait_for(site.stop(), 60)
            assert await heard(client) == b""

    run(test)


@pytest.mark.usefixtures("no_grace")
def test_a_slow_client_gets_the_whole_answer():
    async def test(site):
        site.may_answer.set()
        with connected(site) as client:
            await told(client, GET)
            await site.arrived.wait()
            stopped = site.stop()
            await refused(site)
            await asyncio.sleep(0.5)
            head, _, body = (await heard(client)).partition(b"\r\n\r\n")
            assert b"Content-Length: %d" % len(BIG) in head
            assert len(body) == len(BIG)
            await stopped

    run(test, answer=BIG)


def test_a_request_without_end_is_ended():
    async def test(site):
        with connected(site) as client:
            await told(client, GET)
            await site.arrived.wait()
            LOG.expected_errors = "500 GET /"
            await site.stop(seconds=0.2)
            assert await heard(client) == b""

    run(test)
