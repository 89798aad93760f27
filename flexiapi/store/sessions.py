"""Sessions of the panel. Each request reads its session here, so that one that ends does so on all hosts at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flexiapi.concurrency.coalescing import CoalescedReads
from flexiapi.model import PanelSession, SignInMethod
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database

Document = dict[str, Any]


class SessionStore(Records):
    """The sessions, by the SHA-256 of their secret. MongoDB removes those that are over."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._sessions = database["sessions"]
        self._reads = CoalescedReads[bytes, PanelSession](self._read)

    async def _read(self, hashes: Sequence[bytes]) -> dict[bytes, PanelSession]:
        found = await self._sessions.find({"_id": {"$in": hashes}}, batch_size=len(hashes) + 1).to_list(None)
        return {bytes(document["_id"]): _decoded(document) for document in found}

    async def by_hash(self, id_hash: bytes) -> PanelSession | None:
        """Return the session with the hash, whether its time is over or not."""
        return await self._reads.get(id_hash)

    async def add(self, session: PanelSession, most: int) -> None:
        """Store a session. Of more than `most` of its account those end that were not used for longest."""
        await self._sessions.insert_one(_encoded(session))
        surplus = await (
            self._sessions.find({"account_id": session.account_id}, {"_id": 1}).sort("seen_at", -1).skip(most)
        ).to_list(None)
        if surplus:
            await self._sessions.delete_many({"_id": {"$in": [document["_id"] for document in surplus]}})

    async def touch(self, session: PanelSession, now: datetime, idle_until: datetime, ip: str) -> None:
        """Note a use of a session that was read, unless another process did meanwhile."""
        used = {"$set": {"seen_at": now, "ip": ip}, "$max": {"idle_until": idle_until}}
        await self._sessions.update_one({"_id": session.id_hash, "seen_at": session.seen_at}, used)

    async def confirm(self, id_hash: bytes, now: datetime) -> None:
        """Note a proof by password or code."""
        await self._sessions.update_one({"_id": id_hash}, {"$max": {"confirmed_at": now}})

    async def of(self, account_id: int, epoch: int, now: datetime) -> list[PanelSession]:
        """Return the sessions of an account that have not ended, the one that was used last first."""
        query = {"account_id": account_id, "epoch": epoch, "idle_until": {"$gt": now}, "expires_at": {"$gt": now}}
        found = await self._sessions.find(query).sort([("seen_at", -1), ("_id", 1)]).to_list(None)
        return [_decoded(document) for document in found]

    async def end(self, id_hash: bytes, account_id: int) -> bool:
        """End a session of an account. Return False if it has none with the hash."""
        return (await self._sessions.delete_one({"_id": id_hash, "account_id": account_id})).deleted_count > 0

    async def drop(self, id_hash: bytes) -> None:
        """End a session of any account, whose secret the caller has."""
        await self._sessions.delete_one({"_id": id_hash})

    async def remove_of(self, account_id: int, but: bytes | None = None) -> int:
        """End the sessions of an account, all `but` one. Return their number."""
        query: Document = {"account_id": account_id, **({} if but is None else {"_id": {"$ne": but}})}
        return (await self._sessions.delete_many(query)).deleted_count


def _encoded(session: PanelSession) -> Document:
    document: Document = {
        "_id": session.id_hash,
        "account_id": session.account_id,
        "epoch": session.epoch,
        "created_at": session.created_at,
        "seen_at": session.seen_at,
        "expires_at": session.expires_at,
        "idle_until": session.idle_until,
        "ip": session.ip,
        "user_agent": session.user_agent,
        "auth": str(session.method),
    }
    if session.confirmed_at is not None:
        document["confirmed_at"] = session.confirmed_at
    flags = {"limited": session.is_limited, "stays": session.stays}
    return document | {name: True for name, is_set in flags.items() if is_set}


def _decoded(document: Document) -> PanelSession:
    return PanelSession(
        id_hash=bytes(document["_id"]),
        account_id=document["account_id"],
        epoch=document["epoch"],
        created_at=document["created_at"],
        seen_at=document["seen_at"],
        expires_at=document["expires_at"],
        idle_until=document["idle_until"],
        ip=document["ip"],
        user_agent=document["user_agent"],
        method=SignInMethod(document["auth"]),
        confirmed_at=document.get("confirmed_at"),
        is_limited=document.get("limited", False),
        stays=document.get("stays", False),
    )
