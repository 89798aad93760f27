"""External accounts that are attached to accounts which exist."""

import asyncio

import pytest

from flexiapi.errors import AlreadyAttached, NoExternalAccountLeft
from flexiapi.model import Algorithm, ExternalAccount


def fill(server, number):
    externals = [
        ExternalAccount(f"outside{n}", "sip.example.com", "group", "0" * 64, Algorithm.SHA_256) for n in range(number)
    ]
    server.run(server.services.accounts.external_accounts.add(externals, server.actor))


def attach(server, account_id):
    return server.run(server.services.accounts.external_accounts.attach(server.account(account_id), server.actor))


def used(server):
    async def read():
        return await server.store._database["external_accounts"].find({"used": True}).to_list(None)

    return server.run(read())


def test_an_account_gets_the_next_one_once(server, alice):
    fill(server, 2)
    assert attach(server, alice.id).external_account.username == "outside0"
    assert server.account(alice.id).external_account.username == "outside0"
    with pytest.raises(AlreadyAttached):
        attach(server, alice.id)
    assert [one["account_id"] for one in used(server)] == [alice.id]


def test_an_empty_pool_is_told(server, alice):
    with pytest.raises(NoExternalAccountLeft):
        attach(server, alice.id)


def test_50_at_once_take_one(server, alice):
    fill(server, 60)
    account = server.account(alice.id)

    async def all_at_once():
        service = server.services.accounts.external_accounts
        tries = (service.attach(account, server.actor) for _ in range(50))
        return await asyncio.gather(*tries, return_exceptions=True)

    outcomes = server.run(all_at_once())
    assert sum(isinstance(one, AlreadyAttached) for one in outcomes) == 49
    assert [one["account_id"] for one in used(server)] == [alice.id]
