"""Sign-in to the panel by password: names of all kinds, one answer for every failure, limits shared with DIGEST."""

import asyncio
from collections import Counter

import pytest
from structlog.testing import capture_logs

from flexiapi.errors import TooManyRequests, WrongCredentials
from flexiapi.model import Actor, ActorKind
from tests.kit.digest import ME, answer, answering, asked, nonce_of
from tests.kit.person import PASSWORD
from tests.kit.server import shared_by_module

pytestmark = pytest.mark.security

B = "b.example.org"
server = shared_by_module(
    {
        "server": {"trusted_proxies": ["127.0.0.0/8"]},
        "spaces": {B: {}},
        "limits": {"failed_sign_ins_per_minute": 40, "failed_sign_ins_per_account": 5},
    }
)
ADDRESSES = iter(f"198.51.{high}.{low}" for high in range(256) for low in range(256))


@pytest.fixture
def actor():
    return Actor(ActorKind.ANONYMOUS, address=next(ADDRESSES))


@pytest.fixture
def sign_in(server, actor):
    def signed_in(name, password=PASSWORD, domain="sip.example.org"):
        space = server.store.spaces.of_domain(domain)
        return server.run(server.services.sign_in.panel.by_password(name, password, space, actor)).id

    return signed_in


@pytest.fixture(scope="module")
def people(server):
    return {
        "alice": server.person("alice.martin", email="alice@example.com", phone="+33612345678").id,
        "number": server.person("+33698765432").id,
        "digits": server.person("0033699999999").id,
        "both": server.person("carol.twice", email="twice@example.com").id,
        "too": server.person("dave.twice", email="twice@example.com").id,
        "unproven": server.person("eve.claims", email="alice@example.com", claimed_email="alice@example.com").id,
        "there": server.person("alice.martin", domain=B, email="alice@example.com").id,
        "claim": server.person("+33611111111", claimed_phone="+33611111111", activated=False).id,
    }


@pytest.mark.parametrize(
    ("typed", "who"),
    [
        ("alice.martin", "alice"),
        (" Alice.Martin ", "alice"),
        ("alice.martin@sip.example.org", "alice"),
        ("sip:Alice.Martin@SIP.example.org", "alice"),
        ("sips:alice.martin@sip.example.org", "alice"),
        ("alice@example.com", "alice"),
        ("Alice@Example.COM", "alice"),
        ("+33612345678", "alice"),
        ("+33 6 12 34 56 78", "alice"),
        ("+33 (0)6-12.34.56.78", "alice"),
        ("0033 6 12 34 56 78", "alice"),
        ("+33612345678@sip.example.org", "alice"),
        ("+33698765432", "number"),
        ("00 33 6 98 76 54 32", "number"),
        ("0033699999999", "digits"),
        ("+33 6 11 11 11 11", "claim"),
    ],
)
def test_a_name_of_any_kind_and_form_signs_in(people, sign_in, typed, who):
    assert sign_in(typed) == people[who]


@pytest.mark.parametrize(
    "typed",
    ["twice@example.com", "alice.martin@b.example.org", "alice.martin@elsewhere.example", "eve", "", "@", "sip:", "+"],
)
def test_a_name_of_several_accounts_or_of_another_service_signs_in_to_none(people, sign_in, typed):
    with pytest.raises(WrongCredentials):
        sign_in(typed)


def test_the_same_name_in_another_service_is_another_account(people, sign_in):
    assert sign_in("alice.martin", domain=B) == people["there"]
    assert sign_in("alice@example.com", domain=B) == people["there"]
    with pytest.raises(WrongCredentials):
        sign_in("+33612345678", domain=B)


def failing(server):
    """Names that sign in to nothing, each with the reason in the log and the password that it is tried with."""
    administration = server.services.accounts.administration
    shut_out, blocked = server.person(), server.person()
    server.run(administration.deactivate(shut_out.id, server.actor))
    server.run(administration.block(blocked.id, server.actor))
    without = server.person()
    server.set(without.id, passwords=())
    barred = server.person(activated=False)
    server.run(administration.deactivate(barred.id, server.actor))
    return [
        ("unknown account", "unknown.person", PASSWORD),
        ("wrong password", server.person().account.username, "wrong"),
        ("wrong password", server.person().account.username, ""),
        ("deactivated", shut_out.account.username, PASSWORD),
        ("deactivated", barred.account.username, PASSWORD),
        ("blocked", blocked.account.username, PASSWORD),
        ("no password", without.account.username, ""),
    ]


