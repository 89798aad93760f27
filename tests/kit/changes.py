"""Changes of accounts that tests make directly in the store."""

from dataclasses import replace

from flexiapi.model import Actor, Change


async def add(store, account):
    """Add an account as it is; the store gives the id."""
    return await store.accounts.apply(Change("account.created", None, account), Actor.system())


async def put(store, account, **fields):
    """Write fields of an account, whatever they were before."""
    change = Change("account.set_by_test", account, replace(account, **fields), frozenset(fields))
    return await store.accounts.apply(change, Actor.system())


async def remove(store, account):
    """Remove an account."""
    return await store.accounts.apply(account.remove(), Actor.system())
