"""Single effects of parallel requests: spec/security.md line 31 (ASVS 2.3.3, 2.3.4)."""

import asyncio
from collections import Counter

import httpx
import pytest

pytestmark = pytest.mark.security

MANY = 50
OWN = {"password": "correct-horse", "algorithm": "SHA-256"}


@pytest.fixture
def configure():
    return {"account": {"email_unique": True}}


def answers(server, requests, headers=None):
    """The answers to these POST requests, all sent at once."""

    async def at_once():
        limits = httpx.Limits(max_connections=MANY)
        async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits, headers=headers) as client:
            return await asyncio.gather(*(client.post(path, json=body) for path, body in requests))

    return asyncio.run(at_once())


def statuses(server, requests, headers=None):
    """Send these POST requests at once. Return the number of answers by status."""
    return Counter(answer.status_code for answer in answers(server, requests, headers))


def accounts(server, query):
    async def count():
        return await server.store._database["accounts"].count_documents(query)

    return server.run(count())


def tokens(server):
    async def made():
        return [await server.services.codes.creation_tokens.make(server.actor) for _ in range(MANY)]

    return server.run(made())


def test_31_one_token_makes_one_account(server):
    token = server.creation_token()
    path = "/api/accounts/with-account-creation-token"
    bodies = [{**OWN, "username": f"racer.{number}", "account_creation_token": token} for number in range(MANY)]
    assert statuses(server, [(path, body) for body in bodies]) == {200: 1, 422: MANY - 1}
    assert accounts(server, {}) == 1


def test_31_one_name_is_taken_once_and_no_token_is_lost(server):
    path = "/api/accounts/with-account-creation-token"
    given = tokens(server)
    bodies = [{**OWN, "username": "the.racer", "account_creation_token": token} for token in given]
    assert statuses(server, [(path, body) for body in bodies]) == {200: 1, 422: MANY - 1}
    assert accounts(server, {}) == 1

    async def free():
        now = server.clock.now()
        return sum([await server.store.creation_tokens.is_free(token, now) for token in given])

    assert server.run(free()) == MANY - 1


def test_31_one_phone_number_is_taken_once(server):
    bodies = [
        {**OWN, "username": f"racer.{number}", "phone": "+33612345678", "account_creation_token": token}
        for number, token in enumerate(tokens(server))
    ]
    assert statuses(server, [("/api/accounts/public", body) for body in bodies]) == {200: 1, 422: MANY - 1}
    assert accounts(server, {"claimed_phone": "+33612345678"}) == 1


def test_31_a_number_without_a_name_is_taken_once_and_told_as_a_number(server):
    bodies = [{**OWN, "phone": "+33612345678", "account_creation_token": token} for token in tokens(server)]
    heard = answers(server, [("/api/accounts/public", body) for body in bodies])
    refused = [answer.json()["errors"] for answer in heard if answer.status_code == 422]
    assert refused == [{"phone": ["phone is taken"]}] * (MANY - 1)
    assert accounts(server, {}) == 1


def test_31_one_mail_address_is_taken_once(server, admin):
    bodies = [{**OWN, "username": f"racer.{number}", "email": "one@example.com"} for number in range(MANY)]
    found = statuses(server, [("/api/accounts", body) for body in bodies], admin.headers)
    assert found == {200: 1, 422: MANY - 1}
    assert accounts(server, {"email": "one@example.com"}) == 1


def test_31_a_name_and_a_phone_number_that_are_equal_are_taken_once(server):
    """The number as a user name, and the number as an alias, lead to one account only (D-38)."""
    given = tokens(server)
    named = [{**OWN, "username": "+33612345678", "email": f"m{n}@example.com"} for n in range(MANY // 2)]
    aliased = [{**OWN, "username": f"racer.{n}", "phone": "+33612345678"} for n in range(MANY // 2)]
    requests = [
        ("/api/accounts/public", {**body, "account_creation_token": token})
        for body, token in zip(named + aliased, given, strict=True)
    ]
    assert statuses(server, requests)[200] == 1
    assert accounts(server, {"identifiers": "claim:+33612345678@sip.example.org"}) == 1


def test_31_replacements_take_a_name_once(server, admin):
    people = [server.person() for _ in range(10)]

    async def at_once():
        async with httpx.AsyncClient(base_url=server.url, timeout=60, headers=admin.headers) as client:
            body = {**OWN, "username": "wanted.name"}
            return await asyncio.gather(*(client.put(f"/api/accounts/{one.id}", json=body) for one in people))

    found = Counter(answer.status_code for answer in asyncio.run(at_once()))
    assert found == {200: 1, 422: 9}
