"""vCards that apps store with an account, and the room that they take.

Room is reserved before a card is written, and given back when it is not, and after a removal. A crash in between leaves
room reserved for nothing: who finds too little room has it counted anew, once no write can be under way any more.
"""

from datetime import datetime, timedelta
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from flexiapi.model import MOST_BYTES_OF_CARDS, MOST_CARDS, Card, StoredCard
from flexiapi.store import driver
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database

Document = dict[str, Any]

_SETTLED = timedelta(minutes=2)


class CardStore(Records):
    """The cards. The UID of a card is unique among those of its account."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._cards = database["cards"]
        self._rooms = database["card_rooms"]
        self._accounts = database["accounts"]

    async def of(self, account_id: int) -> list[StoredCard]:
        """Return the cards of an account, by UID."""
        found = await self._cards.find({"account_id": account_id}).sort("_id").to_list(None)
        return [_decoded(document) for document in found]

    async def names(self, account_id: int) -> list[str]:
        """Return the names on the cards of an account."""
        found = await self._cards.find({"account_id": account_id}, {"name": 1}).to_list(None)
        return [document["name"] for document in found]

    async def by_uid(self, account_id: int, uid: str) -> StoredCard | None:
        """Return the card of an account with the UID."""
        document = await self._cards.find_one({"_id": _key(account_id, uid)})
        return None if document is None else _decoded(document)

    async def add(self, account_id: int, card: Card, now: datetime) -> StoredCard | None:
        """Add a card, for which there is room. Return `None` if the account has one with its UID."""
        document = {"_id": _key(account_id, card.uid), "account_id": account_id, "created_at": now}
        document |= _encoded(card, now)
        try:
            await self._cards.insert_one(document)
        except DuplicateKeyError:
            return None
        return _decoded(document)

    async def replace(self, account_id: int, card: Card, before: StoredCard, now: datetime) -> StoredCard | None:
        """Replace a card that has the size of `before`. Return `None` if it has not, or is gone."""
        query = {"_id": _key(account_id, card.uid), "bytes": before.card.size}
        document = await self._cards.find_one_and_update(
            query, {"$set": _encoded(card, now)}, return_document=ReturnDocument.AFTER
        )
        return None if document is None else _decoded(document)

    async def remove(self, account_id: int, uid: str) -> StoredCard | None:
        """Remove the card with the UID, and return it as it was."""
        document = await self._cards.find_one_and_delete({"_id": _key(account_id, uid)})
        return None if document is None else _decoded(document)

    async def reserve(self, account_id: int, cards: int, size: int, now: datetime) -> bool:
        """Reserve room for more cards and bytes. Return False if there is not enough."""
        if await self._is_reserved(account_id, cards, size, now):
            return True
        await self._count_anew(account_id, now)
        return await self._is_reserved(account_id, cards, size, now)

    async def _is_reserved(self, account_id: int, cards: int, size: int, now: datetime) -> bool:
        query = {
            "_id": account_id,
            "cards": {"$lte": MOST_CARDS - cards},
            "bytes": {"$lte": MOST_BYTES_OF_CARDS - size},
        }
        try:
            await self._rooms.update_one(
                query, {"$inc": {"cards": cards, "bytes": size}, "$set": {"at": now}}, upsert=True
            )
        except DuplicateKeyError:
            # The record is there and has too little room, or was made at this moment.
            return False
        return True

    async def _count_anew(self, account_id: int, now: datetime) -> None:
        counted = await self._rooms.find_one({"_id": account_id, "at": {"$lt": now - _SETTLED}})
        if counted is None:
            return
        sums = {"_id": None, "cards": {"$sum": 1}, "bytes": {"$sum": "$bytes"}}
        found = await driver.aggregated(self._cards, [{"$match": {"account_id": account_id}}, {"$group": sums}])
        true = {name: found[0][name] if found else 0 for name in ("cards", "bytes")}
        await self._rooms.update_one(counted, {"$set": true})

    async def give_back(self, account_id: int, cards: int, size: int) -> None:
        """Give room back that is not used, or no longer."""
        await self._rooms.update_one({"_id": account_id}, {"$inc": {"cards": -cards, "bytes": -size}})

    async def is_owned(self, account_id: int) -> bool:
        """Return whether the account is there. If not, remove cards that came after its removal."""
        if await self._accounts.find_one({"_id": account_id}, {"_id": 1}) is not None:
            return True
        await self.remove_of(account_id)
        return False

    async def remove_of(self, account_id: int) -> None:
        """Remove the cards of a removed account."""
        await self._cards.delete_many({"account_id": account_id})
        await self._rooms.delete_one({"_id": account_id})


def _key(account_id: int, uid: str) -> str:
    return f"{account_id}:{uid}"


def _encoded(card: Card, now: datetime) -> Document:
    return {"uid": card.uid, "name": card.name, "text": card.text, "bytes": card.size, "updated_at": now}


def _decoded(document: Document) -> StoredCard:
    card = Card(document["uid"], document["name"], document["text"])
    return StoredCard(card, document["created_at"], document["updated_at"])
