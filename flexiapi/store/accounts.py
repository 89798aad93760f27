"""Changes of accounts. `AccountStore.apply` is the one door for them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError

from flexiapi.concurrency.coalescing import Batches
from flexiapi.crypto.keys import Secret, found_by
from flexiapi.model import (
    CREDENTIAL_FIELDS,
    Account,
    Action,
    Actor,
    Change,
    DictionaryEntry,
    Element,
    ElementChange,
)
from flexiapi.observing import log
from flexiapi.store.account_lookups import AccountLookups, having_token
from flexiapi.store.account_ranges import AccountRanges
from flexiapi.store.connection import duplicates
from flexiapi.store.counters import Counters
from flexiapi.store.documents import SPOKEN, STORED_NAMES, AccountDocuments, Document, plain
from flexiapi.store.driver import Database
from flexiapi.store.forwardings import forwardings_stored
from flexiapi.store.journal import Journal
from flexiapi.store.pending_events import event_document, inserting, updating
from flexiapi.store.quotas import AccountQuotas

_SILENT = frozenset({"updated_at"})


class IdentifierTaken(Exception):
    """Another account has the identifier, such as `sip:alice@sip.example.org`, `tel:+33...` or `mailto:...`."""

    def __init__(self, identifier: str) -> None:
        super().__init__("the identifier is taken")
        self.identifier = identifier


class AccountStore(AccountLookups):
    """The account collection: one document for each account, found by any of its identifiers."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        documents: AccountDocuments,
        counters: Counters,
        ranges: AccountRanges,
        quotas: AccountQuotas,
    ) -> None:
        super().__init__(database, journal, documents)
        self._ranges = ranges
        self._quotas = quotas
        self._counters = counters
        self._additions: Batches[Document, None] = Batches(self._insert_all, in_flight=2)

    async def apply(self, change: Change[Account], actor: Actor) -> Account | None:
        """Write a change as one atomic operation on one document, and return the account as it is then.

        A new account gets its id here. A removal returns the account as it was read. Return `None`, with nothing
        written, if the account no longer exists, if its names changed since it was read and the change writes names,
        if its domain changed and the change removes it, or if another precondition does not hold. Raises
        `IdentifierTaken`, and `SpaceFull` for one account too many.
        """
        event = event_document(actor, change.event, _details(change))
        account: Account | None
        if change.before is None:
            account = await self._add(change, event)
        elif change.after is None:
            account = await self._discard(change.before, change.expecting, event)
        else:
            account = await self._update(change.before, change.after, change, event)
        if account is None:
            return None
        if _touches_credentials(change):
            actor.credentials_changed(account.id)
        if role := _role(change):
            log.info("administrator role", is_now=role, account=account.id, by=actor.label, ip=actor.address)
        return account

    async def _add(self, change: Change[Account], event: Document) -> Account:
        assert change.after is not None
        domain = change.after.domain
        if self._quotas.limited:
            await self._quotas.reserve(domain)
        account = change.after
        if account.id:
            # It was reserved some time ago, perhaps longer than pages of accounts expect.
            await self._ranges.announce([account.id])
        else:
            account = replace(account, id=await self._counters.next("accounts"))
        document = inserting(self._documents.encode(account), event)
        try:
            await self._additions.add(document)
        except IdentifierTaken:
            if self._quotas.limited:
                await self._quotas.give_back(domain)
            raise
        self._journal.pending.note(self._name, document)
        return account

    async def _insert_all(self, documents: Sequence[Document]) -> list[BaseException | None]:
        results: list[BaseException | None] = [None] * len(documents)
        try:
            await self._accounts.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            for failure in duplicates(error):
                results[failure["index"]] = taken_by(failure)
        return results

    async def _discard(self, account: Account, expecting: Mapping[str, Any], event: Document) -> Account | None:
        await self._ranges.announce([account.id])
        # The place that is given back must be one of the space in which the account is.
        query = conditions({**expecting, "domain": account.domain})
        removed = await self._journal.announcements.remove(self._name, account.id, event, query)
        if removed and self._quotas.limited:
            await self._quotas.give_back(account.domain)
        return account if removed else None

    async def _update(
        self, before: Account, after: Account, change: Change[Account], event: Document
    ) -> Account | None:
        if after.domain != before.domain:
            await self._ranges.announce([before.id])
        query: Document = {"_id": before.id, **conditions(change.expecting)}
        if change.fields & SPOKEN:
            for name in SPOKEN.difference(before.unreadable):
                query.update(self._documents.stored(name, before))
        update = self._documents.changes(after, change.fields)
        if change.element is not None:
            condition, element_update = element_change(change.element)
            query |= condition
            update |= element_update
        if change.ends_sign_ins and "sign_in_epoch" in before.unreadable:
            update.setdefault("$set", {})["epoch"] = 1
        elif change.ends_sign_ins:
            update["$inc"] = {"epoch": 1}
        if self._quotas.limited and self._quotas.is_move(before.domain, after.domain):
            return await self._move(before, after, query, updating(update, event))
        return await self._written(query, updating(update, event))

    async def _move(self, before: Account, after: Account, query: Document, update: Document) -> Account | None:
        """Write a change of domain that takes a place in another space. Raises `SpaceFull`."""
        await self._quotas.reserve(after.domain)
        try:
            account = await self._written(query, update)
        except IdentifierTaken:
            await self._quotas.give_back(after.domain)
            raise
        await self._quotas.give_back(after.domain if account is None else before.domain)
        return account

    async def _written(self, query: Document, update: Document) -> Account | None:
        try:
            return self._decoded(await self._carry(query, update))
        except DuplicateKeyError as error:
            raise taken_by(error.details or {}) from error

    async def count_try(self, account_id: int, pending: str, most: int) -> Account | None:
        """Count a try at the pending code in the field `pending`, before it is compared.

        Return the account as it is then, `None` if no code is pending or all `most` tries are used.
        """
        query = {"_id": account_id, pending: {"$exists": True}, f"{pending}.attempts": {"$lt": most}}
        counted = {"$inc": {f"{pending}.attempts": 1}}
        return self._decoded(
            await self._accounts.find_one_and_update(query, counted, return_document=ReturnDocument.AFTER)
        )

    async def forget_contact(self, account_id: int) -> None:
        """Remove a removed account from the contacts of all others."""
        await self._accounts.update_many({"contacts": account_id}, {"$pull": {"contacts": account_id}})


