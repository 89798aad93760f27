"""Sign-in by a QR code, in both directions."""

import asyncio
from datetime import timedelta

import pytest

from flexiapi.errors import CodeRefused, RecordNotFound, TooManyRequests
from flexiapi.model import Actor, ActorKind
from tests.kit.server import shared_by_module

pytestmark = pytest.mark.security

B = "b.example.org"
server = shared_by_module({"spaces": {B: {}}})
ACTOR = Actor(ActorKind.ANONYMOUS, address="192.0.2.9", user_agent="Mozilla/5.0 Firefox/140.0")


@pytest.fixture
def qr(server):
    return server.services.sign_in.qr


@pytest.fixture
def alice(server):
    return server.person()


@pytest.fixture
def call(server):
    """Run a coroutine and return its result, or the class of its failure."""

    def called(coroutine):
        try:
            return server.run(coroutine)
        except (CodeRefused, RecordNotFound, TooManyRequests) as error:
            return type(error)

    return called


@pytest.fixture
def space(server):
    return server.store.spaces.default


@pytest.fixture
def shown(server, qr):
    return server.run(qr.ask(ACTOR))


@pytest.fixture
def number(server, qr, shown, space):
    return server.run(qr.request(shown.token, space)).browser.number


def test_the_browser_that_asked_is_signed_in_once(server, qr, call, shown, number, alice, space):
    request = server.run(qr.own_request(shown.token, shown.secret, space))
    assert (request.browser.address, request.browser.user_agent) == (ACTOR.address, ACTOR.user_agent)
    assert request.browser.number in request.browser.choices
    assert len(set(request.browser.choices)) == 3
    assert all(10 <= choice <= 99 for choice in request.browser.choices)
    assert call(qr.redeem(shown.token, shown.secret, ACTOR)) is RecordNotFound
    assert not request.is_attached
    assert call(qr.approve(shown.token, number, alice.account, ACTOR)) is None
    assert server.run(qr.request(shown.token, space)).is_attached
    assert call(qr.redeem(shown.token, shown.secret, ACTOR)).id == alice.id
    assert call(qr.redeem(shown.token, shown.secret, ACTOR)) is RecordNotFound
    assert call(qr.request(shown.token, space)) is RecordNotFound


def test_a_photographed_code_gives_nothing(server, qr, call, shown, number, alice, space):
    call(qr.approve(shown.token, number, alice.account, ACTOR))
    api_keys = server.services.sign_in.api_keys
    assert call(qr.redeem(shown.token, "another", ACTOR)) is RecordNotFound
    assert call(qr.own_request(shown.token, "another", space)) is RecordNotFound
    assert call(qr.take_over(shown.token, ACTOR)) is RecordNotFound
    assert call(api_keys.redeem(shown.token, ACTOR)) is RecordNotFound
    assert call(api_keys.holder(shown.token, space)) is RecordNotFound
    assert server.http.get(f"/api/accounts/me/api_key/{shown.token}").status_code == 404
    assert server.http.get(f"/provisioning/auth_token/{shown.token}").status_code == 404
    assert call(qr.redeem(shown.token, shown.secret, ACTOR)).id == alice.id


def test_the_app_attaches_too(server, qr, call, shown, alice):
    url = f"/api/accounts/auth_token/{shown.token}/attach"
    assert server.http.get(url, headers=alice.headers).status_code == 200
    assert call(qr.redeem(shown.token, shown.secret, ACTOR)).id == alice.id


def test_a_wrong_number_ends_the_request(qr, call, shown, number, alice):
    wrong = number - 1 if number > 10 else number + 1
    assert call(qr.approve(shown.token, wrong, alice.account, ACTOR)) is CodeRefused
    assert call(qr.approve(shown.token, number, alice.account, ACTOR)) is RecordNotFound


def test_fifty_parallel_redemptions_sign_in_once(server, qr, call, shown, number, alice):
    call(qr.approve(shown.token, number, alice.account, ACTOR))

    async def race():
        tries = (qr.redeem(shown.token, shown.secret, ACTOR) for _ in range(50))
        return await asyncio.gather(*tries, return_exceptions=True)

    outcomes = server.run(race())
    assert sum(not isinstance(outcome, RecordNotFound) for outcome in outcomes) == 1


def test_fifty_parallel_devices_take_a_token_over_once(server, qr, alice):
    token = server.run(qr.hand_over(alice.account, ACTOR)).token

    async def race():
        return await asyncio.gather(*(qr.take_over(token, ACTOR) for _ in range(50)), return_exceptions=True)

    outcomes = server.run(race())
    assert sum(not isinstance(outcome, RecordNotFound) for outcome in outcomes) == 1


def test_an_account_lets_five_browsers_in_per_hour(server, qr, call, alice, space):
    outcomes = []
    for _ in range(6):
        shown = server.run(qr.ask(ACTOR))
        number = server.run(qr.request(shown.token, space)).browser.number
        outcomes.append(call(qr.approve(shown.token, number, alice.account, ACTOR)))
    assert outcomes == [None] * 5 + [TooManyRequests]


def test_a_new_code_of_an_account_ends_the_one_before(server, qr, call, alice):
    first, second = (server.run(qr.hand_over(alice.account, ACTOR)).token for _ in range(2))
    assert call(qr.take_over(first, ACTOR)) is RecordNotFound
    assert call(qr.take_over(second, ACTOR)).id == alice.id


@pytest.mark.parametrize("change", ["shut_out", "block"])
def test_a_closed_account_is_not_signed_in(server, qr, call, shown, number, alice, change):
    call(qr.approve(shown.token, number, alice.account, ACTOR))
    token = server.run(qr.hand_over(alice.account, ACTOR)).token
    server.apply(getattr(server.account(alice.id), change)(server.clock.second()))
    assert call(qr.redeem(shown.token, shown.secret, ACTOR)) is RecordNotFound
    assert call(qr.take_over(token, ACTOR)) is RecordNotFound


def test_codes_are_of_their_space_and_live_five_minutes(server, qr, call, alice):
    b = server.store.spaces.of_domain(B)
    shown = server.run(qr.ask(Actor(ActorKind.ANONYMOUS, space=b)))
    assert call(qr.request(shown.token, server.store.spaces.default)) is RecordNotFound
    assert call(qr.request(shown.token, b)).expires_at <= server.clock.now() + timedelta(minutes=5)
    stored = repr(server.run(stored_tokens(server)))
    assert shown.secret not in stored
    assert shown.token not in stored


async def stored_tokens(server):
    return await server.store._database["auth_tokens"].find().to_list(None)
