"""Accounts: one document each, found by any of its identifiers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from flexiapi.model import Account, Challenged
from flexiapi.store.account_ranges import AccountRanges
from flexiapi.store.coalesce import Batches, CoalescedReads
from flexiapi.store.connection import Records, duplicates
from flexiapi.store.counters import Counters
from flexiapi.store.documents import IDENTITY, AccountDocuments, Document


class IdentifierTaken(Exception):
    """Another account has the identifier, such as `sip:alice@sip.example.org`, `tel:+33...` or `mailto:...`."""

    def __init__(self, identifier: str) -> None:
        super().__init__("the identifier is taken")
        self.identifier = identifier


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """An account found by its API key, and when that was used last."""

    account: Account
    key_created_at: datetime
    key_last_used_at: datetime


_SIGN_IN = frozenset({"username", "domain", "phone", "passwords", "activated"})


class AccountStore(Records):
    """The accounts. Reads answer `None` for what is not there.

    `on_sign_in_change` is told the id of each account that may now sign in otherwise than before, after the write.
    """

    on_sign_in_change: Callable[[int], None] = staticmethod(lambda _: None)

    def __init__(
        self,
        database: "AsyncIOMotorDatabase[dict[str, Any]]",
        documents: AccountDocuments,
        counters: Counters,
        ranges: AccountRanges,
    ) -> None:
        super().__init__(database)
        self._ranges = ranges
        self._accounts = database["accounts"]
        self._documents = documents
        self._counters = counters
        self._by_id = CoalescedReads[int, Document](self._reader("_id"))
        self._by_identifier = CoalescedReads[str, Document](self._read_by_identifiers)
        self._activated = CoalescedReads[str, Document](self._reader_of_some({"_id": 0, "activated": 1}))
        challenge = {"epoch": 1, "passwords.algorithm": 1}
        self._challenged = CoalescedReads[str, Document](self._reader_of_some(challenge))
        self._by_key = CoalescedReads[bytes, Document](self._reader("api_key.hash"))
        self._additions: Batches[Document, None] = Batches(self._insert, in_flight=2)

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
        """Reads some fields by the address itself, aliases not counting: what is asked most needs the least."""
        wanted = {**projection, "username": 1, "domain": 1}

        async def read(keys: Sequence[str]) -> Mapping[str, Document]:
            found = await self._find("identifiers", keys, wanted)
            return {f"sip:{document['username']}@{document['domain']}": document for document in found}

        return read

    async def _find(
        self, field: str, keys: Sequence[Any], projection: Mapping[str, int] | None = None
    ) -> list[Document]:
        if len(keys) == 1:
            document = await self._accounts.find_one({field: keys[0]}, projection)
            return [] if document is None else [document]
        cursor = self._accounts.find({field: {"$in": list(keys)}}, projection, batch_size=len(keys) + 1)
        return await cursor.to_list(None)

    def _decoded(self, document: Document | None) -> Account | None:
        return None if document is None else self._documents.decode(document)

    async def by_id(self, account_id: int) -> Account | None:
        """The account with the id."""
        return self._decoded(await self._by_id.get(account_id))

    async def by_ids(self, account_ids: Sequence[int]) -> list[Account]:
        """The accounts with these ids that exist, by id."""
        if not account_ids:
            return []
        cursor = self._accounts.find({"_id": {"$in": list(account_ids)}}).sort("_id")
        return [self._documents.decode(document) for document in await cursor.to_list(None)]

    async def after(self, last_id: int, limit: int) -> list[Account]:
        """The first `limit` accounts with a greater id, by id."""
        cursor = self._accounts.find({"_id": {"$gt": last_id}}, sort=[("_id", 1)], limit=limit, batch_size=limit + 1)
        return [self._documents.decode(document) for document in await cursor.to_list(None)]

    async def by_address(self, username: str, domain: str) -> Account | None:
        """The account with exactly this user name and domain; aliases do not count."""
        document = await self._by_identifier.get(f"sip:{username}@{domain}")
        if document is None or document["username"] != username or document["domain"] != domain:
            return None
        return self._documents.decode(document)

    async def challenged(self, username: str, domain: str) -> Challenged | None:
        """What a DIGEST challenge to exactly this user name and domain needs."""
        document = await self._challenged.get(f"sip:{username}@{domain}")
        if document is None:
            return None
        algorithms = tuple(password["algorithm"] for password in document.get("passwords", ()))
        return Challenged(document["_id"], document["domain"], document.get("epoch", 0), algorithms)

    async def is_activated(self, username: str, domain: str) -> bool | None:
        """Whether the account with exactly this user name and domain is activated; `None` when there is none."""
        document = await self._activated.get(f"sip:{username}@{domain}")
        return None if document is None else bool(document["activated"])

    async def by_address_or_alias(self, username: str, domain: str) -> Account | None:
        """The account with this user name or phone alias in the domain."""
        return self._decoded(await self._by_identifier.get(f"sip:{username}@{domain}"))

    async def by_phone(self, phone: str) -> Account | None:
        """The account with this phone alias, or named like the number."""
        return self._decoded(await self._by_identifier.get(f"tel:{phone}"))

    async def owner_of(self, identifier: str) -> int | None:
        """The id of the account that has the identifier."""
        document = await self._by_identifier.get(identifier)
        return None if document is None else int(document["_id"])

    async def by_api_key(self, key_hash: bytes) -> KeyHolder | None:
        """The account whose API key has this hash."""
        document = await self._by_key.get(key_hash)
        if document is None:
            return None
        key = document["api_key"]
        return KeyHolder(self._documents.decode(document), key["created_at"], key["last_used_at"])

    async def by_provisioning_token(self, token: str) -> Account | None:
        """The account that holds the token."""
        return self._decoded(await self._accounts.find_one({"provisioning_token": token}))

    async def add(self, account: Account) -> Account:
        """Add an account; its `id` is given here. Raises `IdentifierTaken`."""
        account = replace(account, id=await self._counters.next("accounts"))
        await self._additions.add(self._documents.encode(account))
        if account.activated:
            self.on_sign_in_change(account.id)
        return account

    async def _insert(self, documents: Sequence[Document]) -> list[BaseException | None]:
        results: list[BaseException | None] = [None] * len(documents)
        try:
            await self._accounts.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            for failure in duplicates(error):
                results[failure["index"]] = taken_by(failure)
        return results

    async def update(
        self,
        account: Account,
        *,
        expecting: Mapping[str, Any] | None = None,
        sign_out: bool = False,
        keep_api_key: bool = False,
        **changes: Any,
    ) -> Account | None:
        """Change the named fields, and only them; the account as it is then.

        `None` when it is gone, when another request changed its names meanwhile, or when a field of `expecting`
        (by dotted name) has another value. `sign_out` ends its nonces, and its API key unless that is to be kept, in
        the same write. Raises `IdentifierTaken`.
        """
        after = replace(account, **changes)
        if after.domain != account.domain:
            await self._ranges.announce([account.id])
        names = frozenset(changes)
        query: Document = {"_id": account.id, **(expecting or {})}
        if names & IDENTITY:
            query.update({name: getattr(account, name) for name in IDENTITY})
        update = self._documents.changes(after, names)
        if sign_out:
            update["$inc"] = {"epoch": 1}
        if sign_out and not keep_api_key:
            update.setdefault("$unset", {})["api_key"] = ""
        changed = await self._update_one(query, update)
        if changed is not None and names & _SIGN_IN:
            self.on_sign_in_change(changed.id)
        return changed

    async def _update_one(self, query: Document, update: Document) -> Account | None:
        try:
            document = await self._accounts.find_one_and_update(query, update, return_document=ReturnDocument.AFTER)
        except DuplicateKeyError as error:
            raise taken_by(error.details or {}) from error
        return self._decoded(document)

    async def count_try(self, account_id: int, pending: str, most: int) -> Account | None:
        """Count a try at a pending code, before it is compared; `None` when none is pending or all tries are used."""
        query = {"_id": account_id, pending: {"$exists": True}, f"{pending}.attempts": {"$lt": most}}
        return await self._update_one(query, {"$inc": {f"{pending}.attempts": 1}})

    async def consume_provisioning_token(
        self, account: Account, token: str, *, sign_out: bool, **changes: Any
    ) -> Account | None:
        """Take the token from the account, with further changes.

        `None` when another request was faster, or has changed meanwhile what the account signs in by.
        """
        return await self.update(
            account,
            expecting={"provisioning_token": token, "epoch": account.sign_in_epoch},
            sign_out=sign_out,
            **{**changes, "provisioning_token": None, "provisioning_token_at": None},
        )

    async def set_api_key(
        self, account_id: int, key_hash: bytes, now: datetime, expecting: Mapping[str, Any] | None = None
    ) -> bool:
        """Give the account a key in place of the one it had; whether it is there, with these values in its document."""
        key = {"hash": key_hash, "created_at": now, "last_used_at": now}
        query: Document = {"_id": account_id, **(expecting or {})}
        return (await self._accounts.update_one(query, {"$set": {"api_key": key}})).matched_count == 1

    async def remove_api_key(self, account_id: int, key_hash: bytes) -> None:
        """Take the account's key away, if it is still this one."""
        query = {"_id": account_id, "api_key.hash": key_hash}
        await self._accounts.update_one(query, {"$unset": {"api_key": ""}})

    async def has_other_active_admin(self, account_id: int) -> bool:
        """Whether an activated administrator remains without this one."""
        query = {"admin_since": {"$exists": True}, "activated": True, "_id": {"$ne": account_id}}
        return await self._accounts.find_one(query, {"_id": 1}) is not None

    async def remove(self, account_id: int, expecting: Mapping[str, Any] | None = None) -> bool:
        """Remove the account; whether it was there, with these values in its document."""
        await self._ranges.announce([account_id])
        removed = (await self._accounts.delete_one({"_id": account_id, **(expecting or {})})).deleted_count == 1
        if removed:
            self.on_sign_in_change(account_id)
        return removed

    async def forget_contact(self, account_id: int) -> None:
        """Take a removed account out of everybody's contacts and lists."""
        await self._accounts.update_many({"contacts": account_id}, {"$pull": {"contacts": account_id}})


def taken_by(details: Mapping[str, Any]) -> IdentifierTaken:
    """What a duplicate key error says."""
    value = details.get("keyValue", {}).get("identifiers", "")
    return IdentifierTaken(str(value))
