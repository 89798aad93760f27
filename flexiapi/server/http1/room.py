"""Room for answers that the client has not read yet."""

import asyncio
import math

from tornado.iostream import StreamClosedError


class WriteRoom:
    """Room in the buffer of a connection. `deadline` is when a client that does not read is given up."""

    __slots__ = ("_freed", "deadline")

    def __init__(self) -> None:
        self.deadline = math.inf
        self._freed: asyncio.Future[None] | None = None

    def fill(self, deadline: float) -> None:
        """Note that the buffer is full."""
        self._freed = asyncio.get_running_loop().create_future()
        self.deadline = deadline

    def free(self) -> None:
        """Note that the client has read."""
        self.deadline = math.inf
        freed, self._freed = self._freed, None
        if freed is not None and not freed.done():
            freed.set_result(None)

    def lose(self) -> None:
        """Note that the connection is gone: those who wait for room get `StreamClosedError`."""
        self.deadline = math.inf
        freed, self._freed = self._freed, None
        if freed is not None and not freed.done():
            freed.set_exception(StreamClosedError())
            # The exception is for those who wait; others need not hear of it.
            freed.exception()

    def freed(self, at_once: "asyncio.Future[None]") -> "asyncio.Future[None]":
        """Return the future that is done when there is room: `at_once` if there is some."""
        return self._freed or at_once
