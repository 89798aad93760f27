"""Accounts for the load, made directly in the database, with secrets that the load scripts can compute."""

import contextlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from pymongo import MongoClient, ReplaceOne
from pymongo.database import Database

from benchmarks.configuration import DATABASE, DOMAIN, KEY
from flexiapi.crypto import digest
from flexiapi.crypto.keys import ApplicationKey, token_hash
from flexiapi.crypto.nonces import Nonces
from flexiapi.model import Account, Algorithm, Password, Spaces
from flexiapi.services.sign_in import OPAQUE
from flexiapi.settings import Settings
from flexiapi.store.documents import AccountDocuments

PASSWORD = "correct-horse-battery"  # not a secret
WITH_CONTACTS = 2
CONTACTS = 200
_CHUNK = 5_000
_STRIDE = 7_919  # a prime, so that all accounts are named before one is again


def username(number: int) -> str:
    return f"user.{number:07d}"


def api_key(number: int) -> str:
    return f"key-{number:07d}"


def recovery_key(number: int) -> str:
    return f"rec{number:010d}"


def creation_token(number: int) -> str:
    return f"tok{number:010d}"


@contextlib.contextmanager
def _opened(uri: str, database: str = DATABASE) -> Iterator[Database[dict[str, Any]]]:
    client: MongoClient[dict[str, Any]]
    with MongoClient(uri) as client:
        yield client[database]


def _account(number: int, now: datetime) -> Account:
    name = username(number)
    ha1 = digest.ha1("SHA-256", name, DOMAIN, PASSWORD)
    return Account(
        id=number,
        username=name,
        domain=DOMAIN,
        created_at=now,
        updated_at=now,
        activated=True,
        activated_at=now,
        email=f"{name}@example.org",
        display_name=f"User {number}",
        ip_address="192.0.2.1",
        user_agent="benchmark",
        admin_since=now if number == 1 else None,
        passwords=(Password(Algorithm.SHA_256, ha1),),
    )


def fill(uri: str, accounts: int, database: str = DATABASE) -> None:
    """Insert accounts 1 to `accounts` into a database without any; each has an API key."""
    documents, now = _encoder(), datetime.now(UTC).replace(microsecond=0)
    with _opened(uri, database) as opened, ThreadPoolExecutor(1) as beside:
        # One chunk is inserted while the next one is encoded.
        pending: Future[object] | None = None
        for start in range(1, accounts + 1, _CHUNK):
            numbers = range(start, min(start + _CHUNK, accounts + 1))
            chunk = [_document(documents, number, accounts, now) for number in numbers]
            if pending is not None:
                pending.result()
            pending = beside.submit(opened.accounts.insert_many, chunk, ordered=False)
        if pending is not None:
            pending.result()
        opened.counters.update_one({"_id": "accounts"}, {"$set": {"last": accounts}}, upsert=True)


def _encoder() -> AccountDocuments:
    spaces = Spaces.of(Settings(app={"sip_domain": DOMAIN}))
    return AccountDocuments(ApplicationKey(KEY), spaces, email_unique=False)


def _document(documents: AccountDocuments, number: int, accounts: int, now: datetime) -> dict[str, Any]:
    document = documents.encode(_account(number, now))
    document["api_key"] = {"hash": token_hash(api_key(number)), "created_at": now, "last_used_at": now}
    document["confirmation"] = {"key": recovery_key(number), "attempts": 0}
    if number == WITH_CONTACTS:
        document["contacts"] = list(range(number + 1, min(number + CONTACTS, accounts) + 1))
    return document


def cache_all(uri: str) -> None:
    """Give the mongod the cache that MongoDB takes by default, half of the memory, in place of the embedded 256 MB."""
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    with _opened(uri, "admin") as admin:
        admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig=f"cache_size={size}")


def add_creation_tokens(uri: str, first: int, count: int) -> None:
    """Insert creation tokens."""
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=1)
    with _opened(uri) as database:
        database.creation_tokens.insert_many(
            [
                {"_id": token_hash(creation_token(number)), "created_at": now, "expires_at": expires_at}
                for number in range(first, first + count)
            ],
            ordered=False,
        )


def write_digest_answers(path: Path, accounts: int, count: int) -> None:
    """Write Authorization headers for `GET /api/accounts/me`, one a line after the user name; each nonce once."""
    nonces = Nonces(ApplicationKey(KEY).derive("nonces"))
    uri = "/api/accounts/me"
    now = time.time()
    with path.open("w") as file:
        for line in range(count):
            number = 1 + line * _STRIDE % accounts
            name = username(number)
            nonce = nonces.make(number, 0, now)
            ha1 = digest.ha1("SHA-256", name, DOMAIN, PASSWORD)
            response = digest.response("SHA-256", ha1, nonce, "00000001", "0a4f113b", "auth", "GET", uri)
            header = digest.authorization(
                {
                    "username": name,
                    "realm": DOMAIN,
                    "nonce": nonce,
                    "uri": uri,
                    "response": response,
                    "algorithm": "SHA-256",
                    "cnonce": "0a4f113b",
                    "opaque": OPAQUE,
                    "qop": "auth",
                    "nc": "00000001",
                }
            )
            file.write(f"{name}\t{header}\n")


def write_sip_questions(path: Path, accounts: int, count: int) -> None:
    """Write paths of `GET /sip/auth`, one a line, as Flexisip asks for a REGISTER; each nonce once."""
    began = time.time_ns()
    with path.open("w") as file:
        for line in range(count):
            file.write(f"/sip/auth?{_sip_question(1 + line * _STRIDE % accounts, f'{began + line}')}\n")


def _sip_question(number: int, nonce: str) -> str:
    name, uri = username(number), f"sip:{DOMAIN}"
    ha1 = digest.ha1("SHA-256", name, DOMAIN, PASSWORD)
    values = {"method": "REGISTER", "domain": DOMAIN, "username": name, "realm": DOMAIN, "nonce": nonce}
    values |= {"uri": uri, "algorithm": "SHA-256", "qop": "auth", "nc": "00000001", "cnonce": "c0ffee"}
    values["response"] = digest.response("SHA-256", ha1, nonce, "00000001", "c0ffee", "auth", "REGISTER", uri)
    return urlencode(values, quote_via=quote, safe="")


def restore(uri: str, numbers: range, accounts: int) -> None:
    """Make accounts again what they were, after recoveries: these use up keys and end sign-ins."""
    documents, now = _encoder(), datetime.now(UTC).replace(microsecond=0)
    with _opened(uri) as database:
        for start in range(0, len(numbers), _CHUNK):
            chunk = [_document(documents, number, accounts, now) for number in numbers[start : start + _CHUNK]]
            replaced = [ReplaceOne({"_id": document["_id"]}, document) for document in chunk]
            database.accounts.bulk_write(replaced, ordered=False)
