"""Clients that send without reading, and applications that read slowly: what waits in memory stays small."""

import asyncio
import time
from dataclasses import replace

import pytest
from tornado.iostream import StreamClosedError

from flexiapi.server.http1.limits import HttpLimits
from tests.server.http1.refused import GOOD, get, post
from tests.server.http1.sites import LOOPS, MIB, OURS, Message, Messages, Pages, run, running
from tests.server.http1.wire import PROBE, Peer, answers_of, asked, turns

SMALL = 16 * 1024
WITHIN_KERNEL = 24 * MIB
"""More than the kernel's buffers of a connection and one buffer of ours hold, in bytes."""
CUT_SOON = replace(HttpLimits(), write_seconds=0.3)


async def settled(measure):
    """Return a value once it has not changed for many turns of the loop."""
    last = None
    while last != (last := measure()):
        await turns(200)
    return last


def test_a_client_that_does_not_read_holds_up_the_answer_and_is_cut():
    async def test():
        pages = Pages()
        async with running(OURS, pages, CUT_SOON) as address, Peer(address, receive_buffer=SMALL) as peer:
            await peer.send(get(target=b"/stream/104857600"))
            await pages.ended.wait()
            assert pages.seen[0] < WITHIN_KERNEL
            assert [type(error) for error in pages.failures] == [StreamClosedError]

    run(test)


def test_a_client_that_does_not_read_an_answer_written_at_once_is_cut_and_told_of(caplog):
    async def test():
        delegate = Messages(Large)
        async with running(OURS, delegate, CUT_SOON) as address, Peer(address, receive_buffer=SMALL) as peer:
            await peer.send(get())
            await delegate.until_ended()

    run(test)
    assert "127.0.0.1" in next(line for line in caplog.text.splitlines() if "answer cut" in line)


class Large(Message):
    """A message with a large answer."""

    def finish(self):
        self.answer(b"x" * 16 * MIB)


def test_a_client_that_reads_slowly_gets_all_of_a_long_answer():
    async def test():
        pages = Pages()
        async with running(OURS, pages) as address, Peer(address, receive_buffer=SMALL) as peer:
            await peer.send(get(target=b"/stream/8388608") + PROBE)
            heard = bytearray()
            while part := await peer.loop.sock_recv(peer.socket, 16384):
                heard += part
                await asyncio.sleep(0)
            stream, probe = answers_of(bytes(heard))
            assert stream.body == b"x" * 8388608
            assert probe.json["uri"] == "/probe"

    run(test)


class Held(Message):
    """A message that is answered at once, but for the first, which the site answers."""

    def finish(self):
        if self.start_line.path == "/slow":
            self.site.arrived.set()
        else:
            self.site.paths.append(self.start_line.path)
            super().finish()


def test_requests_without_end_are_not_read_while_one_waits():
    async def test():
        delegate = Messages(Held)
        delegate.paths, delegate.arrived = [], asyncio.Event()
        async with (
            running(OURS, delegate, receive_buffer=SMALL) as address,
            Peer(address, receive_buffer=SMALL, send_buffer=SMALL) as peer,
        ):
            await peer.send(get(target=b"/slow"))
            await delegate.arrived.wait()
            requests, sent = GOOD * 20_000, 0

            def send():
                nonlocal sent
                sent += peer.send_some(requests[sent : sent + 65536])
                return sent

            assert await settled(send) < len(requests) // 2
            assert len(delegate.all) < 1000
            delegate.all[0].answer(b"slow")
            writing = asyncio.create_task(peer.send(requests[sent:] + PROBE))
            heard = await peer.read()
            await writing
            assert heard.count(b"HTTP/1.1 200 OK") == 20_002
            assert delegate.paths == ["/next"] * 20_000 + ["/probe"]

    run(test)


def test_answers_that_are_not_read_hold_up_the_requests_behind():
    async def test():
        pages = Pages()
        async with running(OURS, pages) as address, Peer(address, receive_buffer=SMALL) as peer:
            writing = asyncio.create_task(peer.send(get(target=b"/big/10000") * 20_000))
            assert await settled(lambda: len(pages.seen)) * 10_000 < WITHIN_KERNEL
            writing.cancel()

    run(test)


@pytest.mark.parametrize("loop_factory", LOOPS)
def test_requests_that_waited_for_room_are_answered_even_if_no_other_follows(loop_factory):
    async def test():
        async with running(OURS, Pages()) as address, Peer(address, receive_buffer=SMALL) as peer:
            await peer.send(get(target=b"/big/5000000") * 3 + PROBE)
            peer.end()
            await turns(200)
            answers = await peer.answers()
            assert [len(answer.body) for answer in answers[:-1]] == [5_000_000] * 3
            assert answers[-1].json["uri"] == "/probe"

    run(test, loop_factory=loop_factory)


