"""The general limit per IP address, counted in memory that all server processes share.

The table is cheap and approximate: addresses that find no free slot in a window are counted in one that is taken, and
two processes that count at the same time may lose a count. The limits that protect secrets are exact and kept in the
store.
"""

import mmap
import os
import struct
import time
from hashlib import blake2b

_SLOT = struct.Struct("<QII")
_SLOTS = 1 << 16
_SALT_BYTES = 16
_SIZE = _SALT_BYTES + _SLOT.size * _SLOTS
_PROBES = 4
WINDOW_SECONDS = 60


def shared_table() -> int:
    """Return a file descriptor of an empty table, to pass to the server processes.

    It begins with a random salt: clients cannot compute which addresses share a slot.
    """
    descriptor = os.memfd_create("flexiapi-throttle", 0)
    os.ftruncate(descriptor, _SIZE)
    os.pwrite(descriptor, os.urandom(_SALT_BYTES), 0)
    os.set_inheritable(descriptor, True)
    return descriptor


class Throttle:
    """Counter of requests per address in fixed windows of one minute; with `limit` 0 it counts nothing."""

    def __init__(self, limit: int, descriptor: int | None = None) -> None:
        self.limit = limit
        self._table = mmap.mmap(-1, _SIZE) if descriptor is None else mmap.mmap(descriptor, _SIZE)
        if descriptor is None:
            self._table[:_SALT_BYTES] = os.urandom(_SALT_BYTES)
        self._salt = self._table[:_SALT_BYTES]
        self._places: dict[str, tuple[int, int]] = {}

    def count(self, address: str) -> tuple[int, int]:
        """Count a request. Return the number left (negative: refuse it), and the seconds until the window ends."""
        window, passed = divmod(int(time.time()), WINDOW_SECONDS)
        count = self._change(address, window, 1)
        return self.limit - count, WINDOW_SECONDS - passed

    def give_back(self, address: str) -> None:
        """Take back the count of a request that is not to count after all."""
        self._change(address, int(time.time()) // WINDOW_SECONDS, -1)

    def _change(self, address: str, window: int, by: int) -> int:
        """Change the count of an address in a window, and return it."""
        window &= 0xFFFFFFFF
        slot, mark = self._place(address)
        for probe in range(_PROBES):
            offset = _SALT_BYTES + (slot + probe) % _SLOTS * _SLOT.size
            seen, in_window, count = _SLOT.unpack_from(self._table, offset)
            if in_window != window:
                seen, count = mark, 0
            if seen == mark:
                break
        # A slot keeps its owner within its window, or two addresses could reset each other's count by turns.
        changed: int = max(0, count + by)
        _SLOT.pack_into(self._table, offset, seen, window, changed)
        return changed

    def _place(self, address: str) -> tuple[int, int]:
        place = self._places.get(address)
        if place is None:
            if len(self._places) > _SLOTS:
                self._places.clear()
            value = int.from_bytes(blake2b(address.encode(), digest_size=8, key=self._salt).digest(), "little")
            place = self._places[address] = (value % _SLOTS, value)
        return place

    def close(self) -> None:
        """Unmap the table."""
        self._table.close()
