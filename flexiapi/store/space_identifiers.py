"""Identifiers of accounts as the tables of domains want them, and the accounts that would share one."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, NamedTuple

from flexiapi.errors import FlexiapiError
from flexiapi.store import driver
from flexiapi.store.connection import Records
from flexiapi.store.documents import AccountDocuments, Document
from flexiapi.store.driver import Database

_AT_ONCE = 500
_MOST_PAIRS = 20
_NAMES = ("username", "domain", "phone", "email", "claimed_phone", "claimed_email", "unconfirmed")


class SpaceTablesCollide(FlexiapiError):
    """Accounts would share an identifier. `pairs` has some of them: identifier, and the addresses that it names."""

    def __init__(self, pairs: Sequence[tuple[str, str, str]]) -> None:
        lines = [f"  {identifier}: sip:{one} and sip:{other}" for identifier, one, other in pairs]
        text = "These accounts would share a number or an address. Change one of each pair, or keep the tables:"
        super().__init__("\n".join([text, *lines]))
        self.pairs = tuple(pairs)


class _Names(NamedTuple):
    username: str
    domain: str
    phone: str | None
    email: str | None
    claimed_phone: str | None
    claimed_email: str | None
    unconfirmed: bool


class WantedIdentifiers(Records, bounds=False):
    """The accounts of domains, with the identifiers that they should have. `with_table` names domains with a table."""

    def __init__(
        self,
        database: Database,
        documents: AccountDocuments,
        with_table: Collection[str],
    ) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._documents = documents
        self._with_table = with_table

    async def batches(self, domains: Sequence[str]) -> AsyncIterator[list[Document]]:
        """Yield the accounts of the domains in batches, with their names and identifiers."""
        fields = {**dict.fromkeys(_NAMES, 1), "identifiers": 1}
        for domain in domains:
            last_id = 0
            while True:
                query = {"domain": domain, "_id": {"$gt": last_id}}
                batch = await self._accounts.find(query, fields, sort=[("_id", 1)], limit=_AT_ONCE).to_list(None)
                if not batch:
                    break
                yield batch
                last_id = batch[-1]["_id"]

    def of(self, document: Document) -> list[str]:
        """Return the identifiers that the account of a document should have."""
        values: Any = [document.get(name) for name in _NAMES]
        return self._documents.identifiers(_Names(*values))

    async def colliding(self, domains: Sequence[str]) -> list[tuple[str, str, str]]:
        """Return pairs of accounts that would share an identifier: with others, and with each other."""
        pairs: list[tuple[str, str, str]] = []
        async for batch in self.batches(domains):
            new = {
                identifier: one for one in batch for identifier in self.of(one) if identifier not in one["identifiers"]
            }
            query = {"identifiers": {"$in": list(new)}}
            async for other in self._accounts.find(query, {**dict.fromkeys(_NAMES, 1), "identifiers": 1}):
                # One that gives the identifier up in the same step does not collide.
                wanted = self.of(other)
                pairs += [
                    (identifier, _address(new[identifier]), _address(other))
                    for identifier in other["identifiers"]
                    if identifier in new and identifier in wanted and new[identifier]["_id"] != other["_id"]
                ]
            if len(pairs) >= _MOST_PAIRS:
                break
        return (pairs or await self._colliding_inside(domains))[:_MOST_PAIRS]

    async def _colliding_inside(self, domains: Sequence[str]) -> list[tuple[str, str, str]]:
        """Return pairs among the accounts of domains that lose their tables, which become one space."""
        losing = [domain for domain in domains if domain not in self._with_table]
        pairs = []
        for field, number in (("phone", "$phone"), ("email", _PROVEN_EMAIL)):
            pipeline: list[Document] = [
                {"$match": {"domain": {"$in": losing}}},
                {"$project": {"name": number, "address": {"$concat": ["$username", "@", "$domain"]}, **_OWN}},
            ]
            if field == "phone":
                both = {"$setUnion": [["$name"], [{"$cond": [_IS_NUMBER, "$username", "$name"]}]]}
                pipeline += [{"$set": {"name": both}}, {"$unwind": "$name"}]
            pipeline += [
                {"$match": {"name": {"$type": "string"}}},
                {"$group": {"_id": "$name", "one": {"$min": "$address"}, "other": {"$max": "$address"}}},
                {"$match": {"$expr": {"$ne": ["$one", "$other"]}}},
                {"$limit": _MOST_PAIRS},
            ]
            scheme = "tel" if field == "phone" else "mailto"
            if len(losing) > 1 and (field == "phone" or self._documents.email_unique):
                found = await driver.aggregated(self._accounts, pipeline, allowDiskUse=True)
                pairs += [(f"{scheme}:{one['_id']}", one["one"], one["other"]) for one in found]
        return pairs


_OWN = {"username": 1, "claimed_phone": 1}
# Numbers and addresses that are not proven are no identifiers.
_IS_NUMBER = {"$and": [{"$eq": [{"$substrCP": ["$username", 0, 1]}, "+"]}, {"$ne": ["$username", "$claimed_phone"]}]}
_PROVEN_EMAIL = {"$cond": [{"$eq": ["$email", "$claimed_email"]}, None, "$email"]}


def _address(document: Document) -> str:
    return f"{document['username']}@{document['domain']}"
