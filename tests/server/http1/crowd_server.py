"""A server in a process of its own, whose memory is measured. It writes its port, and ends with its standard input."""

import asyncio
import os
import resource
import sys

import uvloop

from tests.server.http1.sites import OURS, Pages, running


async def serve():
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    async with running(OURS, Pages()) as address:
        print(address[1], flush=True)  # noqa: T201
        await loop.run_in_executor(None, os.read, sys.stdin.fileno(), 1)


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
