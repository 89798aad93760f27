"""The tables of domains that a database was written for, and the change to others."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from flexiapi.crypto.keys import ApplicationKey
from flexiapi.errors import ConfigurationError
from flexiapi.model import Account, Actor
from flexiapi.server import space_watch
from flexiapi.server.readiness import Readiness
from flexiapi.server.space_watch import SpaceWatch
from flexiapi.settings import Settings
from flexiapi.store import SpaceTablesCollide, Store, space_identifiers
from tests.kit.spaces import A, B
from tests.kit.waiting import wait_for

C = "c.example.org"
PHONE = "+33612345678"
AT_ONCE = timedelta(0)


@pytest.fixture
def configure():
    return {"account": {"email_unique": True}}


async def opened(settings, uri):
    return Store(settings, ApplicationKey("k" * 40), uri)


@pytest.fixture
def with_tables(server):
    """A store on the server's database with other tables."""

    @contextlib.contextmanager
    def made(*domains):
        tables = {"spaces": {domain: {} for domain in domains}}
        settings = Settings.model_validate({**server.settings.model_dump(exclude={"spaces"}), **tables})
        store = server.run(opened(settings, server.uri))
        try:
            yield store
        finally:
            server.run(store.close())

    return made


@contextlib.contextmanager
def break_off(tables, *, after=0):
    """Let the change of accounts fail after some batches."""
    keep, left = tables._keep, [after]

    async def fail(holder):
        if left[0] == 0:
            raise ConfigurationError("killed")
        left[0] -= 1
        await keep(holder)

    tables._keep = fail
    try:
        yield
    finally:
        tables._keep = keep


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
        server.run(store.prepare(serves=True, alone=True))
        assert server.run(store.space_tables.differences()) == []
    suffix = f";space={B}"
    wanted = [f"sip:{one.address}", f"sip:{PHONE}@{B}", f"tel:{PHONE}{suffix}", f"mailto:b@example.com{suffix}"]
    assert identifiers(server, one) == wanted
    assert identifiers(server, other) == before
    assert kept(server) == {"_id": "spaces", "domains": [B]}
    account(server, A, phone=PHONE, email="b@example.com")


def test_other_tables_are_named_and_wait_for_the_command(server, with_tables):
    with with_tables(B) as store:
        server.run(store.prepare(serves=True, alone=True))
    one = account(server, C, phone=PHONE)
    before = identifiers(server, one)
    with with_tables(C) as store:
        server.run(store.prepare(serves=True, alone=True))
        differences = server.run(store.space_tables.differences())
        assert [B in text or C in text for text in differences] == [True, True]
        assert f'[spaces."{C}"] is in the settings' in differences[0]
        assert f'[spaces."{B}"] is missing' in differences[1]
        assert identifiers(server, one) == before
        assert server.run(store.space_tables.apply(AT_ONCE)) == 1
        assert server.run(store.space_tables.differences()) == []
    assert f"tel:{PHONE};space={C}" in identifiers(server, one)
    with with_tables() as store:
        assert server.run(store.space_tables.apply(AT_ONCE)) == 1
    assert identifiers(server, one) == before


def test_a_change_is_refused_with_the_pairs_that_would_collide(server, with_tables):
    with with_tables(B) as store:
        server.run(store.prepare(serves=True, alone=True))
        b = Account.new(server.clock.second(), username="bob.builder", domain=B, phone=PHONE, email="b@example.com")
        server.run(store.accounts.apply(b, Actor.system()))
    a = account(server, A, phone=PHONE, email="b@example.com")
    with with_tables() as store:
        with pytest.raises(SpaceTablesCollide) as caught:
            server.run(store.space_tables.apply(AT_ONCE))
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
        server.run(store.prepare(serves=True, alone=True))
        for domain in (B, C):
            new = Account.new(server.clock.second(), username="bob.builder", domain=domain, phone=PHONE)
            server.run(store.accounts.apply(new, Actor.system()))
    with with_tables() as store:
        with pytest.raises(SpaceTablesCollide) as caught:
            server.run(store.space_tables.apply(AT_ONCE))
        assert caught.value.pairs == ((f"tel:{PHONE}", f"bob.builder@{B}", f"bob.builder@{C}"),)


def test_a_change_that_was_broken_off_is_finished_by_the_next_start(server, with_tables):
    people = [account(server, B, phone=f"+3361234567{number}") for number in range(3)]
    with with_tables(B) as store:
        tables = store.space_tables
        with break_off(tables), pytest.raises(ConfigurationError, match="killed"):
            server.run(tables.apply(AT_ONCE))
        assert server.run(tables.differences()) == [f'The accounts of [spaces."{B}"] are being changed.']
        server.run(store.prepare(serves=True, alone=True))
        assert server.run(tables.differences()) == []
    assert all(f"tel:{one.phone};space={B}" in identifiers(server, one) for one in people)


