"""The tables of domains that a database was written for, and the change to others."""

import contextlib

import pytest

from flexiapi.crypto.keys import ApplicationKey
from flexiapi.errors import ConfigurationError
from flexiapi.model import Account, Actor
from flexiapi.server import space_watch
from flexiapi.server.readiness import Readiness
from flexiapi.server.space_watch import SpaceWatch
from flexiapi.settings import Settings
from flexiapi.store import SpaceTablesCollide, Store
from tests.kit.spaces import A, B
from tests.kit.waiting import wait_for

C = "c.example.org"
PHONE = "+33612345678"


@pytest.fixture
def configure():
    return {"account": {"email_unique": True}}


@pytest.fixture
def with_tables(server):
    """A store on the server's database with other tables."""

    @contextlib.contextmanager
    def made(*domains):
        tables = {"spaces": {domain: {} for domain in domains}}
        settings = Settings.model_validate({**server.settings.model_dump(exclude={"spaces"}), **tables})
        store = Store(settings, ApplicationKey("k" * 40), server.uri)
        try:
            yield store
        finally:
            store.close()

    return made


def account(server, domain, **fields):
    return server.person(domain=domain, **fields).account


def identifiers(server, one):
    async def read():
        return (await server.store._database["accounts"].find_one({"_id": one.id}))["identifiers"]

    return server.run(read())


def kept(server):
    async def read():
        return await server.store._database["meta"].find_one({"_id": "spaces"})

    return server.run(read())


def test_a_database_without_tables_keeps_none(server):
    assert kept(server) is None
    one = account(server, B, phone=PHONE, email="b@example.com")
    assert identifiers(server, one) == [
        f"sip:{one.address}",
        f"sip:{PHONE}@{A}",
        f"tel:{PHONE}",
        "mailto:b@example.com",
    ]


def test_the_first_tables_of_an_old_database_are_applied_at_the_start(server, with_tables):
    one, other = account(server, B, phone=PHONE, email="b@example.com"), account(server, A, phone="+33700000000")
    before = identifiers(server, other)
    with with_tables(B) as store:
        server.run(store.prepare())
        assert server.run(store.space_tables.differences()) == []
    suffix = f";space={B}"
    wanted = [f"sip:{one.address}", f"sip:{PHONE}@{B}", f"tel:{PHONE}{suffix}", f"mailto:b@example.com{suffix}"]
    assert identifiers(server, one) == wanted
    assert identifiers(server, other) == before
    assert kept(server) == {"_id": "spaces", "domains": [B]}
    account(server, A, phone=PHONE, email="b@example.com")


def test_other_tables_are_named_and_wait_for_the_command(server, with_tables):
    with with_tables(B) as store:
        server.run(store.prepare())
    one = account(server, C, phone=PHONE)
    before = identifiers(server, one)
    with with_tables(C) as store:
        server.run(store.prepare())
        differences = server.run(store.space_tables.differences())
        assert [B in text or C in text for text in differences] == [True, True]
        assert f'[spaces."{C}"] is in the settings' in differences[0]
        assert f'[spaces."{B}"] is missing' in differences[1]
        assert identifiers(server, one) == before
        assert server.run(store.space_tables.apply()) == 1
        assert server.run(store.space_tables.differences()) == []
    assert f"tel:{PHONE};space={C}" in identifiers(server, one)
    with with_tables() as store:
        assert server.run(store.space_tables.apply()) == 1
    assert identifiers(server, one) == before


def test_a_change_is_refused_with_the_pairs_that_would_collide(server, with_tables):
    with with_tables(B) as store:
        server.run(store.prepare())
        b = Account.new(server.clock.second(), username="bob.builder", domain=B, phone=PHONE, email="b@example.com")
        server.run(store.accounts.apply(b, Actor.system()))
    a = account(server, A, phone=PHONE, email="b@example.com")
    with with_tables() as store:
        with pytest.raises(SpaceTablesCollide) as caught:
            server.run(store.space_tables.apply())
        assert {identifier for identifier, _, _ in caught.value.pairs} == {
            f"tel:{PHONE}",
            f"sip:{PHONE}@{A}",
            "mailto:b@example.com",
        }
        assert {(one, other) for _, one, other in caught.value.pairs} == {(f"bob.builder@{B}", a.address)}
        assert server.run(store.space_tables.differences()) != []
    assert kept(server) == {"_id": "spaces", "domains": [B]}
    with with_tables(B) as store:
        assert server.run(store.accounts.by_phone(PHONE, store.spaces.of_domain(B))).domain == B


