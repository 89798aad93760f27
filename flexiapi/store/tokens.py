"""Single-use tokens in their own collections, stored as SHA-256 because they are never shown again, with an expiry."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flexiapi.concurrency.coalescing import Batches, CoalescedReads
from flexiapi.crypto.keys import token_hash
from flexiapi.model import Actor, AttachedToken, PushAddress, Space, SpentToken
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal, JournaledRecords
from flexiapi.store.pending_events import EVENT_FIELDS, WITHOUT_EVENTS, event_document, updating_many

USED_EPOCH = -1
"""The epoch of no sign-in: what an auth token has after its use."""

# Invitations have a number of uses, which `store.invitations` counts.
_USED_ONCE = {"most": {"$exists": False}}
_UNUSED = {"$unset": {"used_at": "", "use": "", "creates": ""}}

Document = dict[str, Any]


_Use = tuple[bytes, datetime, Actor, bool]
"""The key of a creation token, the time, who uses it, and whether for an account."""


class TokenRecords(JournaledRecords):
    """Base class of the token stores: `_kind` is the name of their tokens in events."""

    _kind: str

    async def add(self, token: str, now: datetime, expires_at: datetime, actor: Actor) -> None:
        """Store a token of the actor's space."""
        await self._insert(document_of(token, now, expires_at, actor), actor, f"{self._kind}.created")

    async def clear(self, expired_before: datetime) -> int:
        """Remove the tokens that expired before. Return their number."""
        return await self._journal.pending.delete(self._name, {"expires_at": {"$lt": expired_before}})


class AccountTokenRecords(TokenRecords):
    """Base class of the stores whose tokens belong to an account, or may do."""

    async def of(self, account_id: int, most: int) -> list[AttachedToken]:
        """Return up to `most` tokens that are or were those of an account, the newest first."""
        shown = {"created_at": 1, "expires_at": 1, "epoch": 1, "used_at": 1}
        found = self._records.find({"account_id": account_id}, shown).sort("created_at", -1).limit(most)
        return [
            AttachedToken(
                self._kind,
                document["created_at"],
                document["expires_at"],
                is_used="used_at" in document or document.get("epoch") == USED_EPOCH,
            )
            for document in await found.to_list(None)
        ]

    async def remove_of(self, account_id: int) -> None:
        """Remove the tokens of a removed account."""
        await self._journal.pending.delete(self._name, {"account_id": account_id})


class CreationTokenStore(AccountTokenRecords):
    """Tokens that each allow the creation of one account."""

    _kind = "creation_token"

    def __init__(self, database: Database, journal: Journal, settling: timedelta) -> None:
        super().__init__(database, journal, "creation_tokens")
        self._accounts = database["accounts"]
        self._settling = settling
        self._reads = CoalescedReads[bytes, Document](self._read)
        self._uses: Batches[_Use, Document | None] = Batches(self._use, in_flight=2)

    async def _read(self, hashes: Any) -> dict[bytes, Document]:
        found = await self._records.find({"_id": {"$in": hashes}}, WITHOUT_EVENTS).to_list(None)
        return {bytes(document["_id"]): document for document in found}

    async def invite(self, token: str, now: datetime, expires_at: datetime, actor: Actor) -> None:
        """Store a token that an administrator made, which is an invitation."""
        document = {**document_of(token, now, expires_at, actor), "invitation": True}
        await self._insert(document, actor, f"{self._kind}.created")

    async def push(self, token: str, now: datetime, expires_at: datetime, address: PushAddress, actor: Actor) -> None:
        """Store a token that was pushed to a device, with the address of the device."""
        push = {"provider": address.provider, "param": address.param, "prid": address.prid}
        await self._insert({**document_of(token, now, expires_at, actor), "push": push}, actor, f"{self._kind}.created")

    async def is_free(
        self, token: str, now: datetime, space: Space | None = None, *, as_invitation: bool = False
    ) -> bool:
        """Return True if the token of the space (`None`: the default) can be used, and with `as_invitation` is one."""
        document = await self._reads.get(token_hash(token, None if space is None else space.stored))
        if document is None or (as_invitation and "invitation" not in document):
            return False
        if document["expires_at"] <= now:
            return False
        return "used_at" not in document or await self._is_lost(document, now)

    async def consume(self, token: str, now: datetime, actor: Actor, *, creates: bool = False) -> bool:
        """Consume the token, with `creates` for an account that will have its hash.

        Return False if it is unknown, expired or used, also by a faster request. A token whose account never came to
        stand, because of a crash or an outage of the database, can be used again once nothing can bring that account.
        """
        key = key_of(token, actor)
        document = await self._uses.add((key, now, actor, creates))
        if document is None and creates and await self._take_back(key, now, actor):
            document = await self._uses.add((key, now, actor, creates))
        if document is not None:
            self._journal.pending.note(self._name, document)
        return document is not None

    async def spend(self, token: str, account_id: int, now: datetime, actor: Actor) -> SpentToken | None:
        """Consume the token for an account that there is. Return `None` if it is unknown, expired or used."""
        change = {"$set": {"used_at": now, "account_id": account_id}}
        query = {**_free(key_of(token, actor), now), **_USED_ONCE}
        document = await self._change(query, change, actor, "creation_token.used")
        if document is None:
            return None
        push = document.get("push")
        address = None if push is None else PushAddress(push["provider"], push["param"], push["prid"])
        return SpentToken(document["expires_at"], address)

    async def _take_back(self, key: bytes, now: datetime, actor: Actor) -> bool:
        document = await self._records.find_one({"_id": key, "expires_at": {"$gt": now}}, WITHOUT_EVENTS)
        if document is None or not await self._is_lost(document, now):
            return False
        query = {"_id": key, "use": document["use"]}
        return await self._change(query, _UNUSED, actor, "creation_token.given_back") is not None

    async def _is_lost(self, document: Document, now: datetime) -> bool:
        """Return whether the token was used for an account that is not there and cannot come any more."""
        if not document.get("creates") or document["used_at"] + self._settling > now:
            return False
        return await self._accounts.find_one({"creation_token_hash": document["_id"]}, {"_id": 1}) is None

    async def _use(self, uses: Sequence[_Use]) -> list[Document | BaseException | None]:
        """Mark the free tokens of a batch as used by it, then read which: each token goes to one request."""
        use = secrets.token_bytes(12)
        events = {token: event_document(actor, "creation_token.used") for token, _, actor, _ in reversed(uses)}
        hashes = list(events)
        creating = {"$in": ["$_id", [token for token, _, _, creates in uses if creates]]}
        now = max(moment for _, moment, _, _ in uses)
        query: Document = {
            "_id": {"$in": hashes},
            "used_at": {"$exists": False},
            "expires_at": {"$gt": now},
            **_USED_ONCE,
        }
        change = updating_many({"used_at": now, "use": use, "creates": creating}, events)
        if not (await self._records.update_many(query, change)).modified_count:
            return [None] * len(uses)
        found = await self._records.find({"_id": {"$in": hashes}, "use": use}, EVENT_FIELDS).to_list(None)
        mine = {bytes(document["_id"]): document for document in found}
        return [mine.pop(token, None) for token, _, _, _ in uses]

    async def give_back(self, token: str, actor: Actor) -> None:
        """Make a consumed token usable again, after a failure of what it was used for."""
        await self._change({"_id": key_of(token, actor)}, _UNUSED, actor, "creation_token.given_back")

    async def remove(self, hashed: bytes) -> None:
        """Remove a token, by its hash; an invitation stays for other accounts."""
        await self._journal.pending.delete(self._name, {"_id": hashed, **_USED_ONCE})


