"""Voicemails: one document per account, so that each change keeps its quota, and the slots that announce them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bson import ObjectId

from flexiapi.crypto.keys import ApplicationKey, token_hash
from flexiapi.errors import SealBroken
from flexiapi.model import Actor, SoundType, Voicemail, VoicemailBox, VoicemailSlot
from flexiapi.observing import log
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal, JournaledRecords
from flexiapi.store.pending_events import WITHOUT_EVENTS
from flexiapi.store.voicemail_files import VoicemailFiles
from flexiapi.store.voicemail_mails import VoicemailMails

Document = dict[str, Any]


class VoicemailStore(JournaledRecords):
    """The boxes of accounts, the slots, the `files` of both, and the `mails` about them."""

    def __init__(self, database: Database, journal: Journal, key: ApplicationKey) -> None:
        super().__init__(database, journal, "voicemail_boxes")
        self._slots = database["voicemail_slots"]
        self._accounts = database["accounts"]
        self._key = key
        self.files = VoicemailFiles(database)
        self.mails = VoicemailMails(database)

    # Slots.

    async def announce(self, slot: VoicemailSlot, secret: str, space: str | None) -> bool:
        """Store a slot, which an upload with the secret to that space fills. Return False if its account is gone."""
        await self._records.update_one(
            {"_id": slot.account_id}, {"$setOnInsert": {"voicemails": [], "bytes": 0}}, upsert=True
        )
        await self._slots.insert_one(
            {
                "_id": token_hash(secret, space),
                "voicemail": slot.id,
                "account_id": slot.account_id,
                "type": str(slot.type),
                "created_at": slot.created_at,
                "expires_at": slot.expires_at,
                **({} if slot.caller is None else {"caller": slot.caller}),
            }
        )
        # A removal deletes the account first, then its box: what comes after that would stay.
        if await self._accounts.find_one({"_id": slot.account_id}, {"_id": 1}) is not None:
            return True
        await self.remove_of(slot.account_id)
        return False

    async def open_slots(self, account_id: int, now: datetime) -> int:
        """Return the number of slots of an account that are not filled."""
        return await self._slots.count_documents({"account_id": account_id, "expires_at": {"$gt": now}})

    async def slot(self, secret: str, space: str | None, now: datetime) -> VoicemailSlot | None:
        """Return the slot with the secret, if an upload can fill it."""
        found = await self._slots.find_one({"_id": token_hash(secret, space), "expires_at": {"$gt": now}})
        if found is None or await self._records.find_one({"voicemails.id": found["voicemail"]}, {"_id": 1}) is not None:
            return None
        return VoicemailSlot(
            id=found["voicemail"],
            account_id=found["account_id"],
            caller=found.get("caller"),
            type=SoundType(found["type"]),
            created_at=found["created_at"],
            expires_at=found["expires_at"],
        )

    async def close_slot(self, voicemail_id: str, account_id: int) -> None:
        """Remove the slot of a voicemail."""
        await self._slots.delete_one({"account_id": account_id, "voicemail": voicemail_id})

    # Voicemails.

    async def add(self, voicemail: Voicemail, actor: Actor, *, most: int, most_bytes: int) -> Voicemail | None:
        """Store a voicemail, whose file is complete.

        Return `None` if it is stored already, if its account is gone, or if the account would have too many or too
        large ones.
        """
        owner = voicemail.account_id
        query: Document = {
            "_id": owner,
            "voicemails.id": {"$ne": voicemail.id},
            f"voicemails.{most - 1}": {"$exists": False},
            "bytes": {"$lte": most_bytes - voicemail.size},
        }
        document = {
            **_encoded(voicemail),
            "link": token_hash(voicemail.link),
            "sealed": self._key.seal(voicemail.link, bound_to_voicemail(voicemail.id)),
        }
        update = {"$push": {"voicemails": document}, "$inc": {"bytes": voicemail.size}}
        details = {"voicemail": voicemail.id}
        return None if await self._change(query, update, actor, "voicemail.stored", details) is None else voicemail

    async def box(self, account_id: int, now: datetime) -> VoicemailBox:
        """Return the voicemails of an account that have not expired, and the bytes of all."""
        found = await self._records.find_one({"_id": account_id}, WITHOUT_EVENTS)
        if found is None:
            return VoicemailBox((), 0)
        voicemails = [self._decoded(account_id, one) for one in found["voicemails"] if one["expires_at"] > now]
        return VoicemailBox(voicemails[::-1], found["bytes"])

    async def one(self, account_id: int, voicemail_id: str, now: datetime) -> Voicemail | None:
        """Return a voicemail of an account, unless it has expired."""
        return await self._first({"_id": account_id}, {"id": voicemail_id, "expires_at": {"$gt": now}})

    async def by_link(self, link: str, now: datetime) -> Voicemail | None:
        """Return the voicemail with the link, unless it has expired."""
        return await self._first({}, {"link": token_hash(link), "expires_at": {"$gt": now}})

    async def _first(self, box: Document, voicemail: Document) -> Voicemail | None:
        if "link" in voicemail:
            # The index is on this field.
            box = {**box, "voicemails.link": voicemail["link"]}
        found = await self._records.find_one(
            {**box, "voicemails": {"$elemMatch": voicemail}}, {"voicemails": {"$elemMatch": voicemail}}
        )
        return None if found is None else self._decoded(found["_id"], found["voicemails"][0])

    async def remove(self, voicemail: Voicemail, actor: Actor, event: str = "voicemail.removed") -> bool:
        """Remove a voicemail, whose file must be a leftover already. Return False if it is gone."""
        query: Document = {"_id": voicemail.account_id, "voicemails.id": voicemail.id}
        update = {"$pull": {"voicemails": {"id": voicemail.id}}, "$inc": {"bytes": -voicemail.size}}
        return await self._change(query, update, actor, event, {"voicemail": voicemail.id}) is not None

    async def expired(self, now: datetime, most: int) -> list[Voicemail]:
        """Return voicemails that have expired."""
        boxes = await self._records.find({"voicemails.expires_at": {"$lte": now}}, WITHOUT_EVENTS, limit=most).to_list(
            None
        )
        return [
            self._decoded(box["_id"], one) for box in boxes for one in box["voicemails"] if one["expires_at"] <= now
        ]

    async def is_kept(self, file_id: str) -> bool:
        """Return whether a voicemail has the file."""
        return await self._records.find_one({"voicemails.file": ObjectId(file_id)}, {"_id": 1}) is not None

    async def file_ids(self, account_id: int) -> list[str]:
        """Return the ids of the files of an account."""
        found = await self._records.find_one({"_id": account_id}, {"voicemails.file": 1})
        return [] if found is None else [str(one["file"]) for one in found["voicemails"]]

    async def remove_of(self, account_id: int) -> None:
        """Remove the box and the slots of an account, whose files must be leftovers already."""
        await self._slots.delete_many({"account_id": account_id})
        await self._journal.pending.delete(self._name, {"_id": account_id})

    def _decoded(self, account_id: int, document: Mapping[str, Any]) -> Voicemail:
        return Voicemail(
            id=document["id"],
            account_id=account_id,
            caller=document.get("caller"),
            type=SoundType(document["type"]),
            size=document["size"],
            created_at=document["created_at"],
            uploaded_at=document["uploaded_at"],
            expires_at=document["expires_at"],
            file_id=str(document["file"]),
            link=self._link(document),
        )

    def _link(self, document: Mapping[str, Any]) -> str:
        try:
            return self._key.open(document["sealed"], bound_to_voicemail(document["id"]))
        except SealBroken:
            log.error("a seal does not open", of=bound_to_voicemail(document["id"]))
            return ""


def bound_to_voicemail(voicemail_id: str) -> str:
    """Return the context that the seal of a voicemail's link is bound to."""
    return f"voicemail:{voicemail_id}"


def _encoded(voicemail: Voicemail) -> Document:
    document: Document = {
        "id": voicemail.id,
        "file": ObjectId(voicemail.file_id),
        "type": str(voicemail.type),
        "size": voicemail.size,
        "created_at": voicemail.created_at,
        "uploaded_at": voicemail.uploaded_at,
        "expires_at": voicemail.expires_at,
    }
    return document if voicemail.caller is None else {**document, "caller": voicemail.caller}
