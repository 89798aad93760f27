"""Warnings that a flood of connections must not make a flood of lines."""

import time

from flexiapi.observing import log

_TOLD_SECONDS = 60.0


class RareWarning:
    """A log line that is written at most once a minute, with the number of those that were not."""

    def __init__(self, event: str) -> None:
        self._event = event
        self._tell_at = 0.0
        self._untold = 0

    def write(self, **details: object) -> None:
        """Write the line, unless it was written within the last minute."""
        now = time.monotonic()
        if now < self._tell_at:
            self._untold += 1
            return
        more = {"more": self._untold} if self._untold else {}
        self._tell_at, self._untold = now + _TOLD_SECONDS, 0
        log.warning(self._event, **details, **more)
