"""Recovery that pages ask for: nothing tells whether there is an account."""

import asyncio
import re

import pytest

from flexiapi.errors import CodeRefused, RecordNotFound, TooManyRequests
from flexiapi.model import Actor, ActorKind
from flexiapi.services.codes import RecoveryRequest
from tests.kit.server import shared_by_module

pytestmark = pytest.mark.security

PHONE = "+33612345678"
B = "b.example.org"
server = shared_by_module({"account": {"email_unique": True}, "spaces": {B: {}}})


@pytest.fixture
def recovery(server):
    return server.services.codes.web_recovery


def anonymous(address="192.0.2.1"):
    return Actor(ActorKind.ANONYMOUS, address=address)


@pytest.fixture
def ask(server, recovery):
    """Ask for a code and return the messages that were sent."""

    def asked(request):
        before = len(server.messages)

        async def asking():
            recovery.ask(request, anonymous())
            await recovery.finished()

        server.run(asking())
        return server.messages[before:]

    return asked


@pytest.fixture
def confirm(server, recovery):
    def confirmed(request, code, address="192.0.2.1"):
        return server.run(recovery.confirm(request, code, anonymous(address)))

    return confirmed


@pytest.fixture
def alice(server):
    made = server.person(email="alice@example.org", phone=PHONE)
    yield made
    server.apply(server.account(made.id).remove())


def test_a_mail_has_a_code_and_a_link_and_both_end_with_the_first(server, recovery, alice, ask, confirm):
    request = RecoveryRequest(email="alice@example.org")
    (mail,) = ask(request)
    (link,) = re.findall(r"/reset_password/(\w+)", mail["text"])
    assert (mail["kind"], mail["to"]) == ("account.password.reset", "alice@example.org")
    assert server.run(server.services.codes.reset_links.holder(link, server.store.spaces.default)).id == alice.id
    assert confirm(request, mail["code"].lower().replace("-", " ")).id == alice.id
    with pytest.raises(CodeRefused):
        confirm(request, mail["code"])
    with pytest.raises(RecordNotFound):
        server.run(server.services.codes.reset_links.holder(link, server.store.spaces.default))
    assert server.account(alice.id).sign_in_epoch == alice.account.sign_in_epoch + 1


def test_a_second_mail_does_not_end_the_code_of_the_first(alice, ask, confirm):
    request = RecoveryRequest(email="alice@example.org")
    first, second = ask(request) + ask(request)
    assert first["code"] == second["code"]
    assert confirm(request, first["code"]).id == alice.id


def test_a_number_gets_a_pin_beside_a_mailed_code(alice, ask, confirm):
    (sms,) = ask(RecoveryRequest(phone=PHONE))
    (mail,) = ask(RecoveryRequest(email="alice@example.org"))
    assert (sms["kind"], len(sms["code"])) == ("account.recovery", 4)
    assert confirm(RecoveryRequest(phone="+33612345678"), sms["code"]).id == alice.id
    assert mail["code"] != sms["code"]


@pytest.mark.parametrize(
    "request_", [RecoveryRequest(email="other@example.org"), RecoveryRequest(phone="+33699999999")]
)
def test_nothing_is_sent_for_no_account(ask, request_):
    assert ask(request_) == []


def test_an_account_of_another_service_is_unknown(server, recovery, alice, ask, confirm):
    actor = Actor(ActorKind.ANONYMOUS, address="192.0.2.1", space=server.store.spaces.of_domain(B))
    (mail,) = ask(RecoveryRequest(email="alice@example.org"))
    for request in (RecoveryRequest(email="alice@example.org"), RecoveryRequest(phone=PHONE)):
        before = len(server.messages)
        server.run(_asked(recovery, request, actor))
        assert len(server.messages) == before
        with pytest.raises(CodeRefused):
            server.run(recovery.confirm(request, mail["code"], actor))


async def _asked(recovery, request, actor):
    recovery.ask(request, actor)
    await recovery.finished()


@pytest.mark.parametrize("closed", ["shut_out", "block"])
def test_nothing_is_sent_for_a_closed_account(server, alice, ask, confirm, closed):
    (mail,) = ask(RecoveryRequest(email="alice@example.org"))
    server.apply(getattr(server.account(alice.id), closed)(server.clock.second()))
    for request in (RecoveryRequest(email="alice@example.org"), RecoveryRequest(phone=PHONE)):
        assert ask(request) == []
        with pytest.raises(CodeRefused):
            confirm(request, mail["code"])


def test_an_address_that_is_only_claimed_recovers_nothing(server, ask):
    made = server.person(email="claimed@example.org", claimed_email="claimed@example.org", activated=False)
    assert ask(RecoveryRequest(email="claimed@example.org")) == []
    server.apply(server.account(made.id).remove())


@pytest.mark.parametrize(
    ("known", "unknown"),
    [
        (RecoveryRequest(phone=PHONE), RecoveryRequest(phone="+33699999998")),
        (RecoveryRequest(email="alice@example.org"), RecoveryRequest(email="nobody@example.org")),
    ],
)
def test_wrong_codes_are_refused_alike_for_known_and_unknown(alice, ask, confirm, known, unknown):
    ask(known)
    outcomes = []
    for request in (known, unknown):
        told = []
        for _ in range(10):
            with pytest.raises((CodeRefused, TooManyRequests)) as failure:
                confirm(request, "0000x", address="198.51.100.7")
            told.append((type(failure.value), getattr(failure.value, "retry_after", 0) // 60, failure.value.status))
        outcomes.append(told)
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][-1][0] is TooManyRequests


def test_fifty_parallel_wrong_codes_compare_at_most_the_tries_of_a_pin(server, recovery, alice, ask):
    (sms,) = ask(RecoveryRequest(phone=PHONE))
    wrong = [f"{number:04d}" for number in range(50) if f"{number:04d}" != sms["code"]]

    async def race():
        tries = (recovery.confirm(RecoveryRequest(phone=PHONE), code, anonymous()) for code in wrong)
        return await asyncio.gather(*tries, return_exceptions=True)

    before = server.log.getvalue().count("wrong code")
    outcomes = server.run(race())
    assert all(isinstance(outcome, CodeRefused | TooManyRequests) for outcome in outcomes)
    assert server.log.getvalue().count("wrong code") - before <= server.settings.account.pin_tries
