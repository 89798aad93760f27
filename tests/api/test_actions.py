"""DTMF actions, beyond what the conformance tests ask."""

import asyncio

import httpx
import pytest

ACTION = {"key": "open_door", "code": "1"}


@pytest.fixture
def door(server):
    return server.person("door.phone", dtmf_protocol="sipinfo")


def test_an_action_is_read_changed_and_removed_by_id(http, admin, door):
    url = f"/api/accounts/{door.id}/actions"
    made = http.post(f"{url}/", json=ACTION, headers=admin.headers)
    assert (made.status_code, made.json()) == (201, {"id": made.json()["id"], **ACTION})
    one = f"{url}/{made.json()['id']}"
    assert http.get(one, headers=admin.headers).json() == made.json()
    changed = http.put(one, json={"key": "close_door", "code": 2}, headers=admin.headers).json()
    assert changed == {"id": made.json()["id"], "key": "close_door", "code": "2"}
    assert http.delete(one, headers=admin.headers).json() == {}
    for method in ("GET", "DELETE"):
        assert http.request(method, one, headers=admin.headers).status_code == 404
    assert http.put(one, json=ACTION, headers=admin.headers).status_code == 404


@pytest.mark.parametrize(("digits", "status"), [(14, 201), (64, 201), (65, 422), (5000, 422)])
def test_a_code_may_be_a_number_as_long_as_a_code(http, admin, door, digits, status):
    body = b'{"key": "open_door", "code": ' + b"7" * digits + b"}"
    headers = {**admin.headers, "Content-Type": "application/json"}
    answer = http.post(f"/api/accounts/{door.id}/actions", content=body, headers=headers)
    assert answer.status_code == status
    if status == 201:
        assert answer.json()["code"] == "7" * digits
    else:
        assert list(answer.json()["errors"]) == ["code"]


def test_an_action_of_another_account_is_not_there(server, http, admin, door):
    other = server.person("other.door", dtmf_protocol="sipinfo")
    action = http.post(f"/api/accounts/{door.id}/actions", json=ACTION, headers=admin.headers).json()
    url = f"/api/accounts/{other.id}/actions/{action['id']}"
    assert http.get(url, headers=admin.headers).status_code == 404
    assert http.put(url, json=ACTION, headers=admin.headers).status_code == 404
    assert http.delete(url, headers=admin.headers).status_code == 404
    assert http.get(f"/api/accounts/{door.id}/actions", headers=admin.headers).json() == [action]


def test_the_account_comes_first_then_the_protocol_then_the_parameters(http, admin, alice):
    assert http.post("/api/accounts/999/actions", json={}, headers=admin.headers).status_code == 404
    assert http.put("/api/accounts/999/actions/1", json={}, headers=admin.headers).status_code == 404
    assert http.post(f"/api/accounts/{alice.id}/actions", json={}, headers=admin.headers).status_code == 403
    assert http.put(f"/api/accounts/{alice.id}/actions/1", json={}, headers=admin.headers).status_code == 403
    assert http.delete(f"/api/accounts/{alice.id}/actions/1", headers=admin.headers).status_code == 403
    assert http.get(f"/api/accounts/{alice.id}/actions/1", headers=admin.headers).status_code == 403


def test_wrong_parameters_come_before_an_unknown_action(http, admin, door):
    url = f"/api/accounts/{door.id}/actions/999"
    assert http.put(url, json={"key": "Open", "code": "-"}, headers=admin.headers).status_code == 422


def test_parallel_actions_are_all_kept(server, http, admin, door):
    async def at_once():
        async with httpx.AsyncClient(base_url=server.url, headers=admin.headers, timeout=60) as client:
            url = f"/api/accounts/{door.id}/actions"
            await asyncio.gather(*(client.post(url, json={"key": "k", "code": str(n)}) for n in range(20)))

    asyncio.run(at_once())
    actions = http.get(f"/api/accounts/{door.id}/actions", headers=admin.headers).json()
    assert {action["code"] for action in actions} == {str(number) for number in range(20)}
    assert len({action["id"] for action in actions}) == 20


def test_actions_survive_a_reset_of_the_protocol(http, admin, door):
    http.post(f"/api/accounts/{door.id}/actions", json=ACTION, headers=admin.headers)
    body = {"username": "door.phone", "password": door.password, "algorithm": "SHA-256"}
    url = f"/api/accounts/{door.id}"
    assert http.put(url, json=body, headers=admin.headers).json()["actions"] == []
    again = http.put(url, json={**body, "dtmf_protocol": "rfc2833"}, headers=admin.headers).json()
    assert [action["key"] for action in again["actions"]] == ["open_door"]