@pytest.mark.parametrize("loop_factory", LOOPS)
@pytest.mark.parametrize("raw", [get(), get(b"Connection: close"), get(b"Connection: close") + GOOD])
def test_a_client_that_reads_on_is_not_cut_however_long_it_takes(raw, loop_factory):
    async def test():
        delegate = Messages(Large)
        async with running(OURS, delegate) as address, Peer(address, receive_buffer=SMALL) as peer:
            loop, passed = asyncio.get_running_loop(), 0
            delegate.server.now = lambda: loop.time() + passed
            await peer.send(raw)
            for _ in range(6):
                more = len(peer.heard) + MIB
                while len(peer.heard) < more:
                    peer.heard += await loop.sock_recv(peer.socket, 65536)
                    await asyncio.sleep(0)
                passed += 20
                delegate.server._end_overdue()
            peer.end()
            assert [len(answer.body) for answer in await peer.answers()] == [16 * MIB]

    run(test, loop_factory=loop_factory)


class Slow(Message):
    """A message whose every part waits for the site."""

    def data_received(self, chunk):
        self.events.append(chunk)
        return self.site.room.acquire()


def test_a_body_is_read_as_fast_as_its_application_takes_it():
    async def test():
        delegate = Messages(Slow)
        delegate.room = asyncio.Semaphore(0)
        body = b"x" * 8 * MIB
        async with running(OURS, delegate, receive_buffer=SMALL) as address, Peer(address, send_buffer=SMALL) as peer:
            await peer.send(post(b"Content-Length: %d" % len(body)))
            sent = 0

            def send():
                nonlocal sent
                sent += peer.send_some(body[sent : sent + 65536])
                return sent

            assert await settled(send) < MIB
            assert len(delegate.all[0].events) == 2
            for _ in range(10_000):
                delegate.room.release()
            await peer.send(body[sent:] + PROBE)
            assert [answer.status for answer in await peer.answers()] == [200, 200]
            events = delegate.all[0].events
            assert (events[0], events[-1]) == ("headers", "finish")
            assert b"".join(events[1:-1]) == body

    run(test)


class SlowHead(Message):
    """A message whose head waits for the site."""

    def headers_received(self, start_line, headers):
        super().headers_received(start_line, headers)
        return self.site.room.acquire()


def test_a_body_waits_until_its_head_is_taken():
    async def test():
        delegate = Messages(SlowHead)
        delegate.room = asyncio.Semaphore(0)
        async with running(OURS, delegate) as address, Peer(address) as peer:
            await peer.send(post(b"Content-Length: 3", body=b"abc") + PROBE)
            await turns(50)
            assert [message.events for message in delegate.all if message.events] == [["headers"]]
            delegate.room.release()
            delegate.room.release()
            assert [answer.status for answer in await peer.answers()] == [200, 200]
            assert delegate.all[0].events == ["headers", b"abc", "finish"]

    run(test)


def test_many_large_heads_arrive_together():
    async def test():
        async with running(OURS, Pages()) as address:
            raw = get(b"X-Field: " + b"a" * SMALL)
            pieces = [raw[at : at + 1000] for at in range(0, len(raw), 1000)]
            found = await asyncio.gather(*(asked(address, *pieces) for _ in range(64)))
            assert all(kept and [answer.status for answer in answers] == [200] for answers, kept in found)

    run(test)


def test_a_field_in_single_bytes_costs_in_proportion_to_its_length():
    async def test():
        async with running(OURS, Pages()) as address:

            async def cost(length):
                raw = get(b"X-Field: " + b"a" * length)
                async with Peer(address) as peer:
                    began = time.process_time()
                    for at in range(len(raw)):
                        peer.socket.send(raw[at : at + 1])
                        await asyncio.sleep(0)
                    await peer.first()
                    return time.process_time() - began

            small, large = [min([await cost(length) for _ in range(2)]) for length in (4096, 16384)]
            assert large < 10 * small

    run(test)


def test_a_body_in_chunks_of_one_byte_is_handed_over_in_large_pieces():
    async def test():
        delegate = Messages()
        async with running(OURS, delegate) as address:
            count = 50_000
            answers, _ = await asked(
                address, post(b"Transfer-Encoding: chunked", body=b"1\r\nx\r\n" * count + b"0\r\n\r\n")
            )
            assert [answer.status for answer in answers] == [200, 200]
            pieces = delegate.all[0].events[1:-1]
            assert b"".join(pieces) == b"x" * count
            assert len(pieces) < count / 10

    run(test)
