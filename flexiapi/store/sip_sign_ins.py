"""Database access of the sign-in by SIP, kept as cheap as possible because each SIP request waits for it."""

from collections.abc import Awaitable
from datetime import datetime

from pymongo import WriteConcern
from pymongo.errors import DuplicateKeyError

from flexiapi.model import EVERYWHERE, Account, Scope
from flexiapi.settings import MongodbSettings
from flexiapi.store import driver
from flexiapi.store.account_lookups import is_within
from flexiapi.store.connection import Deadlines, Translating, open_database
from flexiapi.store.documents import AccountDocuments
from flexiapi.store.driver import Collection, Database, Driver
from flexiapi.store.outage import Outage


class SipSignIns(Translating):
    """Accounts and nonces used by SIP, on PyMongo's own client, which needs no hop to a thread (decision 0044).

    The client belongs to the first event loop that uses it, and is closed by `close`.
    """

    def __init__(self, settings: MongodbSettings, uri: str, documents: AccountDocuments) -> None:
        self._settings = settings
        self._uri = uri
        self._documents = documents
        self.outage = self._outage = Outage(is_told=False)
        self.deadlines = Deadlines(settings.timeout_seconds)
        self._opened: Database | None = None

    @property
    def _database(self) -> Database:
        if self._opened is None:
            self._opened = open_database(self._settings, self._uri, self._outage, Driver.PYMONGO)
        return self._opened

    @property
    def _uses(self) -> Collection:
        """The used nonces, acknowledged by the primary's memory alone.

        A crash may lose the last tenth of a second: only a request replayed in that moment would be accepted.
        """
        return self._database["used_nonces"].with_options(write_concern=WriteConcern(w=1))

    async def account(self, username: str, domain: str, scope: Scope = EVERYWHERE) -> Account | None:
        """Return the account with exactly this user name and domain; aliases do not count."""
        document = await self._database["accounts"].find_one({"identifiers": f"sip:{username}@{domain}"})
        if document is None or document["username"] != username or document["domain"] != domain:
            return None
        return self._documents.decode(document) if is_within(document, scope) else None

    async def first(self, use: str, expires_at: datetime) -> bool:
        """Store a use until it expires. Return False if it was stored already, also by a parallel request."""
        try:
            await self._uses.insert_one({"_id": use, "expires_at": expires_at})
        except DuplicateKeyError:
            return False
        return True

    async def forget(self, use: str) -> None:
        """Remove a use, because its request was not valid."""
        await self._uses.delete_one({"_id": use})

    def close(self) -> Awaitable[None]:
        """Close the connection, also while MongoDB is away."""
        return self._close()

    async def _close(self) -> None:
        if self._opened is not None:
            await driver.close(self._opened.client)
            self._opened = None
