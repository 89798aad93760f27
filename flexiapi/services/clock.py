"""What time it is, asked of one object so that tests can go on in time."""

from datetime import UTC, datetime, timedelta


class Clock:
    """The server's time in UTC; `offset` shifts it."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        """Now, to the microsecond."""
        return datetime.now(UTC) + self.offset

    def second(self) -> datetime:
        """Now, to the second, which is what is stored of accounts."""
        return self.now().replace(microsecond=0)
