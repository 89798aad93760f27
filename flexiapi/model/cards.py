"""vCards that apps store with an account."""

from dataclasses import dataclass, field
from datetime import datetime

MOST_CARDS = 5000
"""Cards that an account has at most."""

MOST_CARD_BYTES = 64 * 1024
"""Size of a card at most, in bytes of UTF-8."""

MOST_BYTES_OF_CARDS = 32 * 1024 * 1024
"""Size of all cards of an account at most, for a list of them is one answer."""


@dataclass(frozen=True, slots=True)
class Card:
    """A vCard with lines that are not folded and end with a line feed; `name` is its FN, cut to 255 characters."""

    uid: str
    name: str
    text: str = field(repr=False)

    @property
    def size(self) -> int:
        """Size of the text, in bytes of UTF-8."""
        return len(self.text.encode())


@dataclass(frozen=True, slots=True)
class StoredCard:
    """A card of an account, with its times."""

    card: Card
    created_at: datetime
    updated_at: datetime
