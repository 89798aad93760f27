"""Accounts for the load, made directly in the database, with secrets that the load scripts can compute."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from flexiapi.crypto import digest
from flexiapi.crypto.keys import ApplicationKey, token_hash
from flexiapi.crypto.nonces import Nonces
from flexiapi.model import Account, Algorithm, Password, Spaces
from flexiapi.services.sign_in import OPAQUE
from flexiapi.settings import Settings
from flexiapi.store.documents import AccountDocuments

KEY = "benchmark" * 5
DOMAIN = "sip.example.org"
PASSWORD = "correct-horse-battery"  # not a secret
DATABASE = "benchmark"
WITH_CONTACTS = 2
CONTACTS = 200
_CHUNK = 5_000


def username(number: int) -> str:
    return f"user.{number:07d}"


def api_key(number: int) -> str:
    return f"key-{number:07d}"


def recovery_key(number: int) -> str:
    return f"rec{number:010d}"


def creation_token(number: int) -> str:
    return f"tok{number:010d}"


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


def fill(uri: str, accounts: int) -> None:
    """Insert accounts 1 to `accounts` into an empty database; each has an API key."""
    key = ApplicationKey(KEY)
    documents = AccountDocuments(key, Spaces.of(Settings(app={"sip_domain": DOMAIN})), email_unique=False)
    client: MongoClient[dict[str, Any]] = MongoClient(uri)
    database = client[DATABASE]
    now = datetime.now(UTC).replace(microsecond=0)
    for start in range(1, accounts + 1, _CHUNK):
        chunk = []
        for number in range(start, min(start + _CHUNK, accounts + 1)):
            document = documents.encode(_account(number, now))
            document["api_key"] = {"hash": token_hash(api_key(number)), "created_at": now, "last_used_at": now}
            document["confirmation"] = {"key": recovery_key(number), "attempts": 0}
            if number == WITH_CONTACTS:
                document["contacts"] = list(range(number + 1, number + 1 + CONTACTS))
            chunk.append(document)
        database.accounts.insert_many(chunk, ordered=False)
    database.counters.update_one({"_id": "accounts"}, {"$set": {"last": accounts}}, upsert=True)
    client.close()


def add_creation_tokens(uri: str, first: int, count: int) -> None:
    """Insert creation tokens."""
    client: MongoClient[dict[str, Any]] = MongoClient(uri)
    now = datetime.now(UTC)
    expires_at = now + timedelta(days=1)
    client[DATABASE].creation_tokens.insert_many(
        [
            {"_id": token_hash(creation_token(number)), "created_at": now, "expires_at": expires_at}
            for number in range(first, first + count)
        ],
        ordered=False,
    )
    client.close()


def write_digest_answers(path: Path, accounts: int, count: int) -> None:
    """Write Authorization headers for `GET /api/accounts/me`, one a line after the user name; each nonce once."""
    nonces = Nonces(ApplicationKey(KEY).derive("nonces"))
    uri = "/api/accounts/me"
    now = time.time()
    with path.open("w") as file:
        for line in range(count):
            number = 1 + line * 7919 % accounts
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
