"""Invitations, which are creation tokens with a number of uses."""

from datetime import datetime
from typing import Any

from flexiapi.model import Actor, Granted, Invitation, Space
from flexiapi.store.counters import Counters
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal, JournaledRecords
from flexiapi.store.pending_events import WITHOUT_EVENTS, event_document, inserting, updating_many
from flexiapi.store.tokens import document_of, key_of

Document = dict[str, Any]


class InvitationStore(JournaledRecords):
    """The invitations among the creation tokens: those with the fields `most` and `count`.

    Like any creation token one is free while it has no `used_at`, which its last use sets. MongoDB removes those that
    are over.
    """

    def __init__(self, database: Database, journal: Journal, counters: Counters) -> None:
        super().__init__(database, journal, "creation_tokens")
        self._counters = counters

    async def add(self, invitation: Invitation, token: str, actor: Actor) -> Invitation:
        """Store an invitation of the actor's space with a new id, and return it."""
        number = await self._counters.next("invitations")
        document: Document = {
            **document_of(token, invitation.created_at, invitation.expires_at, actor),
            "invitation": True,
            "number": number,
            "name": invitation.name,
            "most": invitation.most,
            "count": 0,
        }
        fields = {
            "email": invitation.email,
            "made_by": invitation.made_by,
            "types": list(invitation.granted.type_ids),
            "lists": list(invitation.granted.contacts_list_ids),
        }
        document |= {name: value for name, value in fields.items() if value}
        carrying = inserting(document, event_document(actor, "invitation.created", {"invitation": number}))
        await self._records.insert_one(carrying)
        self._journal.pending.note(self._name, carrying)
        return _decoded(document)

    async def of(self, space: Space, most: int) -> list[Invitation]:
        """Return the last `most` invitations of a space, the newest first."""
        query = {"number": {"$exists": True}, "space": space.stored}
        found = await self._records.find(query, WITHOUT_EVENTS).sort("number", -1).limit(most).to_list(None)
        return [_decoded(document) for document in found]

    async def by_id(self, invitation_id: int, space: Space) -> Invitation | None:
        """Return the invitation of a space with the id."""
        document = await self._records.find_one({"number": invitation_id, "space": space.stored}, WITHOUT_EVENTS)
        return None if document is None else _decoded(document)

    async def use(self, token: str, now: datetime, actor: Actor) -> Granted | None:
        """Count a use of an invitation. Return `None` if it is unknown, over or used up, also by a faster request."""
        key = key_of(token, actor)
        query: Document = {
            "_id": key,
            "most": {"$exists": True},
            "used_at": {"$exists": False},
            "expires_at": {"$gt": now},
        }
        more = {"$add": ["$count", 1]}
        fields = {"count": more, "used_at": {"$cond": [{"$gte": [more, "$most"]}, now, "$$REMOVE"]}}
        document = await self._carry(query, updating_many(fields, {key: event_document(actor, "invitation.used")}))
        return None if document is None else _granted(document)

    async def give_back(self, token: str, actor: Actor) -> None:
        """Take back a use, after a failure of what it was for."""
        query = {"_id": key_of(token, actor), "most": {"$exists": True}, "count": {"$gt": 0}}
        change = {"$inc": {"count": -1}, "$unset": {"used_at": ""}}
        await self._change(query, change, actor, "invitation.given_back")

    async def remove(self, invitation_id: int, actor: Actor) -> bool:
        """Remove an invitation of the actor's space. Return False if it is gone."""
        query = {"number": invitation_id, "space": actor.stored_space}
        found = await self._records.find_one(query, {"_id": 1})
        event = event_document(actor, "invitation.revoked", {"invitation": invitation_id})
        return found is not None and await self._journal.announcements.remove(self._name, found["_id"], event)


def _granted(document: Document) -> Granted:
    return Granted(tuple(document.get("types", ())), tuple(document.get("lists", ())))


def _decoded(document: Document) -> Invitation:
    return Invitation(
        id=document["number"],
        name=document["name"],
        email=document.get("email"),
        most=document["most"],
        used=document["count"],
        granted=_granted(document),
        created_at=document["created_at"],
        expires_at=document["expires_at"],
        made_by=document.get("made_by"),
    )
