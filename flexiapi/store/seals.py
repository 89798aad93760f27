"""Sealed values of all documents: renewal after a change of the application key, and texts that are not sealed yet."""

from collections.abc import Callable, Sequence
from typing import Any

from pymongo import UpdateOne

from flexiapi.crypto.keys import ApplicationKey
from flexiapi.errors import SealBroken
from flexiapi.observing import log
from flexiapi.store.accounts_elsewhere import bound_to_bridge
from flexiapi.store.connection import Records
from flexiapi.store.documents import AccountDocuments, bound_to_account, bound_to_key, bound_to_token
from flexiapi.store.driver import Collection, Database
from flexiapi.store.external_accounts import bound_to_number
from flexiapi.store.steps import ACCOUNTS_AT_ONCE, BatchDone
from flexiapi.store.voicemails import bound_to_voicemail

_AT_ONCE = 500
_SECRETS = frozenset({"provisioning_token", "confirmation"})
# All that is stored of these. A PIN may stand beside a key in `confirmation_secret` alone.
_STORED = ("provisioning_secret", "confirmation_secret", *_SECRETS)
# What is read of an account whose secrets are sealed, beside what every account has.
_READ = ("username", "domain", "created_at", "updated_at", *_STORED)

Document = dict[str, Any]


class Seals(Records, bounds=False):
    """The seals of accounts, external accounts and voicemails.

    A document that changes meanwhile is skipped: it has a new seal.
    """

    def __init__(self, database: Database, key: ApplicationKey, documents: AccountDocuments) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._externals = database["external_accounts"]
        self._boxes = database["voicemail_boxes"]
        self._key = key
        self._documents = documents

    async def renew(self, progress: Callable[[int], None]) -> int:
        """Seal everything with the current key and return the number of changed documents.

        `progress` is called with the number of documents read. A seal that does not open stays as it is, and is logged.
        """
        looked_at = count = 0
        if not self._documents.writes_clear_text:
            sealed = await self.take_clear_text(self._database, None)
            while sealed is not None:
                sealed = await self.take_clear_text(self._database, sealed.position)
        collections = (
            (self._accounts, self._of_account),
            (self._externals, self._of_external),
            (self._boxes, self._of_box),
        )
        for collection, change in collections:
            last_id = -1
            while documents := await self._page(collection, last_id):
                count += await self._renewed(collection, [change(document) for document in documents])
                last_id = documents[-1]["_id"]
                progress(looked_at := looked_at + len(documents))
        return count

    async def take_clear_text(self, _database: object, after: int | None) -> BatchDone | None:
        """Seal the provisioning tokens and confirmation keys of some accounts, the step of the layout.

        Other servers notice within ten seconds that the step has begun. What they write in clear until then is sealed
        by the next change of that token or key, or by `renew`.
        """
        self._documents.writes_clear_text = False
        ids: Document = {} if after is None else {"_id": {"$gt": after}}
        cursor = self._accounts.find(ids, dict.fromkeys(_READ, 1)).sort("_id").limit(ACCOUNTS_AT_ONCE)
        found = await cursor.to_list(None)
        if not found:
            return None
        await self._renewed(self._accounts, [self._of_clear_text(document) for document in found])
        return BatchDone(found[-1]["_id"], len(found))

    def _of_clear_text(self, document: Document) -> UpdateOne | None:
        """Return the write of an account's secrets as seals alone, `None` if no secret is in clear."""
        confirmation = document.get("confirmation")
        if "provisioning_token" not in document and not (isinstance(confirmation, dict) and "key" in confirmation):
            return None
        before = {name: document.get(name) for name in _STORED}
        account = self._documents.decode(document)
        if not _SECRETS.isdisjoint(account.unreadable):
            return None
        update = self._documents.changes(account, _SECRETS)
        return UpdateOne({"_id": document["_id"], **before}, update)

    async def _page(self, collection: Collection, last_id: int) -> list[Document]:
        secrets = ("provisioning_secret", "confirmation_secret", "voicemails")
        fields = dict.fromkeys(("passwords", "sealed", "external_account", "bridged_account", *secrets), 1)
        cursor = collection.find({"_id": {"$gt": last_id}}, fields, sort=[("_id", 1)], limit=_AT_ONCE)
        return await cursor.to_list(None)

    async def _renewed(self, collection: Collection, changes: Sequence[UpdateOne | None]) -> int:
        wanted = [change for change in changes if change is not None]
        return (await collection.bulk_write(wanted, ordered=False)).modified_count if wanted else 0

    def _of_account(self, document: Document) -> UpdateOne | None:
        owner = document["_id"]
        bounds = {
            "external_account": bound_to_account(owner),
            "bridged_account": bound_to_bridge(owner),
            "provisioning_secret": bound_to_token(owner),
            "confirmation_secret": bound_to_key(owner),
        }
        after: Document = {name: self._resealed(document[name], bounds[name]) for name in bounds if name in document}
        if "passwords" in document:
            after["passwords"] = [self._resealed(item, bound_to_account(owner)) for item in document["passwords"]]
        before = {name: document[name] for name in after}
        return UpdateOne({"_id": owner, **before}, {"$set": after}) if after else None

    def _of_external(self, document: Document) -> UpdateOne | None:
        sealed = self._resealed(document, bound_to_number(document["_id"]))["sealed"]
        return UpdateOne({"_id": document["_id"], "sealed": document["sealed"]}, {"$set": {"sealed": sealed}})

    def _of_box(self, document: Document) -> UpdateOne | None:
        before = document["voicemails"]
        after = [self._resealed(item, bound_to_voicemail(item["id"])) for item in before]
        change = {"$set": {"voicemails": after}}
        return UpdateOne({"_id": document["_id"], "voicemails": before}, change) if before else None

    def _resealed(self, item: Document, bound: str) -> Document:
        """Return the part of a document with a new seal, or as it is if it has none or the old one does not open."""
        if "sealed" not in item:
            return item
        try:
            return {**item, "sealed": self._key.seal(self._key.open(item["sealed"], bound), bound)}
        except SealBroken:
            log.error("a seal does not open", of=bound)
            return item
