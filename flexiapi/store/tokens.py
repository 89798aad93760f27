"""Single-use tokens in their own collections, stored as SHA-256 because they are never shown again, with an expiry."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

from flexiapi.coalescing import Batches, CoalescedReads
from flexiapi.crypto.keys import token_hash
from flexiapi.model import Actor, Space
from flexiapi.store.connection import Records
from flexiapi.store.trail import trace

Document = dict[str, Any]


class CreationTokenStore(Records):
    """Tokens that each allow the creation of one account."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        super().__init__(database)
        self._tokens = database["creation_tokens"]
        self._reads = CoalescedReads[bytes, Document](self._read)
        self._uses: Batches[tuple[bytes, datetime], Document | None] = Batches(self._use, in_flight=2)

    async def _read(self, hashes: Any) -> dict[bytes, Document]:
        found = await self._tokens.find({"_id": {"$in": hashes}}).to_list(None)
        return {bytes(document["_id"]): document for document in found}

    async def add(
        self, token: str, now: datetime, expires_at: datetime, actor: Actor, *, is_invitation: bool = False
    ) -> None:
        """Store a token. An invitation is one that an administrator made."""
        document = _document(token, now, expires_at, actor)
        await self._tokens.insert_one({**document, "invitation": True} if is_invitation else document)
        trace(actor, "creation_token.created")

    async def is_free(
        self, token: str, now: datetime, space: Space | None = None, *, as_invitation: bool = False
    ) -> bool:
        """Return True if the token of the space (`None`: the default) can be used, and with `as_invitation` is one."""
        document = await self._reads.get(token_hash(token if space is None else f"{token}{space.suffix}"))
        if document is None or (as_invitation and "invitation" not in document):
            return False
        return "used_at" not in document and document["expires_at"] > now

    async def consume(self, token: str, now: datetime, actor: Actor) -> bool:
        """Consume the token. Return False if it is unknown, expired or used, also by a faster request."""
        return _traced(await self._uses.add((key_of(token, actor), now)) is not None, actor, "creation_token.used")

    async def _use(self, uses: Sequence[tuple[bytes, datetime]]) -> list[Document | BaseException | None]:
        """Mark the free tokens of a batch as used by it, then read which: each token goes to one request."""
        use = secrets.token_bytes(12)
        hashes = list({token for token, _ in uses})
        now = max(moment for _, moment in uses)
        query: Document = {"_id": {"$in": hashes}, "used_at": {"$exists": False}, "expires_at": {"$gt": now}}
        changed = await self._tokens.update_many(query, {"$set": {"used_at": now, "use": use}})
        if not changed.modified_count:
            return [None] * len(uses)
        found = await self._tokens.find({"_id": {"$in": hashes}, "use": use}).to_list(None)
        mine = {bytes(document["_id"]): document for document in found}
        return [mine.pop(token, None) for token, _ in uses]

    async def give_back(self, token: str, actor: Actor) -> None:
        """Make a consumed token usable again, after a failure of what it was used for."""
        await self._tokens.update_one({"_id": key_of(token, actor)}, {"$unset": {"used_at": "", "use": ""}})
        trace(actor, "creation_token.given_back")

    async def remove(self, hashed: bytes) -> None:
        """Remove a token, by its hash."""
        await self._tokens.delete_one({"_id": hashed})

    async def clear(self, expired_before: datetime, actor: Actor) -> int:
        """Remove the tokens that expired before. Return their number."""
        removed = (await self._tokens.delete_many({"expires_at": {"$lt": expired_before}})).deleted_count
        trace(actor, "creation_token.expired_removed", count=removed)
        return removed


