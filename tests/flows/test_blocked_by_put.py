"""`blocked` as a value of an account: at its creation, in a replacement, in a change of what is named."""

import asyncio

import httpx
import pytest

from tests.kit.digest import ME
from tests.kit.server import shared_by_module
from tests.kit.visitor import Visitor

pytestmark = pytest.mark.security
server = shared_by_module({})
BODY = {"password": "correct-horse-battery", "algorithm": "SHA-256"}
WAYS = pytest.mark.parametrize("way", ["PUT", "PATCH"])


@pytest.fixture
def boss(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def write(server, boss):
    """Change the block of an account together with its display name."""

    def written(person, way, **values):
        whole = {"username": person.account.username, "password": person.password, "algorithm": "SHA-256"}
        body = {**(whole if way == "PUT" else {}), "display_name": "Anna", **values}
        return server.http.request(way, f"/api/accounts/{person.id}", json=body, headers=boss.headers)

    return written


def test_an_account_can_be_created_blocked(server, boss):
    body = {**BODY, "username": "born.blocked", "activated": True, "blocked": True}
    made = server.http.post("/api/accounts", json=body, headers=boss.headers)
    assert (made.status_code, made.json()["blocked"]) == (200, True)
    key = {"x-api-key": server.key_for(made.json()["id"])}
    assert server.http.get(ME, headers=key).status_code == 403
    plain = server.http.post("/api/accounts", json={**BODY, "username": "born.free"}, headers=boss.headers)
    assert plain.json()["blocked"] is False


@WAYS
def test_a_block_comes_with_other_values_and_stays_until_it_is_ended(server, boss, write, way):
    person, browser = server.person(), Visitor(server.url)
    browser.sign_in(person)
    told = write(person, way, blocked="1")
    assert (told.status_code, told.json()["blocked"], told.json()["display_name"]) == (200, True, "Anna")
    assert server.http.get(ME, headers=person.headers).json() == {"message": "Account blocked"}
    server.http.post(f"/api/accounts/{person.id}/block", json={"reason": "spam"}, headers=boss.headers)
    assert write(person, way).json()["blocked"] is True
    assert server.account(person.id).block_reason == "spam"
    assert write(person, way, blocked="0").json()["blocked"] is False
    assert server.account(person.id).block_reason is None
    assert server.http.get(ME, headers=person.headers).status_code == 200
    assert browser.open("/dashboard").url.path == "/login"  # its session ended with the block
    browser.close()


@WAYS
def test_neither_oneself_nor_the_last_administrator_is_blocked_so(server, boss, write, way):
    other = server.person(admin_since=server.clock.second())
    refused = write(boss, way, blocked=True, admin=True)
    assert (refused.status_code, "your own account" in refused.json()["message"]) == (403, True)
    assert server.account(boss.id).display_name is None

    async def demote_others():
        others = {"_id": {"$nin": [boss.id, other.id]}}
        await server.store._database["accounts"].update_many(others, {"$unset": {"admin_since": ""}})

    server.run(demote_others())
    assert write(other, way, blocked=True, admin=True).status_code == 200
    last = write(boss, way, blocked=True, admin=True)
    assert (last.status_code, "last" in last.json()["message"]) == (403, True)


def test_two_administrators_who_block_each_other_do_not_leave_none(server):
    one, two = (server.person(admin_since=server.clock.second()) for _ in range(2))

    async def demote_others():
        others = {"_id": {"$nin": [one.id, two.id]}}
        await server.store._database["accounts"].update_many(others, {"$unset": {"admin_since": ""}})

    async def at_once():
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            asks = [(one, two, "PATCH"), (two, one, "POST")] * 10
            return await asyncio.gather(
                *(
                    client.request(
                        way,
                        f"/api/accounts/{whom.id}" + ("/block" if way == "POST" else ""),
                        json={"blocked": True},
                        headers=who.headers,
                    )
                    for who, whom, way in asks
                )
            )

    server.run(demote_others())
    assert {one.status_code for one in asyncio.run(at_once())} == {200, 403}
    assert [server.account(person.id).is_blocked for person in (one, two)].count(True) == 1
