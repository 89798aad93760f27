"""Named API keys, by the SHA-256 of their secret."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.errors import DuplicateKeyError

from flexiapi.concurrency.coalescing import CoalescedReads
from flexiapi.model import Actor, KeyScope, NamedKey, Space
from flexiapi.store.accounts import IdentifierTaken
from flexiapi.store.counters import Counters
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal, JournaledRecords
from flexiapi.store.pending_events import WITHOUT_EVENTS, event_document, inserting

SHOWN = timedelta(days=30)
"""For so long a key that is over stays in the lists."""

_KNOWN_SCOPES = frozenset(scope.value for scope in KeyScope)

Document = dict[str, Any]


class NamedKeyStore(JournaledRecords):
    """The keys. Each is of one space (without the field `space`, of the default one), where its name is unique.

    Each takes one of the places of its space, which another index makes unique: so no space has more keys than places,
    however many are made at once.
    """

    def __init__(self, database: Database, journal: Journal, counters: Counters) -> None:
        super().__init__(database, journal, "named_keys")
        self._counters = counters
        self._reads = CoalescedReads[bytes, Document](self._read)

    async def _read(self, hashes: Sequence[bytes]) -> dict[bytes, Document]:
        found = await self._records.find({"hash": {"$in": list(hashes)}}, WITHOUT_EVENTS).to_list(None)
        return {bytes(document["hash"]): document for document in found}

    async def by_hash(self, key_hash: bytes) -> NamedKey | None:
        """Return the key with the hash, whether its time is over or not."""
        document = await self._reads.get(key_hash)
        return None if document is None else _decoded(document)

    async def of(self, space: Space) -> list[NamedKey]:
        """Return the keys of a space, by id."""
        found = await self._records.find({"space": space.stored}, WITHOUT_EVENTS).sort("_id").to_list(None)
        return [_decoded(document) for document in found]

    async def made_by(self, account_id: int) -> list[NamedKey]:
        """Return the keys that an account made, by id."""
        found = await self._records.find({"account_id": account_id}, WITHOUT_EVENTS).sort("_id").to_list(None)
        return [_decoded(document) for document in found]

    async def has_name(self, name: str, space: Space) -> bool:
        """Return whether a key of the space has the name, in whatever case."""
        query = {"space": space.stored, "folded": name.casefold()}
        return await self._records.find_one(query, {"_id": 1}) is not None

    async def add(self, key: NamedKey, key_hash: bytes, most: int, actor: Actor) -> NamedKey | None:
        """Store a key of its space with a new id, and return it: `None` if the space has `most` keys already.

        Raises `IdentifierTaken` if another key has its name.
        """
        number = await self._counters.next("named_keys")
        document = {**_encoded(key), "_id": number, "hash": key_hash}
        event = event_document(actor, "named_key.created", {"name": key.name, "scopes": document["scopes"]})
        while (free := await self._free_places(key.space, most)) and not await self._is_added(
            document | {"place": secrets.choice(free)}, event
        ):
            pass
        return _decoded(document) if free else None

    async def _free_places(self, space: str | None, most: int) -> Sequence[int]:
        found = await self._records.find({"space": space}, {"place": 1}).to_list(None)
        return sorted(set(range(most)) - {document["place"] for document in found})

    async def _is_added(self, document: Document, event: Document) -> bool:
        """Return False if another request took the place meanwhile. Raises `IdentifierTaken`."""
        carrying = inserting(document, event)
        try:
            await self._records.insert_one(carrying)
        except DuplicateKeyError as error:
            if "folded" in (error.details or {}).get("keyPattern", {}):
                raise IdentifierTaken(document["name"]) from error
            return False
        self._journal.pending.note(self._name, carrying)
        return True

    async def remove(self, key: NamedKey, actor: Actor) -> bool:
        """Remove a key. Return False if it is gone."""
        event = event_document(actor, "named_key.revoked", {"name": key.name})
        return await self._journal.announcements.remove(self._name, key.id, event)

    async def remove_of(self, account_id: int) -> None:
        """Remove the keys that an account made."""
        await self._journal.pending.delete(self._name, {"account_id": account_id})


def kept_until(key: NamedKey) -> datetime | None:
    """Return when a key is removed, unless it is used meanwhile; `None` for never."""
    return None if key.ends_at is None else key.ends_at + SHOWN


def _encoded(key: NamedKey) -> Document:
    fields = {
        "space": key.space,
        "account_id": key.account_id,
        "expires_at": key.expires_at,
        "idle_days": key.idle_days,
        "kept_until": kept_until(key),
    }
    return {
        "name": key.name,
        "folded": key.name.casefold(),
        "scopes": [scope.value for scope in key.scopes],
        "created_at": key.created_at,
        **{name: value for name, value in fields.items() if value is not None},
    }


def _decoded(document: Document) -> NamedKey:
    return NamedKey(
        id=document["_id"],
        name=document["name"],
        # A later release may know more scopes.
        scopes=tuple(KeyScope(scope) for scope in document["scopes"] if scope in _KNOWN_SCOPES),
        created_at=document["created_at"],
        account_id=document.get("account_id"),
        space=document.get("space"),
        expires_at=document.get("expires_at"),
        idle_days=document.get("idle_days"),
        last_used_at=document.get("last_used_at"),
    )