def _touches_credentials(change: Change[Account]) -> bool:
    """Return whether an account may sign in by SIP otherwise after the change than before."""
    if change.before is None:
        return change.after is not None and change.after.activated
    return change.after is None or bool(change.fields & CREDENTIAL_FIELDS)


def _role(change: Change[Account]) -> str | None:
    """Return whether the change gives or takes the administrator role, `None` if it does neither."""
    before = change.before is not None and change.before.is_admin
    after = change.after is not None and change.after.is_admin
    if before == after:
        return None
    return "granted" if after else "withdrawn"


def _details(change: Change[Account]) -> Document:
    """Return what the event of a change tells beside its name: addresses and names of fields.

    The only value of a field is the reason of a block.
    """
    account = change.after or change.before
    assert account is not None
    details: Document = {"address": account.address}
    if role := _role(change):
        details["role"] = role
    if "block_reason" in change.fields and account.block_reason is not None:
        details["reason"] = account.block_reason
    if change.before is not None and change.before.address != account.address:
        details["former_address"] = change.before.address
    fields = change.fields - _SILENT
    if change.element is not None:
        fields |= {change.element.field}
        item = change.element.item
        details["element"] = item.key if isinstance(item, DictionaryEntry) else getattr(item, "id", item)
    if fields:
        details["fields"] = sorted(fields)
    return details


def taken_by(details: Mapping[str, Any]) -> IdentifierTaken:
    """Return the failure that a duplicate key error of MongoDB stands for."""
    value = details.get("keyValue", {}).get("identifiers", "")
    return IdentifierTaken(str(value))


def conditions(expecting: Mapping[str, Any]) -> Document:
    """Return the query for preconditions, which name fields of the account by dotted path."""
    query: Document = {}
    for path, value in expecting.items():
        if value is not None and path in ("provisioning_token", "confirmation.key"):
            having = having_token(value) if path == "provisioning_token" else _having_key(value)
            query.setdefault("$and", []).append({"$or": having})
        elif path == "call_forwardings":
            query[path] = forwardings_stored(value) or None
        else:
            query[".".join(_stored_path(path))] = value
    return query


def element_change(element: Element) -> tuple[Document, Document]:
    """Return the query and the update of a change to one element of a list."""
    name, item = STORED_NAMES.get(element.field, element.field), element.item
    if not isinstance(item, Action | DictionaryEntry):
        if element.kind is ElementChange.ADDED:
            return {name: {"$ne": item}}, {"$push": {name: item}}
        return {name: item}, {"$pull": {name: item}}
    identity = {"id": item.id} if isinstance(item, Action) else {"key": item.key}
    named = {name: {"$elemMatch": identity}}
    if element.kind is ElementChange.ADDED:
        room = {} if element.most is None else {f"{name}.{element.most - 1}": {"$exists": False}}
        return {"$nor": [named], **room}, {"$push": {name: plain(item)}}
    if element.kind is ElementChange.REPLACED:
        return named, {"$set": {f"{name}.$": plain(item)}}
    return named, {"$pull": {name: identity}}


def _having_key(key: Secret) -> list[Document]:
    """Return the alternatives of a query for an account that waits for a confirmation key."""
    without = {f"confirmation.{name}": {"$exists": False} for name in ("key", "pin_hash")}
    sealed = {"confirmation": {"$exists": True}, **without, "confirmation_secret.hash": found_by(key)}
    return [sealed, {"confirmation.key": key}] if isinstance(key, str) else [sealed]


def _stored_path(path: str) -> list[str]:
    """Return the parts of a dotted path, the first by its name in documents."""
    first, *rest = path.split(".")
    return [STORED_NAMES.get(first, first), *rest]
