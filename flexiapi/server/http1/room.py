"""Room for answers that the client has not read yet."""

import asyncio
import math
import select

from tornado.iostream import StreamClosedError

_JOINED_BYTES = 64 * 1024


class WriteRoom:
    """Room in the buffer of a connection. `deadline` is when a client that does not read is given up."""

    __slots__ = ("_freed", "_had_room", "_read", "_written", "deadline")

    def __init__(self) -> None:
        self.deadline = math.inf
        self._written = self._read = 0
        self._had_room = False
        self._freed: asyncio.Future[None] | None = None

    @property
    def is_full(self) -> bool:
        """True if the client has to read before there is room again."""
        return self._freed is not None

    def write(self, transport: asyncio.Transport, data: bytes, more: bytes) -> "asyncio.Future[None] | None":
        """Write bytes. Return the future that is done when there is room, if there is none now."""
        self._written += len(data) + len(more)
        if len(more) > _JOINED_BYTES:
            transport.writelines([data, more])
        else:
            transport.write(data + more if more else data)
        return self._freed

    def is_being_read(self, transport: asyncio.Transport) -> bool:
        """Return whether the client has read since the last time, and not all yet."""
        left = transport.get_write_buffer_size()
        before, self._read = self._read, self._written - left
        return left > 0 and self._read > before

    def is_sent(self, transport: asyncio.Transport) -> bool:
        """Return whether the kernel took more bytes now and when this was asked before: so it has all of them.

        The buffer of a TLS transport tells nothing of the one below it.
        """
        before, self._had_room = self._had_room, _takes_more(transport)
        return before and self._had_room

    def renew(self, deadline: float) -> None:
        """Give a client that reads until then to go on."""
        if self.is_full:
            self.deadline = deadline

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


def _takes_more(transport: asyncio.Transport) -> bool:
    connection = transport.get_extra_info("socket")
    if connection is None:
        return True
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLOUT)
    return bool(watched.poll(0))
