"""Connections of a client in several small pools."""

import ssl
from collections.abc import AsyncIterator, Callable

import httpx

_MOST_IN_A_POOL = 10


class Pools(httpx.AsyncBaseTransport):
    """A transport with a connection for each of so many requests under way, all of which it keeps.

    For every request, a pool of httpcore's compares all its connections with all others: with a hundred of them that
    stops the event loop for milliseconds, longer than new connections would. So there are many pools, and the one with
    the most room takes a request. None has to queue it while no more than so many are under way.
    """

    def __init__(self, connections: int, context: ssl.SSLContext) -> None:
        count = -(-connections // _MOST_IN_A_POOL)
        sizes = [connections // count + (number < connections % count) for number in range(count)]
        self._room = {_pool(size, context): size for size in sizes}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request by the pool that has the most room."""
        pool = max(self._room, key=self._room.__getitem__)
        self._room[pool] -= 1

        def leave() -> None:
            self._room[pool] += 1

        try:
            response = await pool.handle_async_request(request)
        except BaseException:
            leave()
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _Watched(response.stream, leave)
        return response

    async def aclose(self) -> None:
        """Close all connections."""
        for pool in self._room:
            await pool.aclose()


def _pool(size: int, context: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
    limits = httpx.Limits(max_connections=size, max_keepalive_connections=size)
    return httpx.AsyncHTTPTransport(verify=context, limits=limits)


class _Watched(httpx.AsyncByteStream):
    """The body of an answer, with a call at its end."""

    def __init__(self, stream: httpx.AsyncByteStream, at_end: Callable[[], None]) -> None:
        self._stream = stream
        self._at_end: Callable[[], None] | None = at_end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        """Close it, and make the call, once."""
        try:
            await self._stream.aclose()
        finally:
            at_end, self._at_end = self._at_end, None
            if at_end is not None:
                at_end()
