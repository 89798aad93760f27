"""Clients that take too long."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from flexiapi.server.http1.limits import HttpLimits
from tests.server.http1.refused import GOOD, get, post
from tests.server.http1.sites import OURS, Message, Messages, Pages, run, running
from tests.server.http1.verdicts import check_refusal
from tests.server.http1.wire import PROBE, Peer, asked

SHORT = 0.3
LONG = 100
NEVER = HttpLimits(header_seconds=LONG, body_seconds=LONG, idle_seconds=LONG, write_seconds=LONG)
HEADERS, BODY, IDLE = (replace(NEVER, **{name: SHORT}) for name in ("header_seconds", "body_seconds", "idle_seconds"))
ALL_SHORT = HttpLimits(header_seconds=SHORT, body_seconds=SHORT, idle_seconds=SHORT, write_seconds=SHORT)

BEGINNINGS = {
    "one byte": (HEADERS, b"G"),
    "start line": (HEADERS, b"GET / HTTP/1.1\r\n"),
    "all but the last byte": (HEADERS, GOOD[:-1]),
    "no body": (BODY, post(b"Content-Length: 10000")),
    "part of a body": (BODY, post(b"Content-Length: 10000", body=b"abc")),
    "size of a chunk": (BODY, post(b"Transfer-Encoding: chunked", body=b"1;")),
    "part of a chunk": (BODY, post(b"Transfer-Encoding: chunked", body=b"1000\r\nab")),
    "trailer": (BODY, post(b"Transfer-Encoding: chunked", body=b"0\r\nX-Trailer: ")),
    "body of an upgrade": (BODY, post(b"Connection: upgrade", b"Upgrade: h2c", b"Content-Length: 10000", body=b"abc")),
}


def check_timed_out(answers):
    assert [answer.status for answer in answers] == [408]
    check_refusal(answers[0])


async def of_each_beginning(end):
    """Begin each request, on servers with the limits that are meant, and have it ended by this coroutine function."""
    async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for limits, raw in BEGINNINGS.values():
            address = await stack.enter_async_context(running(OURS, Pages(), limits))
            peer = await stack.enter_async_context(Peer(address))
            await peer.send(raw)
            group.create_task(end(peer))


def test_a_request_that_stops_arriving_is_408():
    async def wait(peer):
        check_timed_out(await peer.answers())

    run(of_each_beginning, wait)


def test_a_byte_now_and_then_renews_no_limit():
    async def trickle(peer):
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while True:
                await peer.send(b"a")
                await asyncio.sleep(SHORT / 10)

    async def wait(peer):
        trickling = asyncio.create_task(trickle(peer))
        check_timed_out(await peer.answers())
        trickling.cancel()

    run(of_each_beginning, wait)


def test_the_limit_of_a_later_request_is_its_own():
    async def test():
        async with running(OURS, Pages(), HEADERS) as address, Peer(address) as peer:
            for _ in range(3):
                await peer.send(GOOD)
                await peer.read(until=b"}")
                peer.heard.clear()
                await asyncio.sleep(SHORT / 2)
            await peer.send(GOOD[:20])
            check_timed_out(await peer.answers())

    run(test)


def test_the_limit_of_one_body_is_set_for_its_request():
    class Hasty(Message):
        def headers_received(self, start_line, headers):
            super().headers_received(start_line, headers)
            self.connection.set_body_timeout(SHORT)

    async def test():
        delegate = Messages(Hasty)
        async with running(OURS, delegate, NEVER) as address, Peer(address) as peer:
            await peer.send(post(b"Content-Length: 10", body=b"abc"))
            check_timed_out(await peer.answers())
            await delegate.closed.wait()
            assert delegate.all[0].events == ["headers", b"abc", "close"]

    run(test)


@pytest.mark.parametrize("before", [b"", GOOD, b"\r\n"], ids=["new", "answered", "empty line"])
def test_an_idle_connection_is_closed_without_an_answer(before):
    async def test():
        limits = replace(NEVER, idle_seconds=SHORT, header_seconds=SHORT)
        async with running(OURS, Pages(), limits) as address, Peer(address) as peer:
            await peer.send(before)
            answers = await peer.answers()
            assert [answer.status for answer in answers] == ([200] if before == GOOD else [])

    run(test)


def test_an_answer_may_take_longer_than_any_limit_of_clients():
    async def test():
        pages = Pages()
        async with running(OURS, pages, ALL_SHORT) as address, Peer(address) as peer:
            await peer.send(get(target=b"/slow") + PROBE)
            await pages.arrived.wait()
            await asyncio.sleep(4 * SHORT)
            pages.may_answer.set()
            assert [answer.json["uri"] for answer in await peer.answers()] == ["/slow", "/probe"]

    run(test)


def test_an_application_may_take_its_time_with_a_body():
    class Lazy(Message):
        async def data_received(self, chunk):
            self.events.append(chunk)
            await asyncio.sleep(4 * SHORT)

    async def test():
        delegate = Messages(Lazy)
        async with running(OURS, delegate, ALL_SHORT) as address:
            answers, _ = await asked(
                address, post(b"Content-Length: 3", b"Connection: close", body=b"abc"), probe=False
            )
        assert [answer.status for answer in answers] == [200]
        assert delegate.all[0].events == ["headers", b"abc", "finish"]

    run(test)


def test_a_client_that_is_told_to_go_on_has_the_time_of_a_body():
    async def test():
        async with running(OURS, Pages(), HEADERS) as address, Peer(address) as peer:
            await peer.send(post(b"Content-Length: 3", b"Expect: 100-continue"))
            await peer.read(until=b"\r\n\r\n")
            assert peer.heard.startswith(b"HTTP/1.1 100 ")
            await asyncio.sleep(4 * SHORT)
            await peer.send(b"abc" + PROBE)
            first, probe = await peer.answers()
            assert (first.before, first.json["body"], probe.json["uri"]) == ([100], "abc", "/probe")

    run(test)


class Unwilling(Message):
    """A message that fails when its client is gone."""

    def on_connection_close(self):
        raise RuntimeError("our own mistake")


def test_an_application_that_fails_at_an_end_keeps_no_connection_open():
    async def test():
        problems = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context["exception"]))
        async with running(OURS, Messages(Unwilling), BODY) as address:
            for _ in range(2):
                async with Peer(address) as peer:
                    await peer.send(post(b"Content-Length: 3"))
                    check_timed_out(await peer.answers())
        assert [str(problem) for problem in problems] == ["our own mistake"] * 2

    run(test)


def test_time_limits_of_one_connection_are_not_those_of_others():
    async def test():
        async with running(OURS, Pages(), HEADERS) as address, Peer(address) as peer:
            await peer.send(b"GET")
            answers, kept = await asked(address, GOOD)
            assert [answer.status for answer in answers] == [200]
            assert kept
            check_timed_out(await peer.answers())

    run(test)
