"""Calls, messages and conferences that the SIP server reports, written in bulk.

Each report is merged into its record by one pipeline update, by rules whose result does not depend on the order: the
earliest beginning, the latest end, the newest result of each device, the first names. So reports may come in any order,
twice, and by several processes at once. What is sent from outside stands in the values of documents only, never in
names of fields.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import UpdateOne

from flexiapi.model import (
    MOST_RECEIVERS,
    MOST_REPORTED_DEVICES,
    ReportedDevice,
    ReportedOutcome,
    ReportKind,
    Scope,
    SipReport,
    Space,
)
from flexiapi.store.connection import Records
from flexiapi.store.documents import Document
from flexiapi.store.driver import Collection, Database
from flexiapi.store.report_listings import ReportListings
from flexiapi.store.report_removals import ReportRemovals

_EMPTY: list[Any] = []
_MOST_PARTIES = 1 + MOST_RECEIVERS + MOST_REPORTED_DEVICES


def collections_of(database: Database) -> dict[ReportKind, Collection]:
    """Return the collections of the records."""
    return {kind: database[f"reported_{kind}"] for kind in ReportKind}


@dataclass(frozen=True, slots=True)
class FiledReport:
    """A report, the space that it was sent to, and the domains whose accounts it may be about."""

    report: SipReport
    space: Space
    reach: Scope


class SipReportStore(Records):
    """The records, and the writing of reports.

    Attributes:
        life: the time that records are kept.
        listings: reading.
        removals: removal.
    """

    def __init__(self, database: Database, life: timedelta) -> None:
        super().__init__(database)
        self.life = life
        self.listings = ReportListings(database)
        self.removals = ReportRemovals(database)
        self._collections = collections_of(database)
        self._accounts = database["accounts"]

    @property
    def refusal(self) -> str:
        """The reason why the database can take nothing now, if that is known."""
        return "" if self.outage is None else self.outage.refusal

    async def write(self, filed: Sequence[FiledReport], now: datetime) -> None:
        """Merge reports into their records. Raises `WritesRefused` when all others are written."""
        owners = await self._owners({address for one in filed for address in one.report.parties})
        failure: Exception | None = None
        for kind, collection in self._collections.items():
            writes = [_update(one, owners, now) for one in filed if one.report.kind is kind]
            if not writes:
                continue
            try:
                await collection.bulk_write(writes, ordered=False)
            except Exception as error:  # noqa: BLE001  # the other kinds are written first
                failure = error
        # An account that was removed meanwhile may have left its records before these were written.
        await self.removals.forget_missing({account for account, _ in owners.values()})
        if failure is not None:
            raise failure

    async def _owners(self, addresses: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Return the accounts of addresses: their id and domain. An address as it is spelt precedes lower case."""
        wanted = {address: (f"sip:{address}", f"sip:{address.lower()}") for address in addresses}
        if not wanted:
            return {}
        query = {"identifiers": {"$in": sorted({name for names in wanted.values() for name in names})}}
        found: dict[str, tuple[int, str]] = {}
        async for document in self._accounts.find(query, {"identifiers": 1, "domain": 1}):
            found |= dict.fromkeys(document["identifiers"], (document["_id"], document["domain"]))
        matches = {address: found.get(exact) or found.get(lower) for address, (exact, lower) in wanted.items()}
        return {address: owner for address, owner in matches.items() if owner is not None}


def key_of_record(space: Space, record_id: str) -> Document:
    """Return the key of a record: those of one space have nothing to do with those of another."""
    return {"space": space.stored or "", "id": record_id}


def _update(filed: FiledReport, owners: Mapping[str, tuple[int, str]], now: datetime) -> UpdateOne:
    report, reach = filed.report, filed.reach
    mine = {address: owner[0] for address, owner in owners.items() if reach.has(owner[1])}
    domains = sorted({domain for one in report.parties if reach.has(domain := one.rpartition("@")[2])})
    accounts = sorted({mine[one] for one in report.parties if one in mine})
    change: Document = {
        "reported_at": {"$ifNull": ["$reported_at", now]},
        "updated_at": {"$max": ["$updated_at", now]},
        **_first("from", report.sender or None),
        **_first("sender", mine.get(report.sender)),
        **_first("conference_id", report.conference_id),
        **_first("encrypted", report.is_encrypted),
        **_first("schedule", report.schedule),
        "accounts": _united("$accounts", accounts),
        "domains": _united("$domains", domains),
        "receivers": _joined("$receivers", [{"address": one, "account": mine.get(one)} for one in report.receivers]),
        "devices": _merged("$devices", [_of_device(one, mine) for one in report.devices]),
    }
    if report.begun_at is not None:
        change["begun_at"] = {"$min": ["$begun_at", report.begun_at]}
    if report.ended_at is not None:
        change["ended_at"] = {"$max": ["$ended_at", report.ended_at]}
    return UpdateOne({"_id": key_of_record(filed.space, report.id)}, [{"$set": change}], upsert=True)


def _of_device(one: ReportedDevice, accounts: Mapping[str, int]) -> Document:
    return {
        "key": {"device": one.device, "party": one.party, "event": _of_outcome(one.event)},
        "account": accounts.get(one.party),
        "rang_at": one.rang_at,
        "outcome": _of_outcome(one.outcome),
    }


def _of_outcome(outcome: ReportedOutcome | None) -> Document | None:
    """Return an outcome. MongoDB compares documents by their fields in order, so the time comes first."""
    return None if outcome is None else {"at": outcome.at, "state": outcome.state}


def _first(name: str, value: Any) -> Document:
    """Return the change that sets a field if it has no value yet."""
    return {} if value is None else {name: {"$ifNull": [f"${name}", {"$literal": value}]}}


def _list(field: str) -> Document:
    return {"$ifNull": [field, _EMPTY]}


def _united(field: str, values: Sequence[Any]) -> Any:
    """Return the union of a list and values, with room for every party of a record."""
    if not values:
        return _list(field)
    union = {"$setUnion": [_list(field), {"$literal": values}]}
    return {"$slice": [union, _MOST_PARTIES]}


def _joined(field: str, receivers: Sequence[Document]) -> Any:
    """Return a list of receivers with those of other addresses behind."""
    if not receivers:
        return _list(field)
    known = {"$map": {"input": _list(field), "in": "$$this.address"}}
    others = {
        "$filter": {"input": {"$literal": receivers}, "cond": {"$not": [{"$in": ["$$this.address", known]}]}},
    }
    return {"$slice": [{"$concatArrays": [_list(field), others]}, MOST_RECEIVERS]}


def _merged(field: str, devices: Sequence[Document]) -> Any:
    """Return a list of devices with the news of those in it, and others behind."""
    if not devices:
        return _list(field)
    mine = {"$filter": {"input": {"$literal": devices}, "as": "new", "cond": {"$eq": ["$$new.key", "$$old.key"]}}}
    both = {
        "key": "$$old.key",
        "account": "$$old.account",
        "rang_at": {"$min": ["$$old.rang_at", "$$new.rang_at"]},
        "outcome": {"$max": ["$$old.outcome", "$$new.outcome"]},
    }
    news = {"$let": {"vars": {"new": {"$ifNull": [{"$first": mine}, "$$old"]}}, "in": both}}
    known = {"$map": {"input": _list(field), "in": "$$this.key"}}
    others = {"$filter": {"input": {"$literal": devices}, "cond": {"$not": [{"$in": ["$$this.key", known]}]}}}
    changed = {"$map": {"input": _list(field), "as": "old", "in": news}}
    return {"$slice": [{"$concatArrays": [changed, others]}, MOST_REPORTED_DEVICES]}