def test_two_domains_that_lose_their_tables_collide_with_each_other(server, with_tables):
    with with_tables(B, C) as store:
        server.run(store.prepare())
        for domain in (B, C):
            new = Account.new(server.clock.second(), username="bob.builder", domain=domain, phone=PHONE)
            server.run(store.accounts.apply(new, Actor.system()))
    with with_tables() as store:
        with pytest.raises(SpaceTablesCollide) as caught:
            server.run(store.space_tables.apply())
        assert caught.value.pairs == ((f"tel:{PHONE}", f"bob.builder@{B}", f"bob.builder@{C}"),)


def test_a_change_that_was_broken_off_is_finished_by_the_next_start(server, with_tables):
    people = [account(server, B, phone=f"+3361234567{number}") for number in range(3)]
    with with_tables(B) as store:
        tables = store.space_tables

        async def broken_off():
            raise ConfigurationError("killed")

        with pytest.raises(ConfigurationError, match="killed"):
            server.run(tables.apply(announced=broken_off))
        assert server.run(tables.differences()) == [f'The accounts of [spaces."{B}"] are being changed.']
        server.run(store.prepare())
        assert server.run(tables.differences()) == []
    assert all(f"tel:{one.phone};space={B}" in identifiers(server, one) for one in people)


def test_a_running_server_finishes_what_another_process_broke_off(server, with_tables):
    one = account(server, B, phone=PHONE)
    with with_tables(B) as store:

        async def killed():
            raise ConfigurationError("killed")

        with pytest.raises(ConfigurationError, match="killed"):
            server.run(store.space_tables.apply(announced=killed))
        readiness = Readiness()
        server.run(SpaceWatch(store, readiness).check())
        assert readiness.is_ready
    assert f"tel:{PHONE};space={B}" in identifiers(server, one)


def test_one_process_changes_at_a_time(server, with_tables):
    with with_tables(B) as store:

        async def twice():
            tables = store.space_tables

            async def announced():
                assert await tables.apply() is None

            return await tables.apply(announced=announced)

        assert server.run(twice()) == 0


class TestServers:
    """A server whose tables differ says so, answers nothing, and goes on when they fit."""

    @pytest.fixture
    def configure(self):
        return {"spaces": {B: {}}}

    def test_it_stops_and_goes_on(self, server, http, with_tables):
        readiness = Readiness()
        watch = SpaceWatch(server.store, readiness)
        server.run(watch.check())
        assert readiness.is_ready
        with with_tables(B, C) as store:
            server.run(store.space_tables.apply())
        server.run(watch.check())
        assert readiness.is_closed
        assert f'[spaces."{C}"] is missing' in readiness.reasons["spaces"]
        with with_tables(B) as store:
            server.run(store.space_tables.apply())
        server.run(watch.check())
        assert readiness.is_ready


class TestServing:
    @pytest.fixture
    def configure(self, monkeypatch):
        monkeypatch.setattr(space_watch, "SECONDS", 0.02)
        return {"spaces": {B: {}}}

    def test_meanwhile_it_answers_nothing(self, server, http, with_tables):
        assert http.get("/api/ping").status_code == 200
        with with_tables(B, C) as store:
            server.run(store.space_tables.apply())
        wait_for(lambda: http.get("/api/ping").status_code == 503)
        assert http.get("/api/ping").json()["message"] == "The server is not ready. Try again later."
        with with_tables(B) as store:
            server.run(store.space_tables.apply())
        wait_for(lambda: http.get("/api/ping").status_code == 200)
