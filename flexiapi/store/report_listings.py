"""Reading of what the SIP server reported: calls and messages of an account, and numbers by period."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flexiapi.model import (
    CallCount,
    CallEnd,
    CallsFound,
    MessageCount,
    ReportedCall,
    ReportedConference,
    ReportedDevice,
    ReportedMessage,
    ReportedOutcome,
    ReportKind,
    Scope,
)
from flexiapi.store import driver
from flexiapi.store.connection import Records
from flexiapi.store.documents import Document
from flexiapi.store.driver import Database

NEWEST_FIRST = [("begun_at", -1), ("_id", -1)]

_ACCEPTED = 200
_ACCEPTING = {"$filter": {"input": "$devices", "cond": {"$eq": ["$$this.outcome.state", CallEnd.ACCEPTED.value]}}}
_ACCEPTED_AT = {"$min": {"$map": {"input": _ACCEPTING, "in": "$$this.outcome.at"}}}
_TALKED = {"$dateDiff": {"startDate": "$accepted", "endDate": "$ended_at", "unit": "second"}}
_LAST_SKIPPED = 2**31 - 1


class ReportListings(Records):
    """Queries that return many records or numbers of them."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._calls = database[f"reported_{ReportKind.CALL}"]
        self._messages = database[f"reported_{ReportKind.MESSAGE}"]
        self._conferences = database[f"reported_{ReportKind.CONFERENCE}"]

    async def calls_of(self, account_id: int, skip: int, limit: int) -> CallsFound:
        """Return the calls from or to an account, the newest first."""
        query = {"accounts": account_id}
        total = await self._calls.count_documents(query)
        if skip >= total:
            return CallsFound(total, ())
        found = self._calls.find(query, sort=NEWEST_FIRST, skip=min(skip, _LAST_SKIPPED), limit=limit)
        return CallsFound(total, [_call(document) for document in await found.to_list(None)])

    async def messages_of(self, account_id: int, limit: int) -> list[ReportedMessage]:
        """Return the messages from or to an account, the newest first. Of what it received, only its own part."""
        found = self._messages.find({"accounts": account_id}, sort=NEWEST_FIRST, limit=limit)
        return [_message(document, account_id) for document in await found.to_list(None)]

    async def conferences_of(self, account_id: int, limit: int) -> list[ReportedConference]:
        """Return the conferences in which an account took part, the newest first, with its own events."""
        found = self._conferences.find({"accounts": account_id}, sort=NEWEST_FIRST, limit=limit)
        return [_conference(document, account_id) for document in await found.to_list(None)]

    async def call_counts(self, scope: Scope, since: datetime, until: datetime, form: str) -> dict[str, CallCount]:
        """Return numbers of calls that began in a time; `form` is the format of a period's name for `strftime`."""
        sums = {
            "calls": {"$sum": 1},
            "answered": {"$sum": {"$cond": [{"$gt": ["$accepted", None]}, 1, 0]}},
            # Without an answer or an end there is no difference, and the greatest number is 0.
            "seconds": {"$sum": {"$max": [_TALKED, 0]}},
        }
        found = await self._grouped(self._calls, scope, since, until, form, {"accepted": _ACCEPTED_AT}, sums)
        return {one.pop("_id"): CallCount(**one) for one in found}

    async def message_counts(
        self, scope: Scope, since: datetime, until: datetime, form: str
    ) -> dict[str, MessageCount]:
        """Return numbers of messages that were sent in a time, by period as for calls."""
        states = {"$map": {"input": "$devices", "in": "$$this.outcome.state"}}
        is_delivered = {"$cond": [{"$in": [_ACCEPTED, states]}, 1, 0]}
        sums = {"messages": {"$sum": 1}, "delivered": {"$sum": is_delivered}}
        found = await self._grouped(self._messages, scope, since, until, form, {}, sums)
        return {one.pop("_id"): MessageCount(**one) for one in found}

    async def _grouped(
        self,
        collection: driver.Collection,
        scope: Scope,
        since: datetime,
        until: datetime,
        form: str,
        fields: Document,
        sums: Document,
    ) -> list[Document]:
        match = {**_of_domains(scope), "begun_at": {"$gte": since, "$lt": until}}
        period = {"$dateToString": {"date": "$begun_at", "format": form}}
        pipeline: list[Document] = [{"$match": match}, {"$group": {"_id": period, **sums}}]
        if fields:
            pipeline.insert(1, {"$set": fields})
        return await driver.aggregated(collection, pipeline)


def _of_domains(scope: Scope) -> Document:
    """Return the query for records with a party in a domain of the scope."""
    if scope.only is not None:
        return {"domains": scope.only}
    return {"domains": {"$elemMatch": {"$nin": sorted(scope.but)}}} if scope.but else {}


def _call(document: Document) -> ReportedCall:
    return ReportedCall(
        id=document["_id"]["id"],
        sender=document["from"],
        receiver=next((one["address"] for one in document["receivers"]), ""),
        begun_at=document["begun_at"],
        ended_at=document.get("ended_at"),
        conference_id=document.get("conference_id"),
        reported_at=document["reported_at"],
        updated_at=document["updated_at"],
        devices=[_device(one) for one in document["devices"]],
    )


def _message(document: Document, account_id: int) -> ReportedMessage:
    receivers, devices = document["receivers"], document["devices"]
    if document.get("sender") != account_id:
        receivers, devices = _own(receivers, account_id), _own(devices, account_id)
    return ReportedMessage(
        id=document["_id"]["id"],
        sender=document.get("from", ""),
        receivers=[one["address"] for one in receivers],
        sent_at=document.get("begun_at"),
        is_encrypted=document.get("encrypted"),
        conference_id=document.get("conference_id"),
        devices=[_device(one) for one in devices],
    )


def _conference(document: Document, account_id: int) -> ReportedConference:
    return ReportedConference(
        id=document["_id"]["id"],
        begun_at=document.get("begun_at"),
        ended_at=document.get("ended_at"),
        schedule=document.get("schedule"),
        devices=[_device(one) for one in _own(document["devices"], account_id)],
    )


def _own(parts: Sequence[Document], account_id: int) -> list[Document]:
    """Return the parts of a record that are about an account."""
    return [one for one in parts if one["account"] == account_id]


def _device(one: Document) -> ReportedDevice:
    key: Any = one["key"]
    return ReportedDevice(key["device"], key["party"], _outcome(key["event"]), one["rang_at"], _outcome(one["outcome"]))


def _outcome(found: Document | None) -> ReportedOutcome | None:
    return None if found is None else ReportedOutcome(found["at"], found["state"])
