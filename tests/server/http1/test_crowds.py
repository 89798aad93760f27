"""Many connections that wait and some that dawdle, while others are served."""

import asyncio
import contextlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.http1.refused import GOOD
from tests.server.http1.sites import OURS, Pages, run, running
from tests.server.http1.wire import Peer, asked

ROOT = Path(__file__).parents[3]
PAGE = os.sysconf("SC_PAGE_SIZE")


async def idle(address, stack):
    """Open a connection that has had one answer and sends no more."""
    peer = await stack.enter_async_context(Peer(address))
    await peer.send(GOOD)
    await peer.read(until=b"}")
    peer.heard.clear()
    return peer


async def dawdle(address):
    """Send the head of a request without end, one byte now and then, on one connection after the other."""
    while True:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            async with Peer(address) as peer:
                await peer.send(GOOD[:-2] + b"X-Field: ")
                while True:
                    await peer.send(b"a")
                    await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def crowd(address, idle_ones, dawdlers):
    """So many idle connections and so many that dawdle."""
    async with contextlib.AsyncExitStack() as stack:
        for begun in range(0, idle_ones, 50):
            await asyncio.gather(*(idle(address, stack) for _ in range(min(50, idle_ones - begun))))
        dawdling = [asyncio.create_task(dawdle(address)) for _ in range(dawdlers)]
        await asyncio.sleep(0)
        yield
        for task in dawdling:
            task.cancel()
        await asyncio.gather(*dawdling, return_exceptions=True)


async def serves(address, count):
    """Fail unless the server answers so many connections, one after the other."""
    for _ in range(count):
        answers, kept = await asked(address, GOOD)
        assert [answer.json["uri"] for answer in answers] == ["/next"]
        assert kept


def test_a_client_is_served_among_idle_and_slow_ones():
    async def test():
        async with running(OURS, Pages()) as address, crowd(address, 200, 20):
            await serves(address, 50)

    run(test)


@contextlib.contextmanager
def server_process():
    """The address of a server in a process of its own, and a function that returns its memory in bytes."""
    program = [sys.executable, "-m", "tests.server.http1.crowd_server"]
    with subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline())
        statm = Path(f"/proc/{process.pid}/statm")
        yield ("127.0.0.1", port), lambda: int(statm.read_text().split()[1]) * PAGE
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.fixture
def many_descriptors():
    """As many descriptors as the machine lets a process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
@pytest.mark.usefixtures("many_descriptors")
def test_ten_thousand_idle_and_five_hundred_slow_clients_leave_room_for_others(record_property):
    async def test(address, memory):
        await serves(address, 200)
        before = memory()
        async with crowd(address, 10_000, 0):
            each = (memory() - before) // 10_000
            async with crowd(address, 0, 500):
                await serves(address, 500)
        return each

    with server_process() as (address, memory):
        each = run(test, address, memory)
    record_property("figure", ("bytes of memory for an idle connection", each, 16_000, 12_000))
    assert each < 16_000
