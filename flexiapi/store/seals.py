"""Renewal of the seals made with previous application keys."""

from collections.abc import Callable, Sequence
from typing import Any

from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import UpdateOne

from flexiapi.crypto.keys import ApplicationKey
from flexiapi.store.connection import Records
from flexiapi.store.documents import bound_to_account
from flexiapi.store.external_accounts import bound_to_number

_AT_ONCE = 500

Document = dict[str, Any]


class Seals(Records, bounds=False):
    """The seals of accounts and external accounts. A document that changes meanwhile is skipped: it has a new seal."""

    def __init__(self, database: "AsyncIOMotorDatabase[Document]", key: ApplicationKey) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._externals = database["external_accounts"]
        self._key = key

    async def renew(self, progress: Callable[[int], None]) -> int:
        """Seal everything with the current key and return the number of changed documents.

        `progress` is called with the number of documents read.
        """
        looked_at = count = 0
        for collection, change in ((self._accounts, self._of_account), (self._externals, self._of_external)):
            last_id = -1
            while documents := await self._page(collection, last_id):
                count += await self._renewed(collection, [change(document) for document in documents])
                last_id = documents[-1]["_id"]
                progress(looked_at := looked_at + len(documents))
        return count

    async def _page(self, collection: "AsyncIOMotorCollection[Document]", last_id: int) -> list[Document]:
        fields = {"passwords": 1, "external_account": 1, "sealed": 1}
        cursor = collection.find({"_id": {"$gt": last_id}}, fields, sort=[("_id", 1)], limit=_AT_ONCE)
        return await cursor.to_list(None)

    async def _renewed(
        self, collection: "AsyncIOMotorCollection[Document]", changes: Sequence[UpdateOne | None]
    ) -> int:
        wanted = [change for change in changes if change is not None]
        return (await collection.bulk_write(wanted, ordered=False)).modified_count if wanted else 0

    def _of_account(self, document: Document) -> UpdateOne | None:
        bound = bound_to_account(document["_id"])
        before: Document = {name: document[name] for name in ("passwords", "external_account") if name in document}
        after: Document = {}
        if "passwords" in before:
            after["passwords"] = [self._resealed(item, bound) for item in before["passwords"]]
        if "external_account" in before:
            after["external_account"] = self._resealed(before["external_account"], bound)
        return UpdateOne({"_id": document["_id"], **before}, {"$set": after}) if after else None

    def _of_external(self, document: Document) -> UpdateOne | None:
        sealed = self._resealed(document, bound_to_number(document["_id"]))["sealed"]
        return UpdateOne({"_id": document["_id"], "sealed": document["sealed"]}, {"$set": {"sealed": sealed}})

    def _resealed(self, item: Document, bound: str) -> Document:
        return {**item, "sealed": self._key.seal(self._key.open(item["sealed"], bound), bound)}