def test_a_running_server_finishes_what_another_process_broke_off(server, with_tables):
    one = account(server, B, phone=PHONE)
    with with_tables(B) as store:
        with break_off(store.space_tables), pytest.raises(ConfigurationError, match="killed"):
            server.run(store.space_tables.apply(AT_ONCE))
        readiness = Readiness()
        server.run(SpaceWatch(store, readiness).check())
        assert readiness.is_ready
    assert f"tel:{PHONE};space={B}" in identifiers(server, one)


def test_domains_may_hand_over_a_number(server, with_tables):
    """The account in B gives up an identifier that the one in C takes, although B comes first in the alphabet."""
    with with_tables(C) as store:
        server.run(store.prepare(serves=True, alone=True))
        for domain in (B, C):
            new = Account.new(server.clock.second(), username="bob.builder", domain=domain, phone=PHONE)
            server.run(store.accounts.apply(new, Actor.system()))
    for tables in ([B], [C], [B]):
        with with_tables(*tables) as store:
            assert server.run(store.space_tables.apply(AT_ONCE)) == 2
            assert server.run(store.space_tables.differences()) == []
            for domain in (B, C):
                found = server.run(store.accounts.by_phone(PHONE, store.spaces.of_domain(domain)))
                assert found.domain == domain


def test_commands_leave_the_first_tables_to_servers_unless_there_is_no_account(server, with_tables):
    with with_tables(B) as store:
        server.run(store.prepare())
        assert kept(server) == {"_id": "spaces", "domains": [B]}

    async def forget():
        await server.store._database["meta"].delete_one({"_id": "spaces"})

    server.run(forget())
    one = account(server, B, phone=PHONE)
    before = identifiers(server, one)
    with with_tables(B) as store:
        server.run(store.prepare())
        assert len(server.run(store.space_tables.differences())) == 1
    assert kept(server) is None
    assert identifiers(server, one) == before


def test_what_a_server_with_other_tables_wrote_is_put_right(server, with_tables):
    with with_tables(B) as store:
        server.run(store.prepare(serves=True, alone=True))
        one = account(server, B, phone=PHONE)  # this server has no tables
        assert server.run(store.accounts.by_phone(PHONE, store.spaces.of_domain(B))) is None
        assert server.run(store.space_tables.apply(AT_ONCE)) == 1
        assert server.run(store.accounts.by_phone(PHONE, store.spaces.of_domain(B))).id == one.id


def test_running_servers_have_time_also_if_the_command_is_broken_off(server, with_tables):
    one = account(server, B, phone=PHONE)
    before = identifiers(server, one)
    with with_tables(B) as store:
        tables = store.space_tables
        with break_off(tables), pytest.raises(ConfigurationError, match="killed"):
            server.run(tables.apply(timedelta(hours=1)))

        async def resume():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await tables.settle(AT_ONCE)

        server.run(resume())
    assert identifiers(server, one) == before


def test_a_host_with_an_old_file_does_not_override_other_first_tables(server, with_tables):
    with with_tables(B) as first, with_tables(C) as second:
        read = server.run(second.space_tables._kept())
        assert server.run(first.space_tables.apply(AT_ONCE)) == 0
        assert server.run(second.space_tables.apply(AT_ONCE, expected=read)) is None
    assert kept(server) == {"_id": "spaces", "domains": [B]}


def test_a_change_that_was_broken_off_between_batches_is_finished(server, with_tables, monkeypatch):
    monkeypatch.setattr(space_identifiers, "_AT_ONCE", 1)
    people = [account(server, B, phone=f"+3361234567{number}") for number in range(3)]
    with with_tables(B) as store:
        with break_off(store.space_tables, after=2), pytest.raises(ConfigurationError, match="killed"):
            server.run(store.space_tables.apply(AT_ONCE))
        changed = [f"tel:{one.phone};space={B}" in identifiers(server, one) for one in people]
        assert changed == [True, True, False]
        assert server.run(store.space_tables.settle(AT_ONCE))
    assert all(f"tel:{one.phone};space={B}" in identifiers(server, one) for one in people)


def test_one_process_changes_at_a_time(server, with_tables):
    with with_tables(B) as store:

        async def twice():
            tables = store.space_tables
            return await asyncio.gather(*(tables.apply(timedelta(seconds=1)) for _ in range(2)))

        assert sorted(server.run(twice()), key=str) == [0, None]


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
            server.run(store.space_tables.apply(AT_ONCE))
        server.run(watch.check())
        assert readiness.is_closed
        assert f'[spaces."{C}"] is missing' in readiness.reasons["spaces"]
        with with_tables(B) as store:
            server.run(store.space_tables.apply(AT_ONCE))
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
            server.run(store.space_tables.apply(AT_ONCE))
        wait_for(lambda: http.get("/api/ping").status_code == 503)
        assert http.get("/api/ping").json()["message"] == "The server is not ready. Try again later."
        with with_tables(B) as store:
            server.run(store.space_tables.apply(AT_ONCE))
        wait_for(lambda: http.get("/api/ping").status_code == 200)
