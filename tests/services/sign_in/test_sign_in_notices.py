"""Mails that tell an owner of sign-ins and changes that others may have made."""

import pytest

from flexiapi.model import Actor, ActorKind, SignInMethod
from tests.kit.server import shared_by_module

pytestmark = pytest.mark.security

server = shared_by_module({"app": {"url": "https://accounts.example.org"}})
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"


@pytest.fixture
def mails(server):
    """The mails of a kind that were sent since the test began."""
    before = len(server.messages)

    def sent(kind):
        return [one for one in server.messages[before:] if one["kind"] == kind]

    return sent


@pytest.fixture
def alice(server):
    return server.person(email="alice@example.com")


@pytest.fixture
def sign_in(server):
    def signed_in(person, address="192.0.2.7", agent=FIREFOX, method=SignInMethod.PASSWORD, language=""):
        actor = Actor(ActorKind.ANONYMOUS, address=address, user_agent=agent, accept_language=language)
        account = server.account(person.id)
        return server.run(server.services.sign_in.sessions.begin(account, actor, method))

    return signed_in


def test_a_sign_in_from_an_unknown_network_or_browser_is_told_once(alice, sign_in, mails):
    told = []
    for address, agent in (
        ("192.0.2.7", FIREFOX.format(128, 128)),
        ("192.0.2.7", FIREFOX.format(129, 129)),  # An update of the browser is none.
        ("192.0.2.99", FIREFOX.format(129, 129)),  # Nor is another address of the same network.
        ("198.51.100.1", FIREFOX.format(129, 129)),
        ("198.51.100.1", CHROME),
        ("192.0.2.7", CHROME),
        ("2001:db8:1:2::3", CHROME),
        ("2001:db8:1:ffff::4", CHROME),
    ):
        sign_in(alice, address, agent)
        told.append(len(mails("notice.sign_in")))
    assert told == [1, 1, 1, 2, 3, 3, 4, 4]


def test_the_mail_says_from_where_and_leads_to_the_sessions(alice, sign_in, mails):
    sign_in(alice, agent=CHROME)
    sign_in(alice, agent="<script>alert(1)</script>", language="fr")
    first, second = mails("notice.sign_in")
    assert first["to"] == "alice@example.com"
    assert "with Chrome on Windows" in first["text"]
    assert "192.0.2.7" in first["text"]
    assert "https://accounts.example.org/sessions" in first["text"]
    assert "avec un navigateur inconnu" in second["text"]
    assert "script" not in second["text"] + second["html"]


def test_it_is_told_of_neither_a_code_nor_an_invitation_which_make_the_place_known(alice, sign_in, mails):
    sign_in(alice, method=SignInMethod.CODE)
    sign_in(alice)
    sign_in(alice, "203.0.113.1", method=SignInMethod.INVITE)
    sign_in(alice, "203.0.113.1", method=SignInMethod.QR)
    assert mails("notice.sign_in") == []
    sign_in(alice, "198.51.100.1", method=SignInMethod.QR)
    assert len(mails("notice.sign_in")) == 1


@pytest.mark.parametrize("fields", [{}, {"email": "x@example.com", "claimed_email": "x@example.com"}])
def test_an_address_that_is_not_proven_is_told_nothing(server, sign_in, mails, fields):
    sign_in(server.person(**fields))
    sign_in(server.person(email="new@example.com", activated=False))
    assert mails("notice.sign_in") == []


def test_places_are_bounded_unreadable_and_gone_with_their_account(server, alice, sign_in):
    for number in range(45):
        sign_in(alice, f"10.{number}.0.1", method=SignInMethod.CODE)

    async def stored():
        return await server.store._database["sign_in_places"].find_one({"_id": alice.id})

    document = server.run(stored())
    assert len(document["marks"]) == 40
    assert {len(mark) for mark in document["marks"]} == {16}
    server.run(server.services.accounts.removal.remove(server.account(alice.id), server.actor))
    assert server.run(stored()) is None


def test_sessions_ended_by_the_list_are_told(server, alice, sign_in, mails):
    sessions = server.services.sign_in.sessions
    tokens = [sign_in(alice).token for _ in range(4)]
    mine, second, *_ = (
        server.run(sessions.resume(token, "192.0.2.7", server.store.spaces.default)).session for token in tokens
    )
    account = server.account(alice.id)
    assert server.run(sessions.sign_out(account, second.id_hash, server.actor))
    assert not server.run(sessions.sign_out(account, second.id_hash, server.actor))
    assert server.run(sessions.sign_out_others(account, mine, server.actor)) == 2
    assert server.run(sessions.sign_out_others(account, mine, server.actor)) == 0
    one, two = mails("notice.sessions")
    assert "One session of" in one["text"]
    assert "2 sessions of" in two["text"]


def test_a_key_made_in_the_panel_is_told_and_one_of_the_api_is_not(server, alice, mails):
    make = server.services.sign_in.api_keys.make
    server.run(make(server.account(alice.id), server.actor))
    assert mails("notice.api_key") == []
    key = server.run(make(server.account(alice.id), server.actor, tells=True))
    (mail,) = mails("notice.api_key")
    assert key not in mail["text"] + mail["html"]


def test_a_deletion_in_the_owner_s_name_is_told_and_one_by_others_is_not(server, http, alice, mails):
    other = server.person(email="other@example.com")
    server.run(server.services.accounts.removal.remove(server.account(other.id), server.actor))
    assert mails("notice.deleted") == []
    assert http.delete("/api/accounts/me", headers=alice.headers).status_code == 200
    (mail,) = mails("notice.deleted")
    assert mail["to"] == "alice@example.com"
