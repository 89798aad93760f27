"""Notification backends as operators see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class BackendState:
    """A configured backend, as it is in this process.

    Attributes:
        table: its settings table, such as `sms.main`.
        transport: `push`, `sms` or `mail`.
        name: of the installed backend that it is.
        is_resting: it failed repeatedly, and messages are turned away for a while.
        waiting: messages that wait for their turn.
        under_way: messages that it sends now.
        sent_at: when it last sent one.
        failed_at: when it last could not send one.
        reason: why it could not.
        fault: why it could not send now, as its check says; empty if it could, `None` when it was not checked.
        credit: what is left at its provider, in the provider's unit, as far as its check says.
    """

    table: str
    transport: str
    name: str
    is_resting: bool = False
    waiting: int = 0
    under_way: int = 0
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    reason: str = ""
    fault: str | None = None
    credit: float | None = None

    @property
    def failed_last(self) -> bool:
        """True if the last message was not sent."""
        return self.failed_at is not None and (self.sent_at is None or self.sent_at < self.failed_at)


@dataclass(frozen=True, slots=True)
class KnownBackend:
    """An installed backend, its distribution with version, and the settings tables that name it."""

    transport: str
    name: str
    distribution: str
    tables: Sequence[str]
