"""The journal of changes: the base of all stores whose changes are events."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pymongo import ReturnDocument

from flexiapi.model import Actor
from flexiapi.store.announcements import Announcements
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database
from flexiapi.store.events import EventStore
from flexiapi.store.pending_events import HAS_ROOM, IS_FULL, PendingEvents, event_document, inserting, updating
from flexiapi.store.reader_positions import ReaderPositions

_PAUSE_SECONDS = 0.02

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Journal:
    """The events: those that are numbered, those in the changed documents, and those of announced changes.

    `positions` are those of readers.
    """

    events: EventStore
    pending: PendingEvents
    announcements: Announcements
    positions: ReaderPositions

    @classmethod
    def of(cls, database: Database) -> Self:
        """Return the journal of the database."""
        events = EventStore(database)
        pending = PendingEvents(database, events)
        return cls(events, pending, Announcements(database, events, pending), ReaderPositions(database))


class JournaledRecords(Records):
    """Base class of the stores of one collection whose documents carry the events of their changes."""

    def __init__(self, database: Database, journal: Journal, collection: str) -> None:
        super().__init__(database)
        self._journal = journal
        self._name = collection
        self._records = database[collection]

    async def _insert(self, document: Document, actor: Actor, event: str) -> None:
        """Insert a document with the event of its creation."""
        carrying = inserting(document, event_document(actor, event))
        await self._records.insert_one(carrying)
        self._journal.pending.note(self._name, carrying)

    async def _change(
        self,
        query: Document,
        update: Document,
        actor: Actor,
        event: str,
        details: Mapping[str, Any] | None = None,
        sort: str | None = None,
    ) -> Document | None:
        """Change the first document that matches, with the event of that, and return it as it is then.

        Return `None` if none matches. `sort` is the field that tells which is first.
        """
        carrying = updating(update, event_document(actor, event, details))
        return await self._carry(query, carrying, sort)

    async def _carry(
        self, query: Document, carrying: Document | list[Document], sort: str | None = None
    ) -> Document | None:
        """Write an update that carries an event. The events of a document that is full of them are moved first."""
        while True:
            document: Document | None = await self._records.find_one_and_update(
                {**query, **HAS_ROOM},
                carrying,
                sort=None if sort is None else [(sort, 1)],
                return_document=ReturnDocument.AFTER,
            )
            if document is not None:
                self._journal.pending.note(self._name, document)
                return document
            full = await self._records.find_one({**query, **IS_FULL}, {"_id": 1})
            if full is None:
                return None
            if not await self._journal.pending.move_of(self._name, full["_id"]):
                await asyncio.sleep(_PAUSE_SECONDS)  # a majority does not know of them yet

    async def _remove(self, subject: Any, actor: Actor, event: str, expecting: Mapping[str, Any] | None = None) -> bool:
        """Remove a document with the event of that. Return False if it does not exist, or is not as expected."""
        return await self._journal.announcements.remove(self._name, subject, event_document(actor, event), expecting)
