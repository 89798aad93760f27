"""Answers of delegates and handlers, as they reach the wire, and mistakes in them, which do not."""

import asyncio
import contextlib

import pytest
from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPOutputError, ResponseStartLine
from tornado.iostream import StreamClosedError

from tests.kit.watched_log import LOG
from tests.server.http1.refused import GOOD, get, post
from tests.server.http1.sites import KINDS, OURS, Message, Messages, Pages, run, running
from tests.server.http1.wire import PROBE, AnswersIncomplete, Peer, answers_of, asked

OK = ResponseStartLine("HTTP/1.1", 200, "OK")


def message(finish):
    """A class of messages that are answered by this function."""

    class Answered(Message):
        def finish(self):
            self.events.append("finish")
            finish(self)

    return Answered


def heard(finish, raw=GOOD, kind=OURS):
    """All bytes that a client of a server hears whose messages are answered by this function."""

    async def test():
        delegate = Messages(message(finish))
        async with running(kind, delegate) as address, Peer(address) as peer:
            await peer.send(raw)
            return await peer.read()

    return run(test)


CLOSING = get(b"Connection: close")


@pytest.mark.security
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", ["\r\nSet-Cookie: a=b", "\nSet-Cookie: a=b", "\rSet-Cookie: a=b", "\r\n\r\n<html>"])
@pytest.mark.parametrize("place", ["value", "reason", "name"])
def test_line_ends_in_a_head_reach_no_client(bad, place, kind):
    def finish(message):
        headers = HTTPHeaders({"Content-Length": "2"})
        text = "x" + bad
        line = ResponseStartLine("HTTP/1.1", 200, text if place == "reason" else "OK")
        if place != "reason":
            name, value = ("X-Field", text) if place == "value" else (text, "x")
            headers[name] = value
        with pytest.raises(ValueError, match=r"."):
            message.connection.write_headers(line, headers, b"no")
        message.answer(b"instead", 500)

    found = heard(finish, CLOSING, kind)
    assert [(answer.status, answer.body) for answer in answers_of(found)] == [(500, b"instead")]
    assert b"Set-Cookie" not in found
    assert b"html" not in found


@pytest.mark.parametrize("kind", KINDS)
def test_more_than_the_length_says_is_not_sent(kind):
    def finish(message):
        message.connection.write_headers(OK, HTTPHeaders({"Content-Length": "3"}), b"ab")
        with pytest.raises(HTTPOutputError):
            message.connection.write(b"cdef")

    found = heard(finish, GOOD, kind)
    assert b"cdef" not in found
    with pytest.raises(AnswersIncomplete):
        answers_of(found)


@pytest.mark.parametrize("kind", KINDS)
def test_less_than_the_length_says_ends_the_connection(kind):
    def finish(message):
        message.connection.write_headers(OK, HTTPHeaders({"Content-Length": "30"}), b"abc")
        with pytest.raises(HTTPOutputError):
            message.connection.finish()

    with pytest.raises(AnswersIncomplete):
        answers_of(heard(finish, GOOD, kind))


def test_what_is_written_after_the_end_of_an_answer_is_in_no_other():
    async def test():
        delegate = Messages(message(lambda found: found.answer(b"whole")))
        async with running(OURS, delegate) as address, Peer(address) as peer:
            await peer.send(GOOD)
            await peer.first()
            late = delegate.all[0].connection
            for write in (late.write(b"late"), late.write_headers(OK, HTTPHeaders({"Content-Length": "4"}), b"late")):
                with pytest.raises(StreamClosedError):
                    await write
            await peer.send(PROBE)
            assert [answer.body for answer in await peer.answers()] == [b"whole"] * 2

    run(test)


def test_an_answer_without_headers_ends_the_connection_and_says_what_is_missing():
    def finish(message):
        with pytest.raises(HTTPOutputError, match="before its headers"):
            message.connection.finish()

    assert heard(finish) == b""


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_of_unknown_length_is_sent_in_chunks(kind):
    def finish(message):
        message.connection.write_headers(OK, HTTPHeaders())
        for part in (b"abc", b"", b"de" * 40_000, b""):
            message.connection.write(part)
        message.connection.finish()

    found = heard(finish, CLOSING, kind)
    (answer,) = answers_of(found)
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.body == b"abc" + b"de" * 40_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("connection", [b"close", b"keep-alive"])
def test_an_answer_of_unknown_length_to_1_0_ends_with_the_connection(connection, kind):
    async def test():
        async with running(kind, Pages()) as address, Peer(address) as peer:
            raw = get(b"Connection: " + connection, target=b"/stream/131072", version=b"HTTP/1.0")
            await peer.send(raw if kind == OURS else raw.replace(b"keep-alive", b"close"))
            (answer,) = await peer.answers()
            assert answer.body == b"x" * 131072
            assert "transfer-encoding" not in answer.headers
            assert answer.headers.get("connection", "close") == "close"

    run(test)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("status", "method"), [(204, b"GET"), (304, b"GET"), (200, b"HEAD")])
