"""Test pushes and test messages to the phones that an account has registered."""

import asyncio
import time

import pytest

from flexiapi.errors import RegistrarUnavailable, RouteNotFound, TooManyRequests
from flexiapi.plugin import Permanent, Unregistered
from flexiapi.services.phones import PushOutcome
from tests.kit.ports import free_port
from tests.kit.server import serving


def registered(redis_server, person, *phones):
    """Register phones, each with its push parameters, in the registrar."""
    with redis_server.client() as client:
        for number, parameters in enumerate(phones):
            contact = f"<sip:a@192.0.2.1;updatedAt={int(time.time()) - number};expires=600{parameters}?user-agent=P>"
            client.hset(f"fs:{person.sip}", f"phone-{number}", contact)


def woken_by(prid):
    return f";pn-provider=fcm;pn-param=929724111839;pn-prid={prid}"


@pytest.fixture
def configure(redis_server):
    return {
        "redis": {"url": f"unix://:{redis_server.password}@{redis_server.unix_socket}"},
        "limits": {"tests_per_hour": 3},
    }


def test_each_push_address_gets_one_push_and_the_limit_counts_them(server, alice, redis_server):
    trials = server.services.phones.trials
    registered(redis_server, alice, woken_by("one"), woken_by("two"), woken_by("one"), "")
    assert server.run(trials.push(alice.account, "Test of FlexiAPI")) == PushOutcome(accepted=2)
    assert sorted(message["prid"] for message in server.messages) == ["one", "two"]
    assert {(message["title"], message["kind"]) for message in server.messages} == {("Test of FlexiAPI", "test")}
    registered(redis_server, alice, *map(woken_by, "abcdefghijklmn"))
    assert server.run(trials.push(alice.account, "x")) == PushOutcome(accepted=10)
    server.run(trials.push(alice.account, "x"))
    with pytest.raises(TooManyRequests):
        server.run(trials.push(alice.account, "x"))
    assert server.run(trials.push(server.person("bob.smith").account, "x")) == PushOutcome()


def test_of_fifty_pushes_at_once_no_more_are_sent_than_the_limit(server, alice, redis_server):
    registered(redis_server, alice, woken_by("one"))

    async def crowd():
        asked = (server.services.phones.trials.push(alice.account, "x") for _ in range(50))
        return await asyncio.gather(*asked, return_exceptions=True)

    results = server.run(crowd())
    assert [type(one) for one in results].count(TooManyRequests) == 47
    assert len(server.messages) == 3


@pytest.fixture
def backend(scripted):
    return scripted.Push


def test_what_the_provider_no_longer_knows_and_what_fails_is_told(
    backend, redis_server, configure, tmp_path, mongod_uri
):
    with serving({**configure, "push": {"main": {"backend": "scripted"}}}, tmp_path, mongod_uri) as server:
        alice = server.person("alice.martin")
        registered(redis_server, alice, woken_by("one"), woken_by("two"), ";pn-provider=apns;pn-param=A.b;pn-prid=c")
        backend.script[:] = [Unregistered("gone"), Permanent("refused")]
        outcome = server.run(server.services.phones.trials.push(alice.account, "x"))
        assert outcome == PushOutcome(unregistered=1, failed=2)


def test_without_a_registrar_that_answers_nothing_is_sent(tmp_path, mongod_uri):
    tables = {"redis": {"host": "127.0.0.1", "port": free_port()}}
    with serving(tables, tmp_path, mongod_uri) as server:
        alice, trials = server.person("alice.martin"), server.services.phones.trials
        with pytest.raises(RegistrarUnavailable):
            server.run(trials.push(alice.account, "x"))
        with pytest.raises(RouteNotFound):
            server.run(trials.message(alice.account, "x"))
        assert server.messages == []


def test_a_message_goes_to_the_own_address(sipp, tmp_path, mongod_uri):
    proxy = sipp("200 OK")
    tables = {"flexisip": {"proxy": f"sip:127.0.0.1:{proxy.port};transport=udp", "sender": "api@sip.example.org"}}
    with serving({**tables, "limits": {"tests_per_hour": 1}}, tmp_path, mongod_uri) as server:
        alice, trials = server.person("alice.martin"), server.services.phones.trials
        assert server.run(trials.message(alice.account, "It works."))
        with pytest.raises(TooManyRequests):
            server.run(trials.message(alice.account, "It works."))
    (request,) = proxy.requests()
    assert request.startswith("MESSAGE sip:alice.martin@sip.example.org ")
    assert "It works." in request
