"""The current time, from one object so that tests can move it."""

from datetime import UTC, datetime, timedelta


class Clock:
    """The server's time in UTC; `offset` shifts it."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        """Return the current time, to the microsecond."""
        return datetime.now(UTC) + self.offset

    def second(self) -> datetime:
        """Return the current time, to the second, as times of accounts are stored."""
        return self.now().replace(microsecond=0)
