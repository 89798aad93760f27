"""Changes of accounts. `AccountStore.apply` is the one door for them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from flexiapi.coalescing import Batches
from flexiapi.model import Account, Actor, Change
from flexiapi.store.account_lookups import AccountLookups
from flexiapi.store.account_ranges import AccountRanges
from flexiapi.store.connection import duplicates
from flexiapi.store.counters import Counters
from flexiapi.store.documents import IDENTITY, AccountDocuments, Document
from flexiapi.store.quotas import AccountQuotas
from flexiapi.store.trail import trace

_CREDENTIALS = frozenset({"username", "domain", "phone", "passwords", "activated"})


class IdentifierTaken(Exception):
    """Another account has the identifier, such as `sip:alice@sip.example.org`, `tel:+33...` or `mailto:...`."""

    def __init__(self, identifier: str) -> None:
        super().__init__("the identifier is taken")
        self.identifier = identifier


class AccountStore(AccountLookups):
    """The account collection: one document for each account, found by any of its identifiers."""

    def __init__(
        self,
        database: "AsyncIOMotorDatabase[dict[str, Any]]",
        documents: AccountDocuments,
        counters: Counters,
        ranges: AccountRanges,
        quotas: AccountQuotas,
    ) -> None:
        super().__init__(database, documents)
        self._ranges = ranges
        self._quotas = quotas
        self._counters = counters
        self._additions: Batches[Document, None] = Batches(self._insert, in_flight=2)

    async def apply(self, change: Change[Account], actor: Actor) -> Account | None:
        """Write a change as one atomic operation on one document, and return the account as it is then.

        A new account gets its id here. A removal returns the account as it was read. Return `None`, with nothing
        written, if the account no longer exists, if its names changed since it was read and the change writes names,
        or if another precondition does not hold. Raises `IdentifierTaken`, and `SpaceFull` for one account too many.
        """
        account: Account | None
        if change.before is None:
            account = await self._add(change)
        elif change.after is None:
            account = await self._remove(change.before, change.expecting)
        else:
            account = await self._update(change.before, change.after, change)
        if account is not None:
            if _touches_credentials(change):
                actor.credentials_changed(account.id)
            trace(actor, change.event, account=account.id)
        return account

    async def _add(self, change: Change[Account]) -> Account:
        assert change.after is not None
        domain = change.after.domain
        if self._quotas.limited:
            await self._quotas.reserve(domain)
        account = replace(change.after, id=await self._counters.next("accounts"))
        try:
            await self._additions.add(self._documents.encode(account))
        except IdentifierTaken:
            if self._quotas.limited:
                await self._quotas.give_back(domain)
            raise
        return account

    async def _insert(self, documents: Sequence[Document]) -> list[BaseException | None]:
        results: list[BaseException | None] = [None] * len(documents)
        try:
            await self._accounts.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            for failure in duplicates(error):
                results[failure["index"]] = taken_by(failure)
        return results

    async def _remove(self, account: Account, expecting: Mapping[str, Any]) -> Account | None:
        await self._ranges.announce([account.id])
        query = {"_id": account.id, **self._documents.conditions(expecting)}
        if (await self._accounts.delete_one(query)).deleted_count != 1:
            return None
        if self._quotas.limited:
            await self._quotas.give_back(account.domain)
        return account

    async def _update(self, before: Account, after: Account, change: Change[Account]) -> Account | None:
        if after.domain != before.domain:
            await self._ranges.announce([before.id])
        query: Document = {"_id": before.id, **self._documents.conditions(change.expecting)}
        if change.fields & IDENTITY:
            query.update({name: getattr(before, name) for name in IDENTITY})
        update = self._documents.changes(after, change.fields)
        if change.element is not None:
            condition, element_update = self._documents.element(change.element)
            query |= condition
            update |= element_update
        if change.ends_sign_ins:
            update["$inc"] = {"epoch": 1}
        if self._quotas.limited and self._quotas.is_move(before.domain, after.domain):
            return await self._move(before, after, query, update)
        return await self._update_one(query, update)

    async def _move(self, before: Account, after: Account, query: Document, update: Document) -> Account | None:
        """Write a change of domain that takes a place in another space. Raises `SpaceFull`."""
        await self._quotas.reserve(after.domain)
        try:
            account = await self._update_one(query, update)
        except IdentifierTaken:
            await self._quotas.give_back(after.domain)
            raise
        await self._quotas.give_back(after.domain if account is None else before.domain)
        return account

    async def _update_one(self, query: Document, update: Document) -> Account | None:
        try:
            document = await self._accounts.find_one_and_update(query, update, return_document=ReturnDocument.AFTER)
        except DuplicateKeyError as error:
            raise taken_by(error.details or {}) from error
        return self._decoded(document)

    async def count_try(self, account_id: int, pending: str, most: int) -> Account | None:
        """Count a try at the pending code in the field `pending`, before it is compared.

        Return the account as it is then, `None` if no code is pending or all `most` tries are used.
        """
        query = {"_id": account_id, pending: {"$exists": True}, f"{pending}.attempts": {"$lt": most}}
        return await self._update_one(query, {"$inc": {f"{pending}.attempts": 1}})

    async def forget_contact(self, account_id: int) -> None:
        """Remove a removed account from the contacts of all others."""
        await self._accounts.update_many({"contacts": account_id}, {"$pull": {"contacts": account_id}})


def _touches_credentials(change: Change[Account]) -> bool:
    """Return whether an account may sign in by SIP otherwise after the change than before."""
    if change.before is None:
        return change.after is not None and change.after.activated
    return change.after is None or bool(change.fields & _CREDENTIALS)


def taken_by(details: Mapping[str, Any]) -> IdentifierTaken:
    """Return the failure that a duplicate key error of MongoDB stands for."""
    value = details.get("keyValue", {}).get("identifiers", "")
    return IdentifierTaken(str(value))
