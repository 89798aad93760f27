"""One endpoint that fails says nothing about its host: callers of the API choose endpoints."""

import asyncio
import contextlib
import gc

import httpx
import pytest

import flexiapi_push_unified
from flexiapi.plugin import PushMessage, Receipt, RecipientDeferred, Retryable
from flexiapi.testing import RESET, SILENCE, reply, run_backend
from flexiapi.testing.profiles import Ntfy
from flexiapi_push_unified import UnifiedPush
from flexiapi_push_unified.answers import beginning


@pytest.fixture
def patience(monkeypatch):
    """A busy machine takes longer to say that it lives than the host of a push server."""
    monkeypatch.setattr(flexiapi_push_unified, "_SIGN_OF_LIFE_SECONDS", 60)


@pytest.fixture
def server():
    with Ntfy() as gateway:
        yield gateway


def message(endpoint):
    return PushMessage("unifiedpush", "org.example.phone", endpoint, {"token": "471100"})


def backend_for(*gateways, **settings):
    options = {"hosts": [f"127.0.0.1:{gateway.port}" for gateway in gateways], "allow_http": True, **settings}
    return UnifiedPush(UnifiedPush.Config.model_validate(options))


def outcome(gateway, path="/upf3aSx0?up=1", **settings):
    """Return what a message becomes: a receipt, or the failure."""

    async def sent(backend):
        try:
            return await backend.send(message(gateway.url + path))
        except Retryable as error:
            return error

    return run_backend(backend_for(gateway, **settings), sent)


def test_dead_and_full_topics_of_ntfy_are_deferred(server):
    server.dead, server.limit = {"upDead"}, 1
    dead = outcome(server, "/upDead?up=1")
    assert (type(dead), dead.retry_after) == (RecipientDeferred, None)
    assert isinstance(outcome(server, "/upFull?up=1"), Receipt)
    full = outcome(server, "/upFull?up=1")
    assert (type(full), full.retry_after) == (RecipientDeferred, 60)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.usefixtures("patience")
def test_an_endpoint_that_fails_on_a_host_that_lives_is_deferred(server, status):
    server.answer(reply(status), path="/upf3aSx0")
    error = outcome(server)
    assert (type(error), error.retry_after) == (RecipientDeferred, 1)
    server.answer(reply(status, headers={"retry-after": "7"}), path="/upf3aSx0")
    assert outcome(server).retry_after == 7


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.usefixtures("patience")
def test_a_front_server_without_its_push_server_is_the_provider_down(server, status):
    server.answer(reply(status))
    error = outcome(server)
    assert type(error) is Retryable
    assert f"answers {status}" in error.reason


@pytest.mark.usefixtures("patience")
def test_a_silent_endpoint_on_a_host_that_lives_is_deferred(server):
    server.answer(SILENCE, path="/upf3aSx0")
    error = outcome(server, answer_seconds=0.1)
    assert (type(error), error.retry_after) == (RecipientDeferred, None)
    assert "answers, but not for this endpoint" in error.reason


@pytest.mark.usefixtures("patience")
def test_an_endpoint_that_answers_drop_by_drop_is_as_silent_as_another():
    tasks = []

    async def trickle(reader, writer):
        # The root says that the host lives; the answer of the endpoint goes on for ever.
        tasks.append(asyncio.current_task())
        is_endpoint = (await reader.readuntil(b"\r\n\r\n")).startswith(b"POST")
        writer.write(b"HTTP/1.1 200 OK\r\n" + (b"" if is_endpoint else b"Content-Length: 0\r\n\r\n"))
        with contextlib.suppress(ConnectionError):
            while is_endpoint:
                writer.write(b"X: y\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    async def whole():
        listener = await asyncio.start_server(trickle, "127.0.0.1", 0)
        host = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        options = {"hosts": [host], "allow_http": True, "answer_seconds": 0.1}
        backend = UnifiedPush(UnifiedPush.Config.model_validate(options))
        await backend.start()
        try:
            async with asyncio.timeout(60):
                await backend.send(message(f"http://{host}/upf3aSx0?up=1"))
        finally:
            await backend.close()
            listener.close()
            await asyncio.wait(tasks)

    with pytest.raises(RecipientDeferred):
        asyncio.run(whole())


def test_an_answer_that_does_not_end_is_read_no_further(server):
    server.answer(reply(200, body=b"x" * 5_000_000), path="/upf3aSx0")
    assert outcome(server, answer_seconds=60) == Receipt()

    async def length():
        async with httpx.AsyncClient() as client, client.stream("POST", f"{server.url}/upf3aSx0") as answer:
            return len(await beginning(answer, 60))

    assert asyncio.run(length()) < 1_000_000
    # A connection that was left open is reported now, as an error.
    gc.collect()


@pytest.mark.parametrize("answer", [SILENCE, RESET])
def test_a_host_that_answers_for_nothing_is_the_provider_down(server, answer):
    server.answer(answer)
    assert type(outcome(server, answer_seconds=0.1)) is Retryable


def test_a_host_that_stalls_is_the_provider_down(server):
    server.stall(3600)
    assert type(outcome(server, answer_seconds=0.1)) is Retryable
    assert not server.delivered


def test_a_host_that_has_answered_others_meanwhile_is_not_asked(server):
    server.answer(SILENCE, path="/silent")

    async def both(backend):
        silent = asyncio.create_task(backend.send(message(f"{server.url}/silent?up=1")))
        while not server.requests:  # noqa: ASYNC110 - they come in on the loop of another thread
            await asyncio.sleep(0.01)
        await backend.send(message(f"{server.url}/upf3aSx0?up=1"))
        asyncio.run_coroutine_threadsafe(server.hang_up(), server._loop).result()
        with pytest.raises(RecipientDeferred):
            await silent

    run_backend(backend_for(server, answer_seconds=60), both)
    assert [request.path for request in server.requests] == ["/silent", "/upf3aSx0"]


def test_hosts_have_lanes_of_their_own(server):
    with Ntfy() as other:
        backend = backend_for(server, other)
        endpoints = (f"{server.url}/up", f"{server.url}/up2?up=1", f"{other.url}/up", "https://elsewhere/up", "x")
        lanes = [backend.lane(message(endpoint)) for endpoint in endpoints]
        hosts = [f"127.0.0.1:{gateway.port}" for gateway in (server, other)]
    assert lanes == [hosts[0], hosts[0], hosts[1], "", ""]
