"""Accounts in the replica sign in at a real SIP server with real user agents: Kamailio, which reads the file by SQL."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flexiapi.crypto import digest
from flexiapi.flexisip.replica import SignInReplica
from flexiapi.model import Account, Algorithm, Password
from tests.kit.sign_in_replica import BY_REPLICA, MODULES, VIEW, Accounts, registration

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DOMAIN = "sip.example.org"


def account(id_, username, algorithm):
    hashed = Password(Algorithm(algorithm), digest.ha1(algorithm, username, DOMAIN, "wonderland"))
    return Account(id_, username, DOMAIN, NOW, NOW, activated=True, passwords=(hashed,))


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_accounts_register_and_talk_until_they_are_deactivated(algorithm, folder, kamailio, linphone_daemon):
    path = folder / "auth.sqlite"
    accounts = Accounts()

    def project(*changed):
        async def run():
            replica = SignInReplica(path, accounts)
            await replica.start()
            accounts.all.update({one.id: one for one in changed})
            await replica.project(*(one.id for one in changed))
            await replica.close()

        asyncio.run(run())

    project(account(1, "alice", algorithm), account(2, "bob", algorithm))
    with sqlite3.connect(path) as file:
        file.execute(VIEW.format(algorithm))
    file.close()
    proxy = kamailio(BY_REPLICA, MODULES.format(algorithm=algorithm, path=path))

    def agent(name, username, password="wonderland"):
        started = linphone_daemon(name, proxy.agent(username, "tcp", password))
        started.wait(lambda: registration(started) in {"LinphoneRegistrationOk", "LinphoneRegistrationFailed"})
        return started

    alice, bob = agent("alice", "alice"), agent("bob", "bob")
    assert [registration(one) for one in (alice, bob)] == ["LinphoneRegistrationOk"] * 2
    assert alice.ask(f"message sip:bob@{DOMAIN} curiouser").startswith("Status: Ok")
    bob.wait(lambda: "curiouser" in bob.log)

    assert registration(agent("impostor", "alice", "wrong")) == "LinphoneRegistrationFailed"
    project(account(3, "carol", algorithm))
    assert registration(agent("carol", "carol")) == "LinphoneRegistrationOk"
    project(replace(accounts.all[1], activated=False))
    assert registration(agent("alice-again", "alice")) == "LinphoneRegistrationFailed"
