"""Accounts of a sign-in replica, and SIP servers that read it: Flexisip's query, and Kamailio by SQL."""

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

# What Flexisip does with its default request: the hashes of the activated accounts, by algorithm.
VIEW = """CREATE VIEW subscriber AS SELECT username, domain, password AS ha1 FROM accounts
          JOIN passwords ON account_id = accounts.id WHERE activated = 1 AND algorithm = '{}'"""
MODULES = """
loadmodule "db_sqlite.so"
loadmodule "auth_db.so"
modparam("auth", "algorithm", "{algorithm}")
modparam("auth_db", "db_url", "sqlite:///{path}")
modparam("auth_db", "calculate_ha1", 0)
modparam("auth_db", "password_column", "ha1")
modparam("auth_db", "version_table", 0)
modparam("auth_db", "use_domain", 1)
modparam("auth_db", "load_credentials", "")
"""
BY_REPLICA = """
    if (is_method("REGISTER")) {
        if (!www_authenticate("$fd", "subscriber")) {
            www_challenge("$fd", "1");
            exit;
        }
    } else if (!proxy_authenticate("$fd", "subscriber")) {
        proxy_challenge("$fd", "1");
        exit;
    }
"""


class Accounts:
    """A source of accounts for the replica, from a dictionary; `before_answer` runs between read and answer."""

    def __init__(self, *accounts):
        self.all = {account.id: account for account in accounts}
        self.reads = 0
        self.before_answer = None

    def put(self, account):
        self.all[account.id] = account

    async def by_ids(self, ids):
        self.reads += 1
        found = [self.all[id_] for id_ in ids if id_ in self.all]
        if self.before_answer:
            await self.before_answer()
        return found

    async def after(self, last_id, limit):
        return [self.all[id_] for id_ in sorted(self.all) if id_ > last_id][:limit]


def account(id_, username, password="secret", **changes):
    hashes = tuple(
        Password(algorithm, digest.ha1(algorithm.value, username, "sip.example.org", password))
        for algorithm in (Algorithm.MD5, Algorithm.SHA_256)
    )
    made = Account(id_, username, "sip.example.org", NOW, NOW, activated=True, passwords=hashes)
    return replace(made, **changes)


def asked(path, username, domain="sip.example.org"):
    """Read the replica as Flexisip does: in another connection, read-only."""
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return dict(row[::-1] for row in reader.execute(FLEXISIP_REQUEST, {"id": username, "domain": domain}))
    finally:
        reader.close()


def registration(agent):
    status = agent.ask("register-status ALL")
    return next((line.split()[-1] for line in status.splitlines() if line.startswith("State:")), status)
