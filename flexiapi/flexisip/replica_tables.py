"""The tables of the sign-in replica: their SQL, and their rows as entries."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flexiapi.flexisip.credentials import BridgeLine, SipCredentials

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts(id INTEGER PRIMARY KEY, username TEXT NOT NULL, domain TEXT NOT NULL, phone TEXT,
                                    activated INTEGER NOT NULL, UNIQUE(username, domain));
CREATE INDEX IF NOT EXISTS accounts_phone ON accounts(phone);
CREATE TABLE IF NOT EXISTS passwords(account_id INTEGER NOT NULL, password TEXT NOT NULL, algorithm TEXT NOT NULL,
                                     PRIMARY KEY(account_id, algorithm));
CREATE TABLE IF NOT EXISTS external_accounts(id TEXT PRIMARY KEY, username TEXT NOT NULL, domain TEXT NOT NULL,
    user_id TEXT, realm TEXT, secret TEXT NOT NULL, secret_type TEXT NOT NULL, alias_username TEXT NOT NULL,
    alias_domain TEXT NOT NULL, outbound_proxy TEXT, registrar TEXT, protocol TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS external_accounts_alias ON external_accounts(alias_username, alias_domain);
CREATE TABLE IF NOT EXISTS flexiapi(name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
COLUMNS = {
    "accounts": ["id", "username", "domain", "phone", "activated"],
    "passwords": ["account_id", "password", "algorithm"],
    "external_accounts": [
        *("id", "username", "domain", "user_id", "realm", "secret", "secret_type"),
        *("alias_username", "alias_domain", "outbound_proxy", "registrar", "protocol"),
    ],
    "flexiapi": ["name", "value"],
}
# The bridge knows an account of ours by its address, which is the alias of the other one.
SELECT = (
    "SELECT here.id, here.username, here.domain, phone, password, algorithm, "
    "there.id, there.username, there.domain, secret, protocol, realm, registrar, outbound_proxy "
    "FROM accounts AS here LEFT JOIN passwords ON account_id = here.id LEFT JOIN external_accounts AS there "
    "ON alias_username = here.username AND alias_domain = here.domain AND secret_type = 'md5' AND user_id IS NULL "
    "WHERE activated = 1 AND here."
)
REMOVE_OTHERS = (
    "DELETE FROM external_accounts WHERE secret_type <> 'md5' OR user_id IS NOT NULL OR NOT EXISTS "
    "(SELECT 1 FROM accounts WHERE accounts.username = alias_username AND accounts.domain = alias_domain)"
)
REMOVE_BRIDGES_OF = (
    "DELETE FROM external_accounts WHERE (alias_username, alias_domain) IN "
    "(SELECT username, domain FROM accounts WHERE id IN (SELECT value FROM json_each(?)))"
)
LISTED = "IN (SELECT value FROM json_each(?))"
HOLDERS = (
    "SELECT accounts.id FROM json_each(?) JOIN accounts "
    "ON username = json_extract(value, '$[0]') AND domain = json_extract(value, '$[1]')"
)


@dataclass(frozen=True, slots=True)
class Replaced:
    """An entry before and after a write; `None` stands for no entry."""

    before: SipCredentials | None
    after: SipCredentials | None

    @property
    def outdated(self) -> SipCredentials | None:
        """The entry of before, if its credentials are no longer right."""
        before, after = self.before, self.after
        if before is None or (after and (after.address, after.hashes) == (before.address, before.hashes)):
            return None
        return before

    @property
    def gone_bridge(self) -> BridgeLine | None:
        """The line of before, if there is none under its identifier any more."""
        before, after = _bridge(self.before), _bridge(self.after)
        return before if before is not None and (after is None or after.identifier != before.identifier) else None

    @property
    def told_bridge(self) -> BridgeLine | None:
        """The line of now, if Flexisip's bridge has to read it."""
        after = _bridge(self.after)
        is_same = self.before and self.after and self.before.address == self.after.address
        return None if is_same and after == _bridge(self.before) else after


def _bridge(entry: SipCredentials | None) -> BridgeLine | None:
    return None if entry is None else entry.bridge


def columns(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the columns of each of our tables that the file has."""
    found: dict[str, list[str]] = {}
    for table in COLUMNS:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        if names:
            found[table] = names
    return found


def bridge_row(entry: SipCredentials, line: BridgeLine) -> tuple[str | None, ...]:
    """Return the row of a line in `external_accounts`, without the columns that are the same in all."""
    return (
        *(line.identifier, line.username, line.domain, line.realm, line.secret),
        *(entry.username, entry.domain, line.outbound_proxy, line.registrar, line.protocol),
    )


def entries_of(rows: Iterable[Any]) -> dict[int, SipCredentials]:
    """Return the entries of rows of `SELECT`, by id."""
    entries: dict[int, SipCredentials] = {}
    for id_, username, domain, phone, ha1, algorithm, *there in rows:
        bridge = None if there[0] is None else BridgeLine(*there)
        entry = entries.setdefault(id_, SipCredentials(id_, username, domain, phone, {}, bridge))
        if ha1 is not None and algorithm is not None:
            entry.hashes[algorithm] = ha1
    return entries
