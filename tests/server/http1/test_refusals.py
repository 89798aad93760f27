"""Refusals reach clients that are still sending, and hold nothing up."""

import asyncio
import contextlib

import pytest

from tests.server.http1.refused import REFUSED, post
from tests.server.http1.sites import MIB, OURS, Messages, Pages, run, running
from tests.server.http1.verdicts import check_refusal
from tests.server.http1.wire import Peer, asked

CHOSEN = (
    "length: plus",
    "coding: gzip first",
    "chunk: plus",
    "field: folded",
    "host: two",
    "start: HTTP/2 preface",
    "size: target",
    "size: target without an end",
    "size: one field",
    "size: many fields",
    "size: body",
    "size: chunk",
    "expectation: another",
)
VECTORS = {vector.name: vector for vector in REFUSED}


def test_each_kind_of_refusal_is_told_once_with_client_and_reason(caplog):
    chosen = ("host: two", "length: plus", "size: target", "size: target without an end")

    async def test():
        async with running(OURS, Pages()) as address:
            for name in chosen:
                await asked(address, VECTORS[name].raw, probe=False)

    run(test)
    lines = [line for line in caplog.text.splitlines() if "request refused" in line]
    assert len(lines) == 2
    assert all("127.0.0.1" in line for line in lines)
    assert "more than one Host header" in lines[0]
    assert "target is longer than" in lines[1]


@pytest.mark.parametrize("name", CHOSEN)
def test_a_client_that_is_still_sending_reads_the_whole_refusal(name):
    vector = VECTORS[name]

    async def test():
        async with running(OURS, Pages()) as address, Peer(address) as peer:
            await peer.send(vector.raw + b"x" * MIB)
            answers = await peer.answers()
            assert [answer.status for answer in answers] == [vector.status]
            check_refusal(answers[0])

    run(test)


def test_a_client_whose_body_is_answered_early_reads_the_whole_answer():
    async def test():
        pages = Pages()
        async with running(OURS, pages) as address, Peer(address) as peer:
            head = post(b"Content-Length: %d" % MIB).replace(b"/x", b"/early")
            await peer.send(head, b"x" * MIB)
            answers = await peer.first()
            assert [(answer.status, answer.json["message"]) for answer in answers] == [(401, "Not for you.")]
            peer.end()
            assert len(await peer.answers()) == 1
        assert pages.seen == ["early"]

    run(test)


def test_a_client_that_never_stops_sending_is_cut():
    async def test():
        delegate = Messages()
        async with running(OURS, delegate) as address, Peer(address) as peer:
            await peer.send(VECTORS["size: target"].raw)
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                while True:
                    await peer.send(b"x" * 65536)
                    await asyncio.sleep(0)
            await delegate.until_ended()

    run(test)


def test_a_client_that_never_ends_its_side_is_let_go():
    async def test():
        delegate = Messages()
        async with running(OURS, delegate) as address, Peer(address) as peer:
            await peer.send(VECTORS["size: target"].raw)
            assert [answer.status for answer in await peer.answers()] == [414]
            await delegate.until_ended()

    run(test)


def test_a_client_that_resets_after_a_refusal_leaves_no_trace():
    async def test():
        delegate = Messages()
        async with running(OURS, delegate) as address:
            for vector in REFUSED[:40]:
                async with Peer(address) as peer:
                    await peer.send(vector.raw)
                    peer.reset_at_end()
            await delegate.until_ended(40)

    run(test)


def test_a_body_over_the_limit_is_413_wherever_it_shows():
    async def test():
        async with running(OURS, Pages()) as address:
            chunk = b"%x\r\n%s\r\n" % (MIB, b"x" * MIB)
            async with Peer(address) as peer:
                await peer.send(post(b"Transfer-Encoding: chunked"))
                with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                    for _ in range(17):
                        await peer.send(chunk)
                answers = await peer.answers()
                assert [answer.status for answer in answers] == [413]
                check_refusal(answers[0])
            answers, kept = await asked(address, post(b"Content-Length: %d" % (16 * MIB), body=b"x" * 16 * MIB))
            assert [answer.status for answer in answers] == [200]
            assert kept

    run(test)


def test_the_limit_of_a_route_holds_for_its_body():
    class Small(Pages):
        def start_request(self, server_conn, request_conn):
            request_conn.set_max_body_size(10)
            return super().start_request(server_conn, request_conn)

    async def test():
        async with running(OURS, Small()) as address:
            for body, status in ((b"x" * 10, 200), (b"x" * 11, 413)):
                for raw in (
                    post(b"Content-Length: %d" % len(body), body=body),
                    post(b"Transfer-Encoding: chunked", body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)),
                    post(b"Transfer-Encoding: chunked", body=b"".join(b"1\r\nx\r\n" for _ in body) + b"0\r\n\r\n"),
                ):
                    answers, kept = await asked(address, raw)
                    assert [answer.status for answer in answers] == [status], raw
                    assert kept == (status == 200)

    run(test)