class RecoveryTokenStore(TokenRecords):
    """Tokens pushed to devices, each of which opens the recovery page once without another human check."""

    _kind = "recovery_token"

    def __init__(self, database: Database, journal: Journal) -> None:
        super().__init__(database, journal, "recovery_tokens")

    async def is_free(self, token: str, now: datetime, space: Space) -> bool:
        """Return True if the token of the space can be used."""
        return await self._records.find_one(_free(token_hash(token, space.stored), now), {"_id": 1}) is not None

    async def consume(self, token: str, now: datetime, actor: Actor) -> bool:
        """Consume the token. Return False if it is unknown, used or expired."""
        query = _free(key_of(token, actor), now)
        return await self._change(query, {"$set": {"used_at": now}}, actor, "recovery_token.used") is not None


class RequestTokenStore(TokenRecords):
    """Tokens that each give one creation token once a human has validated them."""

    _kind = "request_token"

    def __init__(self, database: Database, journal: Journal) -> None:
        super().__init__(database, journal, "request_tokens")

    async def is_open(self, token: str, now: datetime, space: Space) -> bool:
        """Return True if the token of the space can be validated."""
        return await self._records.find_one(_free(token_hash(token, space.stored), now), {"_id": 1}) is not None

    async def validate(self, token: str, now: datetime, actor: Actor) -> bool:
        """Mark the token as validated by a human. Return False if it is unknown, used or expired."""
        change = {"$set": {"validated_at": now}}
        return (
            await self._change(_free(key_of(token, actor), now), change, actor, "request_token.validated") is not None
        )

    async def consume(self, token: str, now: datetime, creation_token: str, actor: Actor) -> bool:
        """Consume a validated token and link it to the creation token. Return False if it cannot be used."""
        query: Document = {
            "_id": key_of(token, actor),
            "validated_at": {"$exists": True},
            "used_at": {"$exists": False},
            "expires_at": {"$gt": now},
        }
        change = {"$set": {"used_at": now, "creation_token": key_of(creation_token, actor)}}
        return await self._change(query, change, actor, "request_token.used") is not None

    async def give_back(self, token: str, actor: Actor) -> None:
        """Make a consumed token usable again, after a failure of what it was used for."""
        change = {"$unset": {"used_at": "", "creation_token": ""}}
        await self._change({"_id": key_of(token, actor)}, change, actor, "request_token.given_back")

    async def remove_leading_to(self, hashed: bytes) -> None:
        """Remove the request token that gave a creation token, by the hash of the creation token."""
        await self._journal.pending.delete(self._name, {"creation_token": hashed})


def _free(key: bytes, now: datetime) -> Document:
    """Return the query for a token that can be used."""
    return {"_id": key, "used_at": {"$exists": False}, "expires_at": {"$gt": now}}


def key_of(token: str, actor: Actor) -> bytes:
    """Return the key of a token of the actor's space. In other spaces the same token is unknown."""
    return token_hash(token, actor.stored_space)


def document_of(token: str, now: datetime, expires_at: datetime, actor: Actor) -> Document:
    """Return a token of the actor's space as it is stored."""
    document: Document = {"_id": key_of(token, actor), "created_at": now, "expires_at": expires_at}
    return document if actor.stored_space is None else {**document, "space": actor.stored_space}
