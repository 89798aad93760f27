"""Codes of address changes that are sent again, and changes that are given up."""

import asyncio

import pytest

from flexiapi.errors import RecordNotFound, TooManyRequests
from tests.kit.server import serving, shared_by_module

server = shared_by_module({"limits": {"codes_per_account": 0}})


@pytest.fixture
def person(server):
    return server.person(email="old@example.org")


def codes_of(server, address):
    return [message["code"] for message in server.messages if message.get("to", message.get("phone")) == address]


@pytest.mark.parametrize(("channel", "target"), [("email", "again@example.org"), ("phone", "+33612345679")])
def test_a_code_is_sent_again_after_a_minute_to_the_same_place(server, person, channel, target):
    changes = server.services.codes.address_changes
    with pytest.raises(RecordNotFound):
        server.run(changes.resend(person.account, channel, server.actor))
    server.run(getattr(changes, f"request_{channel}")(person.account, target, server.actor))
    account = server.account(person.id)
    with pytest.raises(TooManyRequests) as early:
        server.run(changes.resend(account, channel, server.actor))
    assert 1 < early.value.retry_after <= 61
    server.later(seconds=61)
    server.run(changes.resend(account, channel, server.actor))
    second = codes_of(server, target)[1]
    server.run(getattr(changes, f"confirm_{channel}")(server.account(person.id), second, server.actor))
    assert getattr(server.account(person.id), channel) == target


def test_of_fifty_parallel_wishes_one_code_is_sent(server, person):
    changes = server.services.codes.address_changes
    server.run(changes.request_email(person.account, "crowd@example.org", server.actor))
    server.later(seconds=61)
    account = server.account(person.id)

    async def ask():
        asked = (changes.resend(account, "email", server.actor) for _ in range(50))
        return await asyncio.gather(*asked, return_exceptions=True)

    results = server.run(ask())
    assert [type(result) for result in results if result is not None] == [TooManyRequests] * 49
    assert len(codes_of(server, "crowd@example.org")) == 2


def test_tries_that_are_left_and_a_change_that_is_given_up(server, person):
    changes = server.services.codes.address_changes
    server.run(changes.request_email(person.account, "left@example.org", server.actor))
    account = server.account(person.id)
    assert changes.tries_left(account.email_change) == server.settings.account.pin_tries
    server.run(server.store.accounts.count_try(account.id, "email_change", 3))
    account = server.account(person.id)
    assert changes.tries_left(account.email_change) == server.settings.account.pin_tries - 1
    server.run(changes.cancel(account, "email", server.actor))
    assert server.account(person.id).email_change is None
    server.run(changes.cancel(server.account(person.id), "email", server.actor))


def test_without_the_panel_the_mail_has_no_link(tmp_path, mongod_uri):
    with serving({"panel": {"enabled": False}}, tmp_path, mongod_uri) as server:
        person, changes = server.person(), server.services.codes.address_changes
        server.run(changes.request_email(person.account, "plain@example.org", server.actor))
        (mail,) = server.messages
    assert "/email/validate" not in mail["text"] + mail["html"]