class RequestTokenStore(Records):
    """Tokens that each give one creation token once a human has validated them."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        super().__init__(database)
        self._tokens = database["request_tokens"]

    async def add(self, token: str, now: datetime, expires_at: datetime, actor: Actor) -> None:
        """Store a token that waits for validation."""
        await self._tokens.insert_one(_document(token, now, expires_at, actor))
        trace(actor, "request_token.created")

    async def is_open(self, token: str, now: datetime, space: Space) -> bool:
        """Return True if the token can be validated."""
        query = {"_id": token_hash(f"{token}{space.suffix}"), "used_at": {"$exists": False}, "expires_at": {"$gt": now}}
        return await self._tokens.find_one(query, {"_id": 1}) is not None

    async def validate(self, token: str, now: datetime, actor: Actor) -> bool:
        """Mark the token as validated by a human. Return False if it is unknown, used or expired."""
        query = {"_id": key_of(token, actor), "used_at": {"$exists": False}, "expires_at": {"$gt": now}}
        result = await self._tokens.update_one(query, {"$set": {"validated_at": now}})
        return _traced(result.matched_count == 1, actor, "request_token.validated")

    async def consume(self, token: str, now: datetime, creation_token: str, actor: Actor) -> bool:
        """Consume a validated token and link it to the creation token. Return False if it cannot be used."""
        query: Document = {
            "_id": key_of(token, actor),
            "validated_at": {"$exists": True},
            "used_at": {"$exists": False},
            "expires_at": {"$gt": now},
        }
        change = {"$set": {"used_at": now, "creation_token": key_of(creation_token, actor)}}
        result = await self._tokens.update_one(query, change)
        return _traced(result.matched_count == 1, actor, "request_token.used")

    async def give_back(self, token: str, actor: Actor) -> None:
        """Make a consumed token usable again, after a failure of what it was used for."""
        await self._tokens.update_one({"_id": key_of(token, actor)}, {"$unset": {"used_at": "", "creation_token": ""}})
        trace(actor, "request_token.given_back")

    async def remove_leading_to(self, hashed: bytes) -> None:
        """Remove the request token that gave a creation token, by the hash of the creation token."""
        await self._tokens.delete_many({"creation_token": hashed})

    async def clear(self, expired_before: datetime, actor: Actor) -> int:
        """Remove the tokens that expired before. Return their number."""
        removed = (await self._tokens.delete_many({"expires_at": {"$lt": expired_before}})).deleted_count
        trace(actor, "request_token.expired_removed", count=removed)
        return removed


@dataclass(frozen=True, slots=True)
class Attached:
    """An account, and the epoch of the sign-in that attached a token to it."""

    account_id: int
    epoch: int


class AuthTokenStore(Records):
    """Tokens that each let one device sign in as the account that another device attaches it to."""

    def __init__(self, database: "AsyncIOMotorDatabase[dict[str, Any]]") -> None:
        super().__init__(database)
        self._tokens = database["auth_tokens"]

    async def add(self, token: str, now: datetime, expires_at: datetime, actor: Actor) -> None:
        """Store a token that is not attached yet."""
        await self._tokens.insert_one(_document(token, now, expires_at, actor))
        trace(actor, "auth_token.created")

    async def attach(self, token: str, account_id: int, epoch: int, now: datetime, actor: Actor) -> bool:
        """Bind the token to the present sign-ins of an account. Return False if it is unknown, expired or bound."""
        query = {"_id": key_of(token, actor), "account_id": {"$exists": False}, "expires_at": {"$gt": now}}
        change = {"$set": {"account_id": account_id, "epoch": epoch}}
        result = await self._tokens.update_one(query, change)
        return _traced(result.matched_count == 1, actor, "auth_token.attached")

    async def attached(self, token: str, now: datetime, space: Space) -> Attached | None:
        """Return the account that the token is attached to, without using the token."""
        document = await self._tokens.find_one(_attached(token_hash(f"{token}{space.suffix}"), now))
        return None if document is None else Attached(document["account_id"], document["epoch"])

    async def consume(self, token: str, now: datetime, actor: Actor) -> bool:
        """Consume an attached token. Return False if it is not attached, or was consumed by a faster request."""
        result = await self._tokens.delete_one(_attached(key_of(token, actor), now))
        return _traced(result.deleted_count == 1, actor, "auth_token.used")

    async def remove_of(self, account_id: int) -> None:
        """Remove the tokens of a removed account."""
        await self._tokens.delete_many({"account_id": account_id})

    async def clear(self, expired_before: datetime, actor: Actor) -> int:
        """Remove the tokens that expired before. Return their number."""
        removed = (await self._tokens.delete_many({"expires_at": {"$lt": expired_before}})).deleted_count
        trace(actor, "auth_token.expired_removed", count=removed)
        return removed


def key_of(token: str, actor: Actor) -> bytes:
    """Return the key of a token of the actor's space. In other spaces the same token is unknown."""
    return token_hash(f"{token}{actor.token_suffix}")


def _document(token: str, now: datetime, expires_at: datetime, actor: Actor) -> Document:
    document: Document = {"_id": key_of(token, actor), "created_at": now, "expires_at": expires_at}
    return document if actor.stored_space is None else {**document, "space": actor.stored_space}


def _attached(key: bytes, now: datetime) -> Document:
    return {"_id": key, "account_id": {"$exists": True}, "expires_at": {"$gt": now}}


def _traced(is_done: bool, actor: Actor, event: str) -> bool:
    """Trace the event if it took place, and return whether it did."""
    if is_done:
        trace(actor, event)
    return is_done
