"""vCards that apps store with an account, such as the address book of a person."""

from collections.abc import Sequence

from flexiapi.errors import ApiError, RecordNotFound, ValidationFailed
from flexiapi.model import MOST_CARDS, Account, Card, StoredCard
from flexiapi.services.contacts.card_text import card_of
from flexiapi.services.ground import Ground

_TRIES = 20


class CardTaken(ApiError):
    """The account has a card with this UID."""

    status = 409
    message = "Vcard already exists"


class CardsFull(ValidationFailed):
    """The account has as many cards, or as large ones, as it may have."""

    def __init__(self) -> None:
        super().__init__(
            {"vcard": [f"There is no room: an account has at most {MOST_CARDS} vCards, of 32 MB together."]}
        )


class Cards:
    """Cards of accounts. What is written takes effect at once, the later write of one card wins."""

    def __init__(self, ground: Ground) -> None:
        self._cards = ground.store.cards
        self._clock = ground.clock

    async def of(self, account: Account) -> Sequence[StoredCard]:
        """Return the cards of an account, by UID."""
        return await self._cards.of(account.id)

    async def names(self, account: Account) -> list[str]:
        """Return the names on the cards of an account, in alphabetical order."""
        return sorted(await self._cards.names(account.id), key=str.casefold)

    async def one_of(self, account: Account, uid: str) -> StoredCard:
        """Return the card with the UID. Raises `RecordNotFound`."""
        card = await self._cards.by_uid(account.id, uid)
        if card is None:
            raise RecordNotFound
        return card

    async def add(self, account: Account, text: str) -> StoredCard:
        """Store a new card.

        Raises `ValidationFailed` on `vcard`, `CardTaken`, `CardsFull`, and `RecordNotFound` if the account is gone.
        """
        card, now = card_of(text), self._clock.second()
        if await self._cards.by_uid(account.id, card.uid) is not None:
            raise CardTaken
        if not await self._cards.reserve(account.id, 1, card.size, now):
            raise CardsFull
        added = await self._cards.add(account.id, card, now)
        if added is None:
            await self._cards.give_back(account.id, 1, card.size)
            raise CardTaken
        # A removal deletes the account first, then its cards: what comes after that would stay.
        if not await self._cards.is_owned(account.id):
            raise RecordNotFound
        return added

    async def replace(self, account: Account, uid: str, text: str) -> StoredCard:
        """Replace the card with the UID, which the new one must have too.

        Raises `RecordNotFound`, `ValidationFailed` on `vcard`, `CardsFull`.
        """
        await self.one_of(account, uid)
        card = card_of(text)
        if card.uid != uid:
            raise ValidationFailed({"vcard": ["UUID should be the same"]})
        for _ in range(_TRIES):
            replaced = await self._replaced(account, card)
            if replaced is not None:
                return replaced
        raise RecordNotFound

    async def _replaced(self, account: Account, card: Card) -> StoredCard | None:
        """Replace a card once, unless its size changes meanwhile. Raises `RecordNotFound`, `CardsFull`."""
        before = await self.one_of(account, card.uid)
        now, growth = self._clock.second(), card.size - before.card.size
        if growth > 0 and not await self._cards.reserve(account.id, 0, growth, now):
            raise CardsFull
        replaced = await self._cards.replace(account.id, card, before, now)
        if (replaced is None) == (growth > 0):
            await self._cards.give_back(account.id, 0, abs(growth))
        return replaced

    async def remove(self, account: Account, uid: str) -> None:
        """Remove the card with the UID. Raises `RecordNotFound`."""
        removed = await self._cards.remove(account.id, uid)
        if removed is None:
            raise RecordNotFound
        await self._cards.give_back(account.id, 1, removed.card.size)
