"""Base of the gateways: a server on localhost in a thread of its own, so that a backend that blocks fails its tests."""

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Generic, Self, TypeVar

from flexiapi.testing.replies import Reply

R = TypeVar("R")

HOST = "127.0.0.1"
OTHER_HOST = "elsewhere.example.org"

_TURNS_TO_LET_IN = 5
_STALL_STEP_SECONDS = 0.02


class LocalServer(ABC, Generic[R]):
    """A server that answers as the test says and records its requests.

    It is a context manager; `stop` and `start` simulate an outage. To test a backend over a protocol that the kit has
    no gateway for, derive a class from this one, and call `received_one` for each request to learn the answer.
    """

    def __init__(self, default: Reply) -> None:
        self._default = default
        self.requests: list[R] = []
        self.sends: list[R] = []
        """The `requests` to paths without an answer of their own."""
        self.connections = 0
        self.port = 0
        self._stalled_until = 0.0
        self._answers: dict[str | None, deque[Reply | Callable[[R], Reply]]] = {None: deque([default])}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None

    @property
    def default(self) -> Reply:
        """The answer to requests that the test says nothing about."""
        return self._default

    @default.setter
    def default(self, answer: Reply) -> None:
        if self._answers[None] == deque([self._default]):
            self.answer(answer)
        self._default = answer

    def pose_as_impostor(self, *, is_trusted: bool) -> bool:  # noqa: ARG002 - for classes that speak TLS
        """Have a certificate that no client accepts: of an unknown authority, or a trusted one's for another host.

        Return False if that cannot be, because the server does not speak TLS. Call it before the start.
        """
        return False

    def answer(self, *answers: Reply | Callable[[R], Reply], path: str | None = None) -> None:
        """Give these answers, in turn and the last one for ever; with `path`, to requests of that path only."""
        self._answers[path] = deque(answers)

    def received_one(self, request: R, path: str | None = None) -> Reply:
        """Record a request and return its answer."""
        self.requests.append(request)
        if path not in self._answers:
            path = None
        if path is None:
            self.sends.append(request)
        answers = self._answers[path]
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        return answer if isinstance(answer, Reply) else answer(request)

    def stall(self, seconds: float) -> None:
        """Be silent for so many seconds from now: requests wait, and those whose connection ends meanwhile are lost.

        With 0 the silence ends at once.
        """
        self._stalled_until = time.monotonic() + seconds

    async def stall_over(self, reader: asyncio.StreamReader | None = None) -> None:
        """Wait for the end of a stall, or of the reader's connection; a gateway calls it before it takes a request."""
        left = reader.at_eof if reader else bool
        while time.monotonic() < self._stalled_until and not left():  # noqa: ASYNC110 - set in another thread
            await asyncio.sleep(_STALL_STEP_SECONDS)

    async def received(self, count: int = 1) -> None:
        """Wait for this many requests to paths without an answer of their own."""
        while len(self.sends) < count:  # noqa: ASYNC110 - requests come in on the loop of another thread
            await asyncio.sleep(0.005)

    @abstractmethod
    async def listen(self) -> asyncio.Server:
        """Listen on `HOST` and `self.port`."""

    @abstractmethod
    async def hang_up(self) -> None:
        """End all connections."""

    def start(self) -> None:
        """Start to serve, on the port of the last time if there was one."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=type(self).__name__, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(60)

    async def _open(self) -> None:
        self._server = await self.listen()
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Stop serving and end the connections."""
        if self._loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()
        self._loop = self._thread = None

    async def _shut(self) -> None:
        if self._server is not None:
            await _let_in(self._server)
            self._server.close()
        await self.hang_up()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        # Transports close on the loop iterations after they were aborted.
        await asyncio.sleep(0.01)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


async def _let_in(server: asyncio.Server) -> None:
    """Stop accepting, but accept pending connections first: asyncio would not close their sockets."""
    for listener in server.sockets:
        asyncio.get_running_loop().remove_reader(listener.fileno())
    for _ in range(_TURNS_TO_LET_IN):
        await asyncio.sleep(0)
