"""What a sign-in by SIP reads and writes: one request in flight waits for both, so here each costs the least it can."""

from datetime import datetime
from typing import Any

from pymongo import WriteConcern
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import DuplicateKeyError

from flexiapi.model import Account
from flexiapi.settings import MongodbSettings
from flexiapi.store.connection import Translating, open_native_database
from flexiapi.store.documents import AccountDocuments


class SipSignIns(Translating):
    """Accounts, and the nonces that were used by SIP; on PyMongo's own client, which has no hop to a thread.

    The client belongs to the event loop that asks first, and `close` lets go of it.
    """

    def __init__(self, settings: MongodbSettings, uri: str, documents: AccountDocuments) -> None:
        self._settings = settings
        self._uri = uri
        self._documents = documents
        self._opened: AsyncDatabase[dict[str, Any]] | None = None

    @property
    def _database(self) -> AsyncDatabase[dict[str, Any]]:
        if self._opened is None:
            self._opened = open_native_database(self._settings, self._uri)
        return self._opened

    @property
    def _uses(self) -> AsyncCollection[dict[str, Any]]:
        """The primary's memory is enough for these.

        What a crash may lose is the last tenth of a second: only a request replayed in that moment would pass.
        """
        return self._database["used_nonces"].with_options(write_concern=WriteConcern(w=1))

    async def account(self, username: str, domain: str) -> Account | None:
        """The account with exactly this user name and domain; aliases do not count."""
        document = await self._database["accounts"].find_one({"identifiers": f"sip:{username}@{domain}"})
        if document is None or document["username"] != username or document["domain"] != domain:
            return None
        return self._documents.decode(document)

    async def first(self, use: str, expires_at: datetime) -> bool:
        """Keep a use until then; `False` when it was kept already, also among parallel requests."""
        try:
            await self._uses.insert_one({"_id": use, "expires_at": expires_at})
        except DuplicateKeyError:
            return False
        return True

    async def forget(self, use: str) -> None:
        """Make a use as good as new: it was not right."""
        await self._uses.delete_one({"_id": use})

    async def close(self) -> None:
        """Let go of the connection."""
        if self._opened is not None:
            await self._opened.client.close()
            self._opened = None