def test_an_answer_without_a_body_has_none(status, method, kind):
    def finish(message):
        message.connection.write_headers(ResponseStartLine("HTTP/1.1", status, "Fine"), HTTPHeaders())
        message.connection.finish()

    found = heard(finish, CLOSING.replace(b"GET", method), kind)
    assert found.endswith(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in found


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_a_body_where_none_may_be_reaches_no_client(method):
    def finish(message):
        status = 200 if method == b"HEAD" else 304
        length = HTTPHeaders({"Content-Length": "6"})
        message.connection.write_headers(ResponseStartLine("HTTP/1.1", status, "Fine"), length)
        with contextlib.suppress(HTTPOutputError):
            message.connection.write(b"secret")
        message.connection.finish()

    found = heard(finish, CLOSING.replace(b"GET", method))
    assert b"Content-Length: 6" in found
    assert b"secret" not in found


def test_a_connection_is_not_given_away():
    def finish(message):
        with pytest.raises(Exception, match=r"\w+ \w+"):
            message.connection.detach()
        message.answer(b"still here")

    assert answers_of(heard(finish, CLOSING))[0].body == b"still here"


@pytest.mark.parametrize("kind", KINDS)
def test_writing_to_a_client_that_is_gone_fails_for_good(kind):
    async def test():
        loop = asyncio.get_running_loop()
        gone = loop.create_future()
        delegate = Messages(
            message(lambda message: message.connection.set_close_callback(lambda: gone.set_result(message)))
        )
        async with running(kind, delegate) as address:
            async with Peer(address) as peer:
                await peer.send(GOOD)
                while not (delegate.all and "finish" in delegate.all[0].events):  # noqa: ASYNC110  # no such event
                    await asyncio.sleep(0)
                peer.reset_at_end()
            connection = (await gone).connection
            for writing in (
                connection.write_headers(OK, HTTPHeaders({"Content-Length": "4"})),
                connection.write(b"abcd"),
            ):
                with pytest.raises(StreamClosedError):
                    await writing
            connection.finish()
        assert delegate.all[0].events == ["headers", "finish"]

    run(test)


def test_parallel_answers_do_not_mix():
    async def test():
        async with running(OURS, Messages(Letters)) as address, asyncio.TaskGroup() as group:
            for letter in "abcdefghij":
                group.create_task(check_letters(address, letter))

    run(test)


class Letters(Message):
    """A message with a long answer in pieces, each a letter of the target, with turns of the loop in between."""

    def finish(self):
        self.task = asyncio.ensure_future(self.stream())

    async def stream(self):
        self.connection.write_headers(OK, HTTPHeaders())
        for _ in range(200):
            await self.connection.write(self.start_line.path[1:].encode() * 5000)
            await asyncio.sleep(0)
        self.connection.finish()


async def check_letters(address, letter):
    target = f"/{letter}".encode()
    async with Peer(address) as peer:
        await peer.send(get(target=target) * 2 + get(b"Connection: close", target=target))
        answers = await peer.answers()
        assert [answer.body == letter.encode() * 1_000_000 for answer in answers] == [True] * 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_delegate_knows_its_client(kind):
    found = []
    heard(lambda message: (found.append(message.connection.context), message.answer(b"")), CLOSING, kind)
    assert (found[0].remote_ip, found[0].protocol) == ("127.0.0.1", "http")


@pytest.mark.parametrize("step", ["headers_received", "data_received", "finish"])
def test_a_mistake_of_the_application_is_no_fault_of_the_client(step):
    LOG.expected_errors = "request failed"

    def fail(self, *_):
        raise RuntimeError("our own mistake")

    async def test():
        delegate = Messages(type("Failing", (Message,), {step: fail}))
        async with running(OURS, delegate) as address:
            answers, kept = await asked(address, post(b"Content-Length: 3", body=b"abc"))
            assert [answer.status for answer in answers] in ([], [500])
            assert not kept
            await delegate.until_ended()

    run(test)
    assert "our own mistake" in LOG.stream.getvalue()


@pytest.mark.parametrize("step", ["headers_received", "data_received"])
def test_what_a_delegate_finds_malformed_is_400(step):
    def refuse(self, *_):
        raise HTTPInputError("not like this")

    async def test():
        async with running(OURS, Messages(type("Refusing", (Message,), {step: refuse}))) as address:
            answers, kept = await asked(address, post(b"Content-Length: 3", body=b"abc"))
            assert ([answer.status for answer in answers], kept) == ([400], False)

    run(test)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_handed_to_a_delegate_that_has_answered(kind):
    class Hasty(Message):
        def headers_received(self, start_line, headers):
            super().headers_received(start_line, headers)
            self.answer(b"early")

    async def test():
        delegate = Messages(Hasty)
        async with running(kind, delegate) as address:
            answers, _ = await asked(address, post(b"Content-Length: 3"), probe=False, end=True)
            assert [answer.body for answer in answers] == [b"early"]
        assert delegate.all[0].events in (["headers"], ["headers", "close"])

    run(test)


@pytest.mark.parametrize("limit", [b"Content-Length: 3", b"Transfer-Encoding: chunked"])
def test_an_early_answer_asks_for_no_body(limit):
    async def test():
        async with running(OURS, Pages()) as address, Peer(address) as peer:
            await peer.send(post(limit, b"Expect: 100-continue").replace(b"/x", b"/early"))
            (answer,) = await peer.first()
            assert (answer.status, answer.before) == (401, [])
            await peer.send(PROBE)
            peer.end()
            assert b"/probe" not in await peer.read()

    run(test)


def test_1_0_is_not_told_to_continue():
    raw = post(b"Content-Length: 3", b"Expect: 100-continue", body=b"abc", version=b"HTTP/1.0")

    async def test():
        async with running(OURS, Pages()) as address:
            (answer,), _ = await asked(address, raw)
            assert (answer.status, answer.before, answer.json["body"]) == (200, [], "abc")

    run(test)
