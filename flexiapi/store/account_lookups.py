"""Lookups of accounts, coalesced: by id, identifier, API key and provisioning token."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeGuard

from flexiapi.concurrency.coalescing import CoalescedReads
from flexiapi.crypto.keys import Secret, found_by
from flexiapi.model import EVERYWHERE, Account, Challenged, Channel, Scope, Space, e164
from flexiapi.store.documents import AccountDocuments, Document, claim
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal, JournaledRecords
from flexiapi.store.pending_events import WITHOUT_EVENTS


class AccountLookups(JournaledRecords):
    """Lookups in the account collection, each within the domains of a scope.

    Each returns `None` for an account that does not exist or is in no domain of the scope.
    """

    def __init__(self, database: Database, journal: Journal, documents: AccountDocuments) -> None:
        super().__init__(database, journal, "accounts")
        self._accounts = self._records
        self._documents = documents
        self._by_id = CoalescedReads[int, Document](self._reader("_id"))
        self._by_identifier = CoalescedReads[str, Document](self._read_by_identifiers)
        self._activated = CoalescedReads[str, Document](self._reader_of_some({"_id": 0, "activated": 1}))
        challenge = {"epoch": 1, "passwords.algorithm": 1}
        self._challenged = CoalescedReads[str, Document](self._reader_of_some(challenge))
        self._by_key = CoalescedReads[bytes, Document](self._reader("api_key.hash"))

    def _reader(self, field: str) -> Callable[[Sequence[Any]], Awaitable[Mapping[Any, Document]]]:
        first, _, second = field.partition(".")

        async def read(keys: Sequence[Any]) -> Mapping[Any, Document]:
            found = await self._find(field, keys)
            return {(document[first][second] if second else document[first]): document for document in found}

        return read

    async def _read_by_identifiers(self, keys: Sequence[str]) -> Mapping[str, Document]:
        found = await self._find("identifiers", keys)
        return {identifier: document for document in found for identifier in document["identifiers"]}

    def _reader_of_some(
        self, projection: Mapping[str, int]
    ) -> Callable[[Sequence[str]], Awaitable[Mapping[str, Document]]]:
        """Make a reader of some fields by exact address, for the most frequent lookups."""
        wanted = {**projection, "username": 1, "domain": 1}

        async def read(keys: Sequence[str]) -> Mapping[str, Document]:
            found = await self._find("identifiers", keys, wanted)
            return {f"sip:{document['username']}@{document['domain']}": document for document in found}

        return read

    async def _find(
        self, field: str, keys: Sequence[Any], projection: Mapping[str, int] = WITHOUT_EVENTS
    ) -> list[Document]:
        if len(keys) == 1:
            document = await self._accounts.find_one({field: keys[0]}, projection)
            return [] if document is None else [document]
        cursor = self._accounts.find({field: {"$in": list(keys)}}, projection, batch_size=len(keys) + 1)
        return await cursor.to_list(None)

    def _decoded(self, document: Document | None, scope: Scope = EVERYWHERE) -> Account | None:
        return self._documents.decode(document) if is_within(document, scope) else None

    async def by_id(self, account_id: int, scope: Scope = EVERYWHERE) -> Account | None:
        """Return the account with the id."""
        return self._decoded(await self._by_id.get(account_id), scope)

    async def by_ids(self, account_ids: Sequence[int], scope: Scope = EVERYWHERE) -> list[Account]:
        """Return the accounts with these ids that exist, by id."""
        if not account_ids:
            return []
        cursor = self._accounts.find({"_id": {"$in": list(account_ids)}, **within(scope)}).sort("_id")
        return [self._documents.decode(document) for document in await cursor.to_list(None)]

    async def after(self, last_id: int, limit: int) -> list[Account]:
        """Return the first `limit` accounts with a greater id, by id."""
        cursor = self._accounts.find({"_id": {"$gt": last_id}}, sort=[("_id", 1)], limit=limit, batch_size=limit + 1)
        return [self._documents.decode(document) for document in await cursor.to_list(None)]

    async def by_address(self, username: str, domain: str, scope: Scope = EVERYWHERE) -> Account | None:
        """Return the account with exactly this user name and domain; aliases do not count."""
        document = await self._by_identifier.get(f"sip:{username}@{domain}")
        if document is None or document["username"] != username or document["domain"] != domain:
            return None
        return self._decoded(document, scope)

    async def challenged(self, username: str, domain: str, scope: Scope = EVERYWHERE) -> Challenged | None:
        """Return the data for a DIGEST challenge to exactly this user name and domain."""
        document = await self._challenged.get(f"sip:{username}@{domain}")
        if not is_within(document, scope):
            return None
        algorithms = tuple(password["algorithm"] for password in document.get("passwords", ()))
        return Challenged(document["_id"], document["domain"], document.get("epoch", 0), algorithms)

    async def is_activated(self, username: str, domain: str, scope: Scope = EVERYWHERE) -> bool | None:
        """Return True if the account with exactly this user name and domain is active, `None` if it does not exist."""
        document = await self._activated.get(f"sip:{username}@{domain}")
        return bool(document["activated"]) if is_within(document, scope) else None

    async def by_address_or_alias(self, username: str, domain: str, scope: Scope = EVERYWHERE) -> Account | None:
        """Return the account with this user name or phone alias in the domain."""
        return self._decoded(await self._by_identifier.get(f"sip:{username}@{domain}"), scope)

    async def by_phone(self, phone: str, space: Space) -> Account | None:
        """Return the account of a space with this phone alias, or with the number as user name, however it is spelt."""
        document = await self._by_identifier.get(f"tel:{phone}{space.suffix}")
        if document is None and (usual := e164(phone)) != phone:
            document = await self._by_identifier.get(f"tel:{usual}{space.suffix}")
        return self._decoded(document, space.scope)

    async def by_claim(self, number: str, domain: str, scope: Scope = EVERYWHERE) -> Account | None:
        """Return the account to whose number the code went that is to prove it."""
        return self._decoded(await self._by_identifier.get(claim(number, domain)), scope)

    async def awaits_code(self, channel: Channel, address: str, now: datetime, scope: Scope) -> bool:
        """Return True if a code that was sent to an address or number, to confirm a new account, is still valid."""
        code = {"confirmation.expires_at": {"$gt": now}, "confirmation.pin_hash": {"$exists": channel == "phone"}}
        query = {f"claimed_{channel}": address, "unconfirmed": True, **code, **within(scope)}
        return await self._accounts.find_one(query, {"_id": 1}) is not None

    async def owner_of(self, identifier: str) -> int | None:
        """Return the id of the account that has the identifier."""
        document = await self._by_identifier.get(identifier)
        return None if document is None else int(document["_id"])

    async def by_api_key(self, key_hash: bytes, scope: Scope = EVERYWHERE) -> Account | None:
        """Return the account whose API key has this hash."""
        return self._decoded(await self._by_key.get(key_hash), scope)

    async def by_provisioning_token(self, token: str, scope: Scope = EVERYWHERE) -> Account | None:
        """Return the account that holds the token, and of which what ends the token can be read."""
        account = self._decoded(await self._accounts.find_one({"$or": having_token(token)}), scope)
        return None if account is None or account.provisioning_token is None else account

    async def has_other_active_admin(self, account_id: int, scope: Scope = EVERYWHERE) -> bool:
        """Return True if another activated administrator exists who is not blocked."""
        query = {
            "admin_since": {"$exists": True},
            "activated": True,
            "blocked_at": {"$exists": False},
            "_id": {"$ne": account_id},
            **within(scope),
        }
        return await self._accounts.find_one(query, {"_id": 1}) is not None


def within(scope: Scope) -> Document:
    """Return the query for the accounts of a scope."""
    if scope.only is not None:
        return {"domain": scope.only}
    return {"domain": {"$nin": sorted(scope.but)}} if scope.but else {}


def is_within(document: Document | None, scope: Scope) -> TypeGuard[Document]:
    """Return whether there is an account document and its domain is in the scope: the one filter between spaces."""
    if document is None:
        return False
    domain = document.get("domain")
    return domain not in scope.but if scope.only is None else domain == scope.only


def having_token(token: Secret) -> list[Document]:
    """Return the alternatives of a query for the account that holds a provisioning token."""
    alone = {"provisioning_secret.hash": found_by(token), "provisioning_secret.alone": True}
    return [alone, {"provisioning_token": token}] if isinstance(token, str) else [alone]
