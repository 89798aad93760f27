"""Quotas of spaces: never one account too many, and no place lost."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from flexiapi.errors import SpaceFull
from flexiapi.importing.seed_file import SeedAccount
from flexiapi.model import Account, Actor, Algorithm, ExternalAccount
from tests.kit.person import PASSWORD
from tests.kit.server import shared_by_module
from tests.kit.spaces import A, actor_of

MANY = 50
QUOTA = 10
DOMAINS = [f"q{number}.example.org" for number in range(15)]


server = shared_by_module({"spaces": {name: {"quota": QUOTA} for name in DOMAINS}})


@pytest.fixture(scope="module")
def unused():
    return iter(DOMAINS)


@pytest.fixture
def domain(unused):
    """A domain with a quota and no account yet."""
    return next(unused)


@pytest.fixture
def admin(server, domain):
    return server.person("the.admin", domain=domain, admin_since=server.clock.second())


def body(number):
    return {"username": f"person.{number}", "password": PASSWORD, "algorithm": "SHA-256", "activated": True}


def post(server, domain, admin, number):
    return server.http.post("/api/accounts", json=body(number), headers={**admin.headers, "Host": domain})


def counter(server, domain):
    async def read():
        return await server.store._database["counters"].find_one({"_id": f"accounts of {domain}"})

    return server.run(read())["accounts"]


def accounts(server, domain):
    async def count():
        return await server.store._database["accounts"].count_documents({"domain": domain})

    return server.run(count())


def unplaced(server, domain, first):
    """Three new accounts for a write that reserves no places."""
    now = server.clock.second()
    return [Account.new(now, id=first + n, username=f"bulk.{n}", domain=domain).after for n in range(3)]


def fill(server, domain):
    for number in range(QUOTA - accounts(server, domain)):
        server.person(f"filler.{number}", domain=domain)


def test_many_requests_at_the_edge_fill_it_exactly(server, domain, admin):
    async def at_once():
        headers = {**admin.headers, "Host": domain}
        async with httpx.AsyncClient(base_url=server.url, timeout=60, headers=headers) as client:
            return await asyncio.gather(*(client.post("/api/accounts", json=body(number)) for number in range(MANY)))

    answers = asyncio.run(at_once())
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * (QUOTA - 1) + [403] * (MANY - QUOTA + 1)
    refused = next(answer for answer in answers if answer.status_code == 403)
    assert refused.json() == {"message": "This action is unauthorized. This service cannot have more accounts."}
    assert accounts(server, domain) == counter(server, domain) == QUOTA
    server.person()


def test_a_refused_name_gives_its_place_back(server, domain, admin):
    taken = Account.new(server.clock.second(), username="the.admin", domain=domain)
    for _ in range(QUOTA):
        with pytest.raises(Exception, match="taken"):
            server.run(server.store.accounts.apply(taken, server.actor))
    assert counter(server, domain) == 1


def test_a_removal_gives_its_place_back(server, domain, admin):
    fill(server, domain)
    assert post(server, domain, admin, 1).status_code == 403
    last = server.run(server.store.accounts.by_address("filler.0", domain))
    assert server.http.delete(f"/api/accounts/{last.id}", headers={**admin.headers, "Host": domain}).status_code == 200
    assert [post(server, domain, admin, number).status_code for number in (1, 2)] == [200, 403]


def test_a_token_stays_usable_when_the_space_is_full(server, domain, admin):
    fill(server, domain)
    codes, actor = server.services.codes.creation_tokens, actor_of(server, domain)
    token = server.run(codes.make(actor))
    new = {**body(1), "account_creation_token": token}
    answer = server.http.post("/api/accounts/with-account-creation-token", json=new, headers={"Host": domain})
    assert answer.status_code == 403
    assert server.run(codes.is_free(token, actor.space))


def test_a_space_with_too_many_accounts_is_full_before_a_second_code_is_sent(server, domain, admin):
    codes, actor = server.services.codes.creation_tokens, actor_of(server, domain)

    def sign_up():
        new = {"phone": "+33612345678", "password": PASSWORD, "algorithm": "SHA-256"}
        new["account_creation_token"] = server.run(codes.make(actor))
        return server.http.post("/api/accounts/public", json=new, headers={"Host": domain})

    first = sign_up().json()["id"]
    server.set(first, confirmation=None)
    fill(server, domain)
    server.run(server.store.bulk.put(unplaced(server, domain, 890), Actor.system()))
    server.run(server.store.quotas.raise_to_accounts())
    sent = len(server.messages)
    assert (sign_up().status_code, len(server.messages)) == (403, sent)
    assert server.account(first).replacing_until is None


def test_a_change_of_domain_takes_a_place(server, domain, admin):
    account = server.person().account
    fill(server, domain)
    with pytest.raises(SpaceFull):
        server.set(account.id, domain=domain)
    server.apply(server.run(server.store.accounts.by_address("filler.0", domain)).remove())
    server.set(account.id, domain=domain)
    assert counter(server, domain) == QUOTA
    server.set(account.id, domain=A)
    assert counter(server, domain) == QUOTA - 1


def test_a_removal_gives_back_the_place_of_the_space_in_which_the_account_is(server, domain, admin):
    read = server.person(domain=domain).account
    server.set(read.id, domain=A)
    assert server.run(server.store.accounts.apply(read.remove(), server.actor)) is None
    assert (counter(server, domain), server.account(read.id).domain) == (1, A)
    # The service reads it again.
    server.run(server.services.accounts.removal.remove(read, actor_of(server, A)))
    assert server.run(server.store.accounts.by_id(read.id)) is None
    assert counter(server, domain) == 1


class TestHealing:
    def test_places_reserved_for_nothing_are_given_back(self, server, domain, admin):
        for _ in range(3):
            server.run(server.store.quotas.reserve(domain))
        assert counter(server, domain) == 4
        assert server.run(server.store.quotas.heal(timedelta())) == 3
        assert counter(server, domain) == 1
        assert server.run(server.store.quotas.heal(timedelta())) == 0

    def test_places_of_creations_under_way_are_not(self, server, domain, admin):
        async def meanwhile():
            await server.store.quotas.reserve(domain)
            healing = asyncio.create_task(server.store.quotas.heal(timedelta(seconds=0.3)))
            await asyncio.sleep(0.1)
            await server.store.quotas.reserve(domain)
            return await healing

        assert server.run(meanwhile()) == 0
        assert counter(server, domain) == 3

    def test_a_start_counts_what_commands_wrote(self, server, domain, admin):
        server.run(server.store.bulk.put(unplaced(server, domain, 900), Actor.system()))
        server.run(server.store.prepare())
        assert counter(server, domain) == 4

    def test_accounts_that_were_not_counted_are(self, server, domain, admin):
        """As those that are made by a server that has no quota in its settings yet."""
        server.run(server.store.bulk.put(unplaced(server, domain, 910), Actor.system()))
        assert counter(server, domain) == 1
        server.run(server.store.quotas.heal(timedelta()))
        assert counter(server, domain) == 4

    def test_seed_accounts_are_counted(self, server, domain, admin):
        seeds = [
            SeedAccount(type="account", id=920 + n, username=f"seed.{n}", domain=domain, passwords=()) for n in range(3)
        ]
        server.run(server.services.accounts.seeding.write(seeds, lambda _count: None, Actor.system()))
        assert counter(server, domain) == 4

    def test_an_external_account_is_free_again(self, server, domain, admin, monkeypatch):
        external = ExternalAccount("ext", "other.example", "group", "0" * 64, Algorithm.SHA_256)
        server.run(server.store.external_accounts.add([external], Actor.system()))
        fill(server, domain)
        externals = server.services.accounts.external_accounts
        monkeypatch.setattr(externals, "_is_wanted", True)
        new = Account.new(server.clock.second(), username="one.more", domain=domain)
        with pytest.raises(SpaceFull):
            server.run(externals.add_account(new, server.actor))
        assert server.run(server.store.external_accounts.claim(server.clock.now(), server.actor)) is not None


def test_without_a_quota_nothing_is_counted(server, domain):
    async def names():
        return {one["_id"] async for one in server.store._database["counters"].find()}

    assert A not in server.store.quotas.limited
    assert {name for name in server.run(names()) if name.startswith("accounts of")} == {
        f"accounts of {name}" for name in DOMAINS
    }
