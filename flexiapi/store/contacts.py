"""Accounts as contacts: what views of them show, and nothing else."""

from collections.abc import Sequence

from flexiapi.model import Account, Action, AsContact, ContactRecord, DtmfProtocol, Scope
from flexiapi.store.account_lookups import within
from flexiapi.store.connection import Records
from flexiapi.store.documents import AccountDocuments, Document
from flexiapi.store.driver import Database
from flexiapi.store.unreadable import UNREADABLE

_SHOWN = dict.fromkeys(
    ("username", "domain", "activated", "phone", "display_name", "dtmf_protocol", "types", "actions"), 1
)
# Views of contacts never show these, and opening sealed passwords takes time.
_PRIVATE = dict.fromkeys(
    ("passwords", "api_key", "external_account", "bridged_account", "confirmation", "identifiers"), 0
)


class ContactStore(Records):
    """The account collection without private fields."""

    def __init__(self, database: Database, documents: AccountDocuments) -> None:
        super().__init__(database)
        self._accounts = database["accounts"]
        self._documents = documents

    async def by_ids(self, account_ids: Sequence[int], scope: Scope) -> Sequence[AsContact]:
        """Return the contacts with these ids among the accounts of the scope, by id."""
        if not account_ids:
            return []
        query = {"_id": {"$in": list(account_ids)}, **within(scope)}
        # All in one batch: MongoDB's own first one ends after 101.
        found = await self._accounts.find(query, _SHOWN, batch_size=len(account_ids) + 1).sort("_id").to_list(None)
        try:
            return [_read(document) for document in found]
        except UNREADABLE:
            return await self._in_part(query)

    async def _in_part(self, query: Document) -> list[Account]:
        """Return accounts without what cannot be read of them."""
        found = await self._accounts.find(query, _PRIVATE).sort("_id").to_list(None)
        return [self._documents.decode(document) for document in found]


def _read(document: Document) -> ContactRecord:
    """Return the contact of a document. Raises one of `UNREADABLE`."""
    read = document.get
    username, domain, activated = document["username"], document["domain"], read("activated", False)
    phone, name = read("phone"), read("display_name")
    texts = isinstance(username, str) and isinstance(domain, str)
    if not (texts and isinstance(activated, bool) and isinstance(phone, str | None) and isinstance(name, str | None)):
        raise TypeError
    protocol, types, actions = read("dtmf_protocol"), read("types"), read("actions")
    return ContactRecord(
        document["_id"],
        username,
        domain,
        activated,
        phone,
        name,
        DtmfProtocol(protocol) if protocol else None,
        tuple(types) if types else (),
        tuple(Action(**item) for item in actions) if actions else (),
    )
