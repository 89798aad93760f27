"""Single-use tokens that belong to an account: auth tokens, which sign in a device, and tokens of reset links."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flexiapi.crypto.keys import token_hash
from flexiapi.model import Actor, AskingBrowser, QrRequest, Space
from flexiapi.store.driver import Database
from flexiapi.store.journal import Journal
from flexiapi.store.tokens import USED_EPOCH, AccountTokenRecords, document_of, key_of

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attached:
    """An account, and the epoch of the sign-in that attached a token to it."""

    account_id: int
    epoch: int


@dataclass(frozen=True, slots=True)
class MailedTo(Attached):
    """An account, the epoch of its sign-ins, and the SHA-256 of the address to which a link was mailed."""

    address_hash: bytes


class ResetLinkStore(AccountTokenRecords):
    """Tokens of mailed links that each set one new password of an account."""

    _kind = "reset_link"

    def __init__(self, database: Database, journal: Journal) -> None:
        super().__init__(database, journal, "reset_links")

    async def keep(
        self, token: str, space: Space, mailed: MailedTo, now: datetime, expires_at: datetime, actor: Actor
    ) -> None:
        """Store a token of a space for the present sign-ins of an account."""
        document: Document = {
            "_id": token_hash(token, space.stored),
            "created_at": now,
            "expires_at": expires_at,
            "account_id": mailed.account_id,
            "epoch": mailed.epoch,
            "address": mailed.address_hash,
            **({} if space.stored is None else {"space": space.stored}),
        }
        await self._insert(document, actor, f"{self._kind}.created")

    async def holder(self, token: str, now: datetime, space: Space) -> MailedTo | None:
        """Return the account of a token of the space that can be used, without using it."""
        document = await self._records.find_one(_unused(token_hash(token, space.stored), now))
        return None if document is None else _mailed_to(document)

    async def consume(self, token: str, now: datetime, actor: Actor) -> MailedTo | None:
        """Consume the token. Return its account, `None` if the token is unknown, expired or used."""
        query = _unused(key_of(token, actor), now)
        document = await self._change(query, {"$set": {"used_at": now}}, actor, f"{self._kind}.used")
        return None if document is None else _mailed_to(document)


class AuthTokenStore(AccountTokenRecords):
    """Tokens that each let one device sign in as the account that another device attaches it to.

    A token that a browser asked for signs in that browser alone, which has a secret beside the token that it shows.
    """

    _kind = "auth_token"

    def __init__(self, database: Database, journal: Journal) -> None:
        super().__init__(database, journal, "auth_tokens")

    async def attach(self, token: str, account_id: int, epoch: int, now: datetime, actor: Actor) -> bool:
        """Bind the token to the present sign-ins of an account. Return False if it is unknown, expired or bound."""
        query = {"_id": key_of(token, actor), "account_id": {"$exists": False}, "expires_at": {"$gt": now}}
        change = {"$set": {"account_id": account_id, "epoch": epoch}}
        return await self._change(query, change, actor, "auth_token.attached") is not None

    async def attached(self, token: str, now: datetime, space: Space | None = None) -> Attached | None:
        """Return the account that the token of the space (`None`: the default) is attached to, without using it."""
        key = token_hash(token, None if space is None else space.stored)
        document = await self._records.find_one(_attached(key, now))
        return None if document is None else Attached(document["account_id"], document["epoch"])

    async def consume(self, token: str, now: datetime, actor: Actor) -> bool:
        """Consume an attached token. Return False if it is not attached, or was consumed by a faster request."""
        change = {"$set": {"epoch": USED_EPOCH}}
        return await self._change(_attached(key_of(token, actor), now), change, actor, "auth_token.used") is not None

    async def ask(self, token: str, browser: AskingBrowser, now: datetime, expires_at: datetime, actor: Actor) -> None:
        """Store a token that a browser asks another device to attach."""
        asking = {
            "secret": browser.secret_hash,
            "number": browser.number,
            "choices": list(browser.choices),
            "address": browser.address,
            "user_agent": browser.user_agent,
        }
        document = {**document_of(token, now, expires_at, actor), "browser": asking}
        await self._insert(document, actor, f"{self._kind}.created")

    async def asked(self, token: str, now: datetime, space: Space) -> QrRequest | None:
        """Return the request of a browser of the space, `None` if it is unknown, expired or done."""
        query: Document = {
            "_id": token_hash(token, space.stored),
            "browser": {"$exists": True},
            "epoch": {"$ne": USED_EPOCH},
            "expires_at": {"$gt": now},
        }
        document = await self._records.find_one(query)
        if document is None:
            return None
        asking = document["browser"]
        browser = AskingBrowser(
            bytes(asking["secret"]),
            asking["number"],
            tuple(asking["choices"]),
            asking["address"],
            asking["user_agent"],
        )
        return QrRequest(browser, document["expires_at"], document.get("account_id"), document.get("epoch"))

    async def redeem(self, token: str, secret_hash: bytes, now: datetime, actor: Actor) -> Attached | None:
        """Consume the attached token of the browser that has the secret. Return the account, `None` if it cannot."""
        query = {**_attached(key_of(token, actor), now), "browser": {"$exists": True}, "browser.secret": secret_hash}
        document = await self._records.find_one(query)
        if document is None:
            return None
        used = await self._change(query, {"$set": {"epoch": USED_EPOCH}}, actor, "auth_token.used")
        return None if used is None else Attached(document["account_id"], document["epoch"])

    async def refuse(self, token: str, actor: Actor) -> None:
        """Remove the token of a browser that is not to be signed in."""
        query: Document = {"_id": key_of(token, actor), "account_id": {"$exists": False}}
        await self._journal.pending.delete(self._name, query)

    async def add_attached(
        self, token: str, account_id: int, epoch: int, now: datetime, expires_at: datetime, actor: Actor
    ) -> None:
        """Store a token that is attached already, in place of those that the account had made before."""
        await self._journal.pending.delete(self._name, {"account_id": account_id, "own": True})
        document = {**document_of(token, now, expires_at, actor), "account_id": account_id, "epoch": epoch, "own": True}
        await self._insert(document, actor, f"{self._kind}.created")


def _mailed_to(document: Document) -> MailedTo:
    return MailedTo(document["account_id"], document["epoch"], bytes(document["address"]))


def _unused(key: bytes, now: datetime) -> Document:
    return {"_id": key, "used_at": {"$exists": False}, "expires_at": {"$gt": now}}


def _attached(key: bytes, now: datetime) -> Document:
    """Return the query for a token that is attached and not used: then it keeps the account, and no epoch.

    The token of a browser is none of these: a photograph of it would be enough.
    """
    return {
        "_id": key,
        "browser": {"$exists": False},
        "account_id": {"$exists": True},
        "epoch": {"$ne": USED_EPOCH},
        "expires_at": {"$gt": now},
    }
