"""Rules of call forwarding in documents, and accounts by the targets of their rules."""

from collections.abc import Collection, Sequence
from typing import Any

from flexiapi.model import CallForwarding, ForwardingKind, ForwardingTarget
from flexiapi.store.connection import Records
from flexiapi.store.driver import Database

Document = dict[str, Any]

_NAMES = tuple(name for name in CallForwarding.__slots__ if name not in ("type", "forward_to"))
_MOST_AT_ONCE = 1000


def forwardings_stored(rules: Sequence[CallForwarding]) -> list[Document]:
    """Return rules as documents, each with the address of its target, by which it is found."""
    return [_stored(rule) for rule in rules]


def _stored(rule: CallForwarding) -> Document:
    values = {"type": str(rule.type), "forward_to": str(rule.forward_to), "target": rule.target}
    values |= {name: getattr(rule, name) for name in _NAMES}
    return {name: value for name, value in values.items() if value is not None}


def forwardings_read(items: Sequence[Document]) -> tuple[CallForwarding, ...]:
    """Return the rules of documents. Raises one of `UNREADABLE`."""
    return tuple(_read(item) for item in items)


def _read(item: Document) -> CallForwarding:
    values: dict[str, Any] = {name: item.get(name) for name in _NAMES}
    rule = CallForwarding(type=ForwardingKind(item["type"]), forward_to=ForwardingTarget(item["forward_to"]), **values)
    texts = isinstance(rule.sip_uri, str | None) and isinstance(rule.enabled, bool)
    if not (texts and isinstance(rule.id, int) and isinstance(rule.contact_id, int | None)):
        raise TypeError
    return rule


class ForwardingStore(Records):
    """The account collection by the targets of its rules."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]

    async def to_contacts(self, contact_ids: Collection[int]) -> list[int]:
        """Return the ids of accounts that have a rule to any of these contacts."""
        query = {"call_forwardings.contact_id": {"$in": list(contact_ids)}}
        return [document["_id"] for document in await self._accounts.find(query, {"_id": 1}).to_list(None)]

    async def leading_to(self, ids: Collection[int], addresses: Collection[str]) -> list[tuple[int, str]]:
        """Return id and address of accounts with an enabled rule to any of these, at most 1,000."""
        contacts, targets = {"$in": list(ids)}, {"$in": list(addresses)}
        either = [{"call_forwardings.contact_id": contacts}, {"call_forwardings.target": targets}]
        wanted = {"username": 1, "domain": 1, "call_forwardings": 1}
        found = await self._accounts.find({"$or": either}, wanted, limit=_MOST_AT_ONCE).to_list(None)
        return [
            (document["_id"], f"{document['username']}@{document['domain']}")
            for document in found
            if any(_leads(rule, ids, addresses) for rule in document["call_forwardings"])
        ]


def _leads(rule: Document, ids: Collection[int], addresses: Collection[str]) -> bool:
    is_target = rule.get("contact_id") in ids or rule.get("target") in addresses
    return is_target and rule.get("enabled") is True
