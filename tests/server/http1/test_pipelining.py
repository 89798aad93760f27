"""Requests that are sent before the answers to others have come."""

import asyncio

import pytest

from tests.server.http1.accepted import ACCEPTED
from tests.server.http1.refused import GOOD, get, post
from tests.server.http1.sites import KINDS, OURS, Message, Messages, Pages, run, running
from tests.server.http1.verdicts import check_accepted
from tests.server.http1.wire import PROBE, Peer, asked, turns

SLOW = get(target=b"/slow")


@pytest.mark.parametrize("kind", KINDS)
def test_many_requests_of_one_write_are_answered_in_order(kind):
    async def test():
        async with running(kind, Pages()) as address:
            answers, kept = await asked(address, b"".join(get(target=b"/%d" % n) for n in range(500)))
        assert [answer.json["uri"] for answer in answers] == [f"/{n}" for n in range(500)]
        assert kept

    run(test)


def test_every_request_may_follow_every_other():
    kept_open = [vector for vector in ACCEPTED if vector.kept and len(vector.raw) < 2000]

    async def test():
        async with running(OURS, Pages()) as address:
            for vector in kept_open:
                for before in (GOOD, post(b"Content-Length: 3", body=b"abc"), vector.raw):
                    answers, kept = await asked(address, before + vector.raw, methods=methods_of(before, vector))
                    count = len(answers) - len(vector.answers)
                    assert count == (len(vector.answers) if before is vector.raw else 1), vector.name
                    check_accepted(vector, answers[count:], kept)

    run(test)


def methods_of(before, vector):
    if before is vector.raw and vector.methods:
        return (*vector.methods, *["GET"] * (len(vector.answers) - len(vector.methods)), *vector.methods)
    return vector.methods if before is vector.raw else ("GET", *vector.methods)


def test_a_request_begins_when_the_one_before_is_answered():
    async def test():
        pages = Pages()
        async with running(OURS, pages) as address, Peer(address) as peer:
            await peer.send(SLOW + GOOD + PROBE)
            await pages.arrived.wait()
            await turns(20)
            assert pages.seen == []
            pages.may_answer.set()
            assert [answer.json["uri"] for answer in await peer.answers()] == ["/slow", "/next", "/probe"]

    run(test)


def test_a_slow_request_holds_up_its_own_connection_alone():
    async def test():
        pages = Pages()
        async with running(OURS, pages) as address, Peer(address) as peer:
            await peer.send(SLOW + PROBE)
            await pages.arrived.wait()
            answers, kept = await asked(address, GOOD)
            assert [answer.json["uri"] for answer in answers] == ["/next"]
            assert kept
            pages.may_answer.set()
            assert [answer.json["uri"] for answer in await peer.answers()] == ["/slow", "/probe"]

    run(test)


def test_a_client_that_shuts_down_its_writing_side_gets_the_answers_that_take_time():
    async def test():
        pages = Pages()
        async with running(OURS, pages) as address, Peer(address) as peer:
            await peer.send(SLOW + get(target=b"/big/5000000") + GOOD)
            peer.end()
            await pages.arrived.wait()
            await turns(20)
            pages.may_answer.set()
            answers = await peer.answers()
            assert [len(answer.body) for answer in answers][1] == 5_000_000
            assert answers[2].json["uri"] == "/next"

    run(test)


@pytest.mark.parametrize("behind", [b"", GOOD, GOOD[:20]], ids=["alone", "with another", "with a part"])
def test_an_application_learns_that_its_client_is_gone(behind):
    class Waiting(Message):
        def finish(self):
            self.events.append("finish")
            self.connection.set_close_callback(self.site.closed.set)
            self.site.arrived.set()

    async def test():
        delegate = Messages(Waiting)
        delegate.arrived = asyncio.Event()
        async with running(OURS, delegate) as address:
            async with Peer(address) as peer:
                await peer.send(get() + behind)
                await delegate.arrived.wait()
                await turns()
                peer.reset_at_end()
            await delegate.closed.wait()
            await delegate.until_ended()
        assert delegate.all[0].events == ["headers", "finish"]

    run(test)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["shut down", "reset"])
def test_a_delegate_learns_of_a_request_that_ends_in_its_body(kind, end):
    async def test():
        delegate = Messages()
        async with running(kind, delegate) as address:
            async with Peer(address) as peer:
                await peer.send(post(b"Content-Length: 10", body=b"abc"))
                await turns(20)
                if end == "reset":
                    peer.reset_at_end()
            await delegate.closed.wait()
            if kind == OURS:
                await delegate.until_ended()
        assert delegate.all[0].events == ["headers", b"abc", "close"]

    run(test)


def test_a_part_of_a_head_reaches_no_application():
    async def test():
        pages = Pages()
        async with running(OURS, pages) as address:
            for at in range(1, len(GOOD)):
                async with Peer(address) as peer:
                    await peer.send(GOOD[:at])
                    peer.end()
                    heard = await peer.read()
                    assert heard == b"" or heard.startswith(b"HTTP/1.1 400 "), at
        assert pages.seen == []

    run(test)
