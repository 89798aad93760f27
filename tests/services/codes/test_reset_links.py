"""Mailed links to a new password."""

import asyncio
import re
from datetime import timedelta

import pytest

from flexiapi.errors import NoEmailConfigured, RecordNotFound, ValidationFailed
from flexiapi.model import Actor, ActorKind, Algorithm
from tests.kit.server import shared_by_module

pytestmark = pytest.mark.security

B = "b.example.org"
NEW = "another-horse-battery"
server = shared_by_module({"spaces": {B: {}}})


@pytest.fixture
def links(server):
    return server.services.codes.reset_links


@pytest.fixture
def sent(server, links):
    """Send an account a link, and return its token."""

    def send(person):
        server.run(links.send(server.account(person.id), Actor.system()))
        mail = server.messages[-1]
        (token,) = re.findall(r"/reset_password/(\w+)", mail["text"])
        assert (mail["kind"], mail["to"], mail.get("code")) == ("account.password.reset", person.account.email, None)
        return token

    return send


@pytest.fixture
def use(server, links):
    def used(token, domain="sip.example.org", password=NEW):
        space = server.store.spaces.of_domain(domain)
        return server.run(links.use(token, password, Actor(ActorKind.ANONYMOUS, space=space)))

    return used


async def stored_links(server):
    return await server.store._database["reset_links"].find().to_list(None)


def test_a_link_sets_one_password_and_ends_what_signs_in(server, links, sent, use):
    alice = server.person(email="alice@example.org")
    tokens = [sent(alice), sent(alice)]
    before = server.account(alice.id)
    assert server.run(links.holder(tokens[0], server.store.spaces.default)).id == alice.id
    assert server.account(alice.id) == before
    after = use(tokens[0])
    assert server.services.sign_in.passwords.fits(after, NEW)
    assert not server.services.sign_in.passwords.fits(after, alice.password)
    assert (after.sign_in_epoch, after.api_key) == (before.sign_in_epoch + 1, None)
    assert server.messages[-1]["kind"] == "notice.recovery"
    for token in tokens:
        with pytest.raises(RecordNotFound):
            use(token)


def test_fifty_parallel_uses_of_a_link_set_one_password(server, links, sent):
    bob = server.person(email="bob@example.org")
    token = sent(bob)

    async def race():
        uses = (links.use(token, f"{NEW}-{number}", Actor(ActorKind.ANONYMOUS)) for number in range(50))
        return await asyncio.gather(*uses, return_exceptions=True)

    outcomes = server.run(race())
    assert sum(not isinstance(outcome, RecordNotFound) for outcome in outcomes) == 1
    assert server.account(bob.id).sign_in_epoch == bob.account.sign_in_epoch + 1


def test_a_link_is_of_its_space_lives_a_day_and_cannot_be_guessed(server, links, sent, use):
    carol = server.person(email="carol@example.org", domain=B)
    token = sent(carol)
    assert len(token) * 5 >= 128
    with pytest.raises(RecordNotFound):
        use(token)
    assert token not in repr(server.run(stored_links(server)))
    server.later(hours=24)
    with pytest.raises(RecordNotFound):
        use(token, B)
    server.clock.offset = timedelta(0)
    assert use(token, B).id == carol.id


@pytest.mark.parametrize("change", ["shut_out", "block"])
def test_a_link_does_not_open_an_account_that_was_closed_meanwhile(server, links, sent, use, change):
    dave = server.person(email="dave@example.org")
    token = sent(dave)
    server.apply(getattr(server.account(dave.id), change)(server.clock.second()))
    with pytest.raises(RecordNotFound):
        use(token)
    with pytest.raises(ValidationFailed):
        sent(dave)


def test_a_link_ends_with_the_address_that_it_was_mailed_to(server, links, sent, use):
    grace = server.person(email="grace@example.org")
    token = sent(grace)
    server.set(grace.id, email="grace@example.net")
    with pytest.raises(RecordNotFound):
        use(token)


def test_no_link_is_sent_where_it_would_prove_nothing(server, links, sent):
    for fields in ({}, {"email": "x@example.org", "claimed_phone": "+33600000001", "activated": False}):
        name = fields.get("claimed_phone")
        person = server.person(name, **fields)
        with pytest.raises(ValidationFailed if fields else NoEmailConfigured):
            sent(person)


def test_the_algorithms_of_the_account_stay(server, links, sent, use):
    passwords = server.services.sign_in.passwords
    stored = tuple(passwords.stored("erin.moore", "sip.example.org", kind, "x") for kind in ("MD5", "SHA-256"))
    erin = server.person("erin.moore", email="erin@example.org", passwords=stored)
    kinds = {password.algorithm for password in use(sent(erin)).passwords}
    assert kinds == {Algorithm.MD5, Algorithm.SHA_256}


def test_the_links_of_a_removed_account_go_with_it(server, links, sent):
    frank = server.person(email="frank@example.org")
    sent(frank)
    server.run(server.services.accounts.removal.remove(server.account(frank.id), Actor.system()))
    assert all(link["account_id"] != frank.id for link in server.run(stored_links(server)))
