"""A server that speaks TLS itself and stops: requests under way are answered, others keep nothing open."""

import asyncio
import contextlib
import socket
import ssl

import pytest
import uvloop

from flexiapi.server.entrance import Entrance
from flexiapi.server.http_server import HttpServer
from tests.server.http1.refused import get
from tests.server.http1.sites import Message, Messages


class Awaited(Message):
    """A message that the test answers."""

    def finish(self):
        self.site.arrived.set()


async def nothing():
    """Wait for no request."""


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_request_under_way_is_answered_and_idle_and_silent_clients_hold_nothing_up(authority, loop):
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(authority.certificate_file, authority.key_file)
    theirs = ssl.create_default_context(cafile=authority.ca_file)

    async def test():
        problems, delegate = [], Messages(Awaited)
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))
        delegate.arrived = asyncio.Event()
        listener = socket.create_server(("127.0.0.1", 0))
        server = HttpServer(delegate, entrance=Entrance(tls=own))
        server.add_socket(listener)
        with socket.create_connection(listener.getsockname()):
            idle, idle_writer = await asyncio.open_connection(*listener.getsockname(), ssl=theirs)
            busy, busy_writer = await asyncio.open_connection(*listener.getsockname(), ssl=theirs)
            busy_writer.write(get())
            await delegate.arrived.wait()
            stop = asyncio.create_task(server.finish(nothing, 120))
            assert await idle.read() == b""
            assert not stop.done()
            delegate.all[0].answer(b"hello")
            answer = await busy.read()
            await stop
            for writer in (idle_writer, busy_writer):
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
        assert b"Connection: close" in answer
        assert answer.endswith(b"hello")
        assert problems == []

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.wait_for(test(), 150))
