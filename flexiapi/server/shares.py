"""The shares of several processes in the connections of one socket, counted in memory that all of them see."""

import mmap
import os

_BYTES = 4
# Without it, two processes would take single connections by turns.
_SLACK = 2
_PROCESSES_AT_ONCE = 4
"""Processes that may live at a time for each one that serves: after a reload, former ones end their requests."""


def shares_table(processes: int) -> int:
    """Return a file descriptor of an empty table, to pass to the server processes."""
    descriptor = os.memfd_create("flexiapi-shares", 0)
    os.ftruncate(descriptor, processes * _PROCESSES_AT_ONCE * _BYTES)
    os.set_inheritable(descriptor, True)
    return descriptor


class ConnectionShares:
    """The connections of one process, in its slot of the table, beside those of the others.

    A slot has one more than the number of connections, and 0 if its process does not accept now.
    """

    def __init__(self, descriptor: int, slot: int) -> None:
        self._counts = memoryview(mmap.mmap(descriptor, 0)).cast("I")
        self._slot = min(slot, len(self._counts) - 1)

    def note(self, connections: int | None) -> None:
        """Tell the others the number of connections; `None` while the process does not accept."""
        self._counts[self._slot] = 0 if connections is None else max(connections, 0) + 1

    def least(self) -> int | None:
        """Return the number of connections of the process that has fewest; `None` if no other accepts."""
        others = [count for slot, count in enumerate(self._counts) if count and slot != self._slot]
        return min(others) - 1 if others else None

    def is_ahead(self) -> bool:
        """Return whether another process that accepts has fewer connections, by more than may be passed over."""
        own = self._counts[self._slot] - _SLACK
        return any(0 < count < own for count in self._counts)


def free_slot(used: set[int]) -> int:
    """Return the first slot that no process has."""
    return next(slot for slot in range(len(used) + 1) if slot not in used)
