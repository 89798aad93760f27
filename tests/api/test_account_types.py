"""Account types, beyond what the conformance tests ask."""

import asyncio

import httpx
import pytest


@pytest.fixture
def phone(http, admin):
    return http.post("/api/account_types", json={"key": "phone"}, headers=admin.headers).json()


def test_a_type_is_read_by_id(http, admin, phone):
    assert http.get(f"/api/account_types/{phone['id']}", headers=admin.headers).json() == phone
    assert http.get("/api/account_types/999", headers=admin.headers).status_code == 404


def test_its_own_key_may_be_sent_again_and_no_other(http, admin, phone):
    http.post("/api/account_types", json={"key": "door"}, headers=admin.headers)
    url = f"/api/account_types/{phone['id']}"
    assert http.put(url, json={"key": "phone"}, headers=admin.headers).status_code == 200
    taken = http.put(url, json={"key": "door"}, headers=admin.headers)
    assert (taken.status_code, list(taken.json()["errors"])) == (422, ["key"])


def test_parameters_come_before_the_lookup(http, admin):
    assert http.put("/api/account_types/999", json={}, headers=admin.headers).status_code == 422
    assert http.put("/api/account_types/999", json={"key": "x"}, headers=admin.headers).status_code == 404
    assert http.delete("/api/account_types/999", headers=admin.headers).status_code == 404


def test_a_removed_type_leaves_the_accounts(http, admin, alice, phone):
    assert http.post(f"/api/accounts/{alice.id}/types/{phone['id']}", headers=admin.headers).json() == {}
    assert http.delete(f"/api/account_types/{phone['id']}", headers=admin.headers).json() == {}
    account = http.get(f"/api/accounts/{alice.id}", headers=admin.headers).json()
    assert account["types"] == []


def test_unknown_accounts_and_types_are_not_found(http, admin, alice, phone):
    assert http.post(f"/api/accounts/999/types/{phone['id']}", headers=admin.headers).status_code == 404
    assert http.post(f"/api/accounts/{alice.id}/types/999", headers=admin.headers).status_code == 404
    assert http.delete(f"/api/accounts/999/types/{phone['id']}", headers=admin.headers).status_code == 404
    assert http.delete(f"/api/accounts/{alice.id}/types/999", headers=admin.headers).status_code == 403


def test_of_parallel_creations_with_one_key_one_wins(server, admin):
    async def at_once():
        async with httpx.AsyncClient(base_url=server.url, headers=admin.headers, timeout=60) as client:
            posts = (client.post("/api/account_types", json={"key": "same"}) for _ in range(10))
            return sorted(answer.status_code for answer in await asyncio.gather(*posts))

    assert asyncio.run(at_once()) == [201] + [422] * 9
