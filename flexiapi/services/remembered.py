"""Entries that a process remembers until they end, as many as it can hold."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from time import monotonic
from typing import TypeVar

_PRUNED_EVERY = 1.0  # seconds
_LOOKED_AT = 8

Entry = TypeVar("Entry")


class Remembered(OrderedDict[tuple[str, str], Entry]):
    """Entries by name and subject. Above the most that it holds, the oldest one makes room for a new one.

    A flood of subjects so costs each of them the same: the whole is passed through once a second at most.
    """

    def __init__(
        self, most: int, ends_at: Callable[[Entry], datetime], is_in_use: Callable[[Entry], bool] = lambda _entry: False
    ) -> None:
        super().__init__()
        self._most = most
        self._ends_at = ends_at
        self._is_in_use = is_in_use
        self._pruned_at = -_PRUNED_EVERY

    def add(self, key: tuple[str, str], entry: Entry, now: datetime) -> None:
        """Remember an entry, in place of one that has ended, or else of the oldest that is not in use, if it is full.

        What is in use stays in any case.
        """
        if len(self) >= self._most and key not in self:
            self._make_room(now)
        self[key] = entry

    def _make_room(self, now: datetime) -> None:
        moment = monotonic()
        if moment - self._pruned_at >= _PRUNED_EVERY:
            self._pruned_at = moment
            self._prune(now)
        for _ in range(_LOOKED_AT):
            if len(self) < self._most:
                return
            oldest = next(iter(self))
            if self._is_in_use(self[oldest]):
                self.move_to_end(oldest)
            else:
                del self[oldest]

    def _prune(self, now: datetime) -> None:
        """Forget what has ended and is not in use."""
        ended = [key for key, each in self.items() if self._ends_at(each) <= now and not self._is_in_use(each)]
        for key in ended:
            del self[key]