def test_all_failures_are_answered_and_counted_alike(server, sign_in):
    for reason, name, password in failing(server):
        outcomes = []
        with capture_logs() as lines:
            for _ in range(7):
                with pytest.raises((WrongCredentials, TooManyRequests)) as caught:
                    sign_in(name, password)
                outcomes.append((type(caught.value), str(caught.value).partition("again")[0]))
        refused = outcomes[5:]
        assert outcomes[:5] == [(WrongCredentials, "The user name or the password is wrong.")] * 5, reason
        assert [kind for kind, _ in refused] == [TooManyRequests] * 2, reason
        assert [line["reason"] for line in lines] == [reason] * 5


def test_an_unknown_account_costs_the_look_ups_and_the_comparison_of_a_known_one(server, people, sign_in, monkeypatch):
    counted = Counter()

    def counting(owner, name):
        method = getattr(owner, name)

        def call(*arguments):
            counted[name] += 1
            return method(*arguments)

        monkeypatch.setattr(owner, name, call)

    for name in ("by_address_or_alias", "by_phone", "by_claim"):
        counting(type(server.store.accounts), name)
    counting(type(server.store.listings), "only_by_email")
    counting(type(server.services.sign_in.passwords), "fits")
    costs = []
    for typed in ("alice.martin", "not.alice", "+33612345678", "+33612345679", "alice@example.com", "x@example.com"):
        counted.clear()
        with pytest.raises(WrongCredentials):
            sign_in(typed, "wrong")
        costs.append(dict(counted))
    assert costs == [{"by_address_or_alias": 1, "by_phone": 1, "by_claim": 1, "only_by_email": 1, "fits": 1}] * 6


def test_someone_never_active_may_sign_in(server, sign_in):
    new = server.person(activated=False)
    assert sign_in(new.account.username) == new.id


@pytest.mark.parametrize("is_known", [True, False])
def test_of_50_wrong_passwords_at_once_no_more_than_the_limit_are_compared(server, actor, monkeypatch, is_known):
    name = server.person().account.username if is_known else "unknown.person"
    service = server.services.sign_in.panel
    compared = []
    fits = type(server.services.sign_in.passwords).fits
    monkeypatch.setattr(
        type(server.services.sign_in.passwords), "fits", lambda *given: compared.append(1) or fits(*given)
    )

    async def at_once():
        tries = (service.by_password(name, "wrong", server.store.spaces.default, actor) for _ in range(50))
        return await asyncio.gather(*tries, return_exceptions=True)

    outcomes = Counter(type(one) for one in server.run(at_once()))
    assert outcomes == {WrongCredentials: 5, TooManyRequests: 45}
    assert len(compared) == 5


def test_failures_here_and_by_digest_count_together(server, actor, sign_in, http):
    person = server.person()
    here = {"X-Forwarded-For": actor.address}
    for _ in range(3):
        with pytest.raises(WrongCredentials):
            sign_in(person.account.username, "wrong")
    nonce = nonce_of(asked(http, person))
    for number in (1, 2):
        wrong = answering(person, nonce, number, "SHA-256", password="wrong")
        assert http.get(ME, headers={**wrong, **here}).status_code == 401
    with pytest.raises(TooManyRequests):
        sign_in(person.account.username)
    assert http.get(ME, headers={**answer(person, nonce), **here}).status_code == 429
    home = {"X-Forwarded-For": "192.0.2.1"}
    assert http.get(ME, headers={**answer(person, nonce_of(asked(http, person))), **home}).status_code == 200


def test_a_right_password_passes_while_its_network_is_limited(server, sign_in):
    known, other = server.person(), server.person()
    outcomes = []
    for name in (*(f"unknown.{number}" for number in range(40)), "unknown.person", known.account.username):
        with pytest.raises((WrongCredentials, TooManyRequests)) as caught:
            sign_in(name, "wrong")
        outcomes.append(type(caught.value))
    assert outcomes == [WrongCredentials] * 40 + [TooManyRequests] * 2
    assert sign_in(known.account.username) == known.id
    assert sign_in(other.account.username) == other.id
