"""Mails about voicemails that are to be sent, by the event that each follows from."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flexiapi.store.connection import Records
from flexiapi.store.driver import Database

_REMEMBERED = timedelta(days=1)
"""The time in which an event that is read again must not lead to another mail."""


@dataclass(frozen=True, slots=True)
class DueMail:
    """A mail to send now. `tries` counts the tries of before and this one."""

    event_id: str
    account_id: int
    voicemail_id: str
    tries: int


class VoicemailMails(Records):
    """The mails. Each is tried by one process at a time."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._mails = database["voicemail_mails"]

    async def add(self, event_id: str, account_id: int, voicemail_id: str, now: datetime) -> None:
        """Note a mail to send, unless it is noted or was sent."""
        mail = {"account_id": account_id, "voicemail": voicemail_id, "tries": 0, "due_at": now}
        await self._mails.update_one({"_id": event_id}, {"$setOnInsert": mail}, upsert=True)

    async def take_due(self, now: datetime, again_at: datetime) -> DueMail | None:
        """Take a mail that is due. Unless it is finished or put off, it is due again at that time."""
        found: Any = await self._mails.find_one_and_update(
            {"due_at": {"$lte": now}}, {"$set": {"due_at": again_at}, "$inc": {"tries": 1}}, sort=[("due_at", 1)]
        )
        if found is None:
            return None
        return DueMail(found["_id"], found["account_id"], found["voicemail"], found["tries"] + 1)

    async def put_off(self, event_id: str, until: datetime) -> None:
        """Try a mail again at that time."""
        await self._mails.update_one({"_id": event_id, "due_at": {"$exists": True}}, {"$set": {"due_at": until}})

    async def finish(self, event_id: str, now: datetime) -> None:
        """Note that a mail is not to be tried again."""
        change = {"$unset": {"due_at": ""}, "$set": {"expires_at": now + _REMEMBERED}}
        await self._mails.update_one({"_id": event_id}, change)
