"""Clients that would fill the memory of the server, and leave."""

import gc
import tracemalloc

import pytest

from tests.server.http1.refused import get
from tests.server.http1.sites import MIB, OURS, Message, Messages, Pages, run, running
from tests.server.http1.wire import Peer, asked

COUNT = 300
LONG = b"x" * 15_000


class Forgetful(Messages):
    """A delegate that keeps no message."""

    def start_request(self, server_conn, request_conn):
        return self.kind(request_conn, self)


@pytest.mark.security
def test_names_of_headers_that_clients_invent_are_not_kept():
    async def test():
        async with running(OURS, Forgetful(Message)) as address:

            async def ask(name):
                async with Peer(address) as peer:
                    await peer.send(get(name + b"-" + LONG + b": 1", b"Connection: close"))
                    assert b" 200 " in await peer.read()

            await ask(b"first")
            gc.collect()
            tracemalloc.start()
            try:
                for number in range(COUNT):
                    await ask(b"%d" % number)
                gc.collect()
                assert tracemalloc.get_traced_memory()[0] < MIB
            finally:
                tracemalloc.stop()

    run(test)


@pytest.mark.security
@pytest.mark.parametrize("target", [b"/", b"http://" + b"x" * 1001 + b"/"])
def test_a_host_that_is_too_long_to_be_kept_is_refused(target):
    async def test():
        host = b"Host: " + b"x" * (1000 if target != b"/" else 1001)
        async with running(OURS, Pages()) as address:
            answers, kept = await asked(address, get(target=target, host=host))
            assert ([answer.status for answer in answers], kept) == ([400], False)
            answers, kept = await asked(address, get(host=b"Host: " + b"x" * 1000))
            assert ([answer.status for answer in answers], kept) == ([200], True)

    run(test)
