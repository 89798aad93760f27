"""The general limit per IP address, counted in memory that all server processes share.

The table is cheap and approximate: two addresses may share a slot, which the later one then takes over, and two
processes that count at the same time may lose a count. The limits that protect secrets are exact and kept in the
store.
"""

import mmap
import os
import struct
import time
from hashlib import blake2b

_SLOT = struct.Struct("<QII")
_SLOTS = 1 << 16
WINDOW_SECONDS = 60


def shared_table() -> int:
    """Return a file descriptor of an empty table, to pass to the server processes."""
    descriptor = os.memfd_create("flexiapi-throttle", 0)
    os.ftruncate(descriptor, _SLOT.size * _SLOTS)
    os.set_inheritable(descriptor, True)
    return descriptor


class Throttle:
    """Counter of requests per address in fixed windows of one minute; with `limit` 0 it counts nothing."""

    def __init__(self, limit: int, descriptor: int | None = None) -> None:
        self.limit = limit
        size = _SLOT.size * _SLOTS
        self._table = mmap.mmap(-1, size) if descriptor is None else mmap.mmap(descriptor, size)
        self._salt = os.urandom(8) if descriptor is None else b"flexiapi"
        self._places: dict[str, tuple[int, int]] = {}

    def count(self, address: str) -> tuple[int, int]:
        """Count a request. Return the number left (negative: refuse it), and the seconds until the window ends."""
        now = int(time.time())
        window, passed = divmod(now, WINDOW_SECONDS)
        offset, mark = self._place(address)
        seen, in_window, count = _SLOT.unpack_from(self._table, offset)
        count = count + 1 if seen == mark and in_window == window & 0xFFFFFFFF else 1
        _SLOT.pack_into(self._table, offset, mark, window & 0xFFFFFFFF, count)
        return self.limit - count, WINDOW_SECONDS - passed

    def _place(self, address: str) -> tuple[int, int]:
        place = self._places.get(address)
        if place is None:
            if len(self._places) > _SLOTS:
                self._places.clear()
            value = int.from_bytes(blake2b(address.encode(), digest_size=8, key=self._salt).digest(), "little")
            place = self._places[address] = (value % _SLOTS * _SLOT.size, value)
        return place

    def close(self) -> None:
        """Unmap the table."""
        self._table.close()
