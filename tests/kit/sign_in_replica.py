"""Accounts to sign in with, and the reader that Flexisip is."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

from flexiapi.crypto import digest
from flexiapi.model import Account, Algorithm, Password

NOW = datetime(2026, 11, 23, tzinfo=UTC)
# What Flexisip asks by default (module::Authentication/soci-password-request).
FLEXISIP_REQUEST = (
    "SELECT password, algorithm FROM accounts LEFT JOIN passwords ON accounts.id = passwords.account_id "
    "WHERE accounts.username = :id AND accounts.domain = :domain AND accounts.activated = 1"
)


def account(id_, username, password="secret", **changes):
    hashes = tuple(
        Password(algorithm, digest.ha1(algorithm.value, username, "sip.example.org", password))
        for algorithm in (Algorithm.MD5, Algorithm.SHA_256)
    )
    made = Account(id_, username, "sip.example.org", NOW, NOW, activated=True, passwords=hashes)
    return replace(made, **changes)


def asked(path, username, domain="sip.example.org"):
    """What Flexisip gets, as another, read-only reader."""
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return dict(row[::-1] for row in reader.execute(FLEXISIP_REQUEST, {"id": username, "domain": domain}))
    finally:
        reader.close()
