"""Creation tokens that an account consumes without creating another one, and the ends that all token records tell."""

import asyncio
from datetime import datetime, timedelta

import httpx
import pytest

from tests.kit.server import shared_by_module

PATH = "/api/account_creation_tokens/consume"
NAMES = ["token", "pn_provider", "pn_param", "pn_prid", "used", "account_id", "ip", "user_agent", "expire_at"]
PUSH = {"pn_provider": "fcm", "pn_param": "929724111839", "pn_prid": "dA1b:APA91b_x-y"}
server = shared_by_module({"spaces": {"b.example.org": {}}})


@pytest.fixture
def person(server):
    return server.person()


def consume(server, person, token):
    headers = {**person.headers, "User-Agent": "LinphoneAndroid/6.0"}
    return server.http.post(PATH, json={"account_creation_token": token}, headers=headers)


def until(text):
    return datetime.fromisoformat(text)


def test_a_pushed_token_is_consumed_once_and_names_its_device(server, person):
    assert server.http.post("/api/account_creation_tokens/send-by-push", json=PUSH).text == "{}"
    token = server.messages[-1]["data"]["token"]
    answer = consume(server, person, token)
    assert answer.status_code == 200
    told = answer.json()
    assert list(told) == NAMES
    ends_at = until(told.pop("expire_at"))
    assert ends_at - server.clock.now() > timedelta(days=6)
    own = {"account_id": person.id, "ip": "127.0.0.1", "user_agent": "LinphoneAndroid/6.0"}
    assert told == {"token": token, **PUSH, "used": True, **own}
    assert consume(server, person, token).status_code == 404
    body = {"username": "after.that", "password": "correct-horse", "algorithm": "SHA-256"}
    made = server.http.post("/api/accounts/with-account-creation-token", json={**body, "account_creation_token": token})
    assert (made.status_code, list(made.json()["errors"])) == (422, ["account_creation_token"])


def test_a_token_without_a_device_has_none(server, person):
    told = consume(server, person, server.creation_token()).json()
    assert [told[name] for name in ("pn_provider", "pn_param", "pn_prid")] == [None] * 3


def test_an_unknown_an_expired_and_another_spaces_token_are_404(server, person):
    token = server.creation_token()
    assert consume(server, person, "a" * 13).status_code == 404
    other = server.person(domain="b.example.org")
    body, headers = {"account_creation_token": token}, {**other.headers, "Host": "b.example.org"}
    assert server.http.post(PATH, json=body, headers=headers).status_code == 404
    server.later(days=8)
    assert server.http.post(PATH, json=body, headers=headers).status_code == 401  # the key is idle by now
    server.clock.offset = timedelta(0)
    refused = consume(server, person, "short")
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["account_creation_token"])
    assert consume(server, person, token).status_code == 200


def test_an_expired_token_is_404(server, person):
    token = server.creation_token()
    server.later(days=8)
    keyed = server.key_for(person.id)
    answer = server.http.post(PATH, json={"account_creation_token": token}, headers={"x-api-key": keyed})
    server.clock.offset = timedelta(0)
    assert answer.status_code == 404


def test_of_fifty_at_once_one_consumes_it(server, person):
    body = {"account_creation_token": server.creation_token()}

    async def at_once():
        async with httpx.AsyncClient(base_url=server.url, timeout=60, headers=person.headers) as client:
            return await asyncio.gather(*(client.post(PATH, json=body) for _ in range(50)))

    assert sorted(one.status_code for one in asyncio.run(at_once())) == [200] + [404] * 49


def test_a_consumed_token_is_exported_and_goes_with_its_account(server, person):
    assert consume(server, person, server.creation_token()).status_code == 200
    records = server.run(server.services.accounts.personal_data.of(server.account(person.id)))
    assert [(one.kind, one.is_used) for one in records.tokens] == [("creation_token", True)]
    server.run(server.services.accounts.removal.remove(server.account(person.id), server.actor))

    async def left():
        return await server.store._database["creation_tokens"].count_documents({"account_id": person.id})

    assert server.run(left()) == 0


def test_every_record_of_a_token_tells_when_it_expires(server):
    boss = server.person(admin_since=server.clock.second())
    request = server.http.post("/api/account_creation_request_tokens").json()
    server.run(server.services.codes.creation_tokens.validate_request(request["token"], server.actor))
    using = {"account_creation_request_token": request["token"]}
    records = {
        timedelta(hours=24): request,
        timedelta(days=7): server.http.post("/api/account_creation_tokens", headers=boss.headers).json(),
        timedelta(minutes=5): server.http.post("/api/accounts/auth_token").json(),
    }
    exchanged = server.http.post("/api/account_creation_tokens/using-account-creation-request-token", json=using)
    lives = [(timedelta(days=7), exchanged.json()), *records.items()]
    for life, record in lives:
        assert life - timedelta(seconds=60) < until(record["expire_at"]) - server.clock.now() <= life
