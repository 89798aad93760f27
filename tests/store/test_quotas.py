"""Quotas of spaces: never one account too many, and no place lost."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from flexiapi.errors import SpaceFull
from flexiapi.model import Account, Actor, Algorithm, ExternalAccount
from tests.kit.person import PASSWORD
from tests.kit.spaces import A, B, actor_of

MANY = 50
QUOTA = 10


@pytest.fixture
def configure():
    return {"spaces": {B: {"quota": QUOTA}}}


@pytest.fixture
def admin(server):
    return server.person("the.admin", domain=B, admin_since=server.clock.second())


def body(number):
    return {"username": f"person.{number}", "password": PASSWORD, "algorithm": "SHA-256", "activated": True}


def post(server, admin, number):
    return server.http.post("/api/accounts", json=body(number), headers={**admin.headers, "Host": B})


def counter(server):
    async def read():
        return await server.store._database["counters"].find_one({"_id": f"accounts of {B}"})

    return server.run(read())["accounts"]


def accounts(server):
    async def count():
        return await server.store._database["accounts"].count_documents({"domain": B})

    return server.run(count())


def fill(server):
    for number in range(QUOTA - accounts(server)):
        server.person(f"filler.{number}", domain=B)


def test_many_requests_at_the_edge_fill_it_exactly(server, admin):
    async def at_once():
        headers = {**admin.headers, "Host": B}
        async with httpx.AsyncClient(base_url=server.url, timeout=60, headers=headers) as client:
            return await asyncio.gather(*(client.post("/api/accounts", json=body(number)) for number in range(MANY)))

    answers = asyncio.run(at_once())
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * (QUOTA - 1) + [403] * (MANY - QUOTA + 1)
    refused = next(answer for answer in answers if answer.status_code == 403)
    assert refused.json() == {"message": "This service cannot have more accounts."}
    assert accounts(server) == counter(server) == QUOTA
    server.person("of.another.space")


def test_a_refused_name_gives_its_place_back(server, admin):
    taken = Account.new(server.clock.second(), username="the.admin", domain=B)
    for _ in range(QUOTA):
        with pytest.raises(Exception, match="taken"):
            server.run(server.store.accounts.apply(taken, server.actor))
    assert counter(server) == 1


def test_a_removal_gives_its_place_back(server, admin):
    fill(server)
    assert post(server, admin, 1).status_code == 403
    last = server.run(server.store.accounts.by_address("filler.0", B))
    assert server.http.delete(f"/api/accounts/{last.id}", headers={**admin.headers, "Host": B}).status_code == 200
    assert [post(server, admin, number).status_code for number in (1, 2)] == [200, 403]


def test_a_token_stays_usable_when_the_space_is_full(server, admin):
    fill(server)
    codes, actor = server.services.codes.creation_tokens, actor_of(server, B)
    token = server.run(codes.make(actor))
    new = {**body(1), "account_creation_token": token}
    answer = server.http.post("/api/accounts/with-account-creation-token", json=new, headers={"Host": B})
    assert answer.status_code == 403
    assert server.run(codes.is_free(token, actor.space))


def test_a_change_of_domain_takes_a_place(server, admin):
    account = server.person("mover").account
    fill(server)
    with pytest.raises(SpaceFull):
        server.set(account.id, domain=B)
    server.apply(server.run(server.store.accounts.by_address("filler.0", B)).remove())
    server.set(account.id, domain=B)
    assert counter(server) == QUOTA
    server.set(account.id, domain=A)
    assert counter(server) == QUOTA - 1


class TestHealing:
    def test_places_reserved_for_nothing_are_given_back(self, server, admin):
        for _ in range(3):
            server.run(server.store.quotas.reserve(B))
        assert counter(server) == 4
        assert server.run(server.store.quotas.heal(timedelta())) == 3
        assert counter(server) == 1
        assert server.run(server.store.quotas.heal(timedelta())) == 0

    def test_places_of_creations_under_way_are_not(self, server, admin):
        async def meanwhile():
            await server.store.quotas.reserve(B)
            healing = asyncio.create_task(server.store.quotas.heal(timedelta(seconds=0.3)))
            await asyncio.sleep(0.1)
            await server.store.quotas.reserve(B)
            return await healing

        assert server.run(meanwhile()) == 0
        assert counter(server) == 3

    def test_a_start_counts_what_commands_wrote(self, server, admin):
        new = [Account.new(server.clock.second(), id=900 + n, username=f"bulk.{n}", domain=B).after for n in range(3)]
        server.run(server.store.bulk.put(new, Actor.system()))
        server.run(server.store.prepare())
        assert counter(server) == 4

    def test_an_external_account_is_free_again(self, server, admin):
        external = ExternalAccount("ext", "other.example", "group", "0" * 64, Algorithm.SHA_256)
        server.run(server.store.external_accounts.add([external], Actor.system()))
        fill(server)
        externals = server.services.accounts.external_accounts
        externals._is_wanted = True
        new = Account.new(server.clock.second(), username="one.more", domain=B)
        with pytest.raises(SpaceFull):
            server.run(externals.add_account(new, server.actor))
        assert server.run(server.store.external_accounts.claim(server.clock.now(), server.actor)) is not None


class TestWithoutQuota:
    @pytest.fixture
    def configure(self):
        return {"spaces": {B: {}}}

    def test_nothing_is_counted(self, server, admin):
        async def names():
            return [one["_id"] async for one in server.store._database["counters"].find()]

        assert not server.store.quotas.limited
        assert [name for name in server.run(names()) if name.startswith("accounts of")] == []
