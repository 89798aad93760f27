"""Mails with a provisioning link."""

import pytest

from flexiapi.errors import DeliveryFailed, NoEmailConfigured, ValidationFailed
from tests.kit.server import shared_by_module

server = shared_by_module({})


def test_the_link_of_the_mail_sets_up_one_phone_and_keeps_the_password(server):
    anna = server.person("anna", email="anna@example.org")
    account = server.account(anna.id)
    server.run(server.services.phones.setup_mails.send(account, server.actor))
    mail = server.messages[-1]
    assert (mail["to"], mail["kind"]) == ("anna@example.org", "account.provisioning")
    after = server.account(anna.id)
    token = mail["text"].split("/setup/")[1].split()[0]
    assert (after.provisioning_token.open(), after.provisioning_by) == (token, "mail")
    assert after.passwords == account.passwords
    phone = server.http.get(f"/provisioning/{token}", headers={"X-Linphone-Provisioning": "1"})
    assert "anna" in phone.text
    assert server.account(anna.id).provisioning_token is None


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({}, NoEmailConfigured),
        ({"email": "a@example.org", "username": "+33612345678", "claimed_phone": "+33612345678"}, ValidationFailed),
        ({"email": "b@example.org", "blocked_at": True}, ValidationFailed),
        ({"email": "c@example.org", "activated": False, "deactivated_at": True}, ValidationFailed),
    ],
    ids=["no address", "a number to prove", "blocked", "deactivated before it was active"],
)
def test_an_account_that_a_link_would_not_reach_gets_none(server, fields, refusal):
    fields = {name: server.clock.second() if name.endswith("_at") else value for name, value in fields.items()}
    account = server.account(server.person(**fields).id)
    with pytest.raises(refusal):
        server.run(server.services.phones.setup_mails.send(account, server.actor))
    assert server.account(account.id).provisioning_token is None


def test_a_mail_that_fails_leaves_the_link_of_before(server, monkeypatch):
    account = server.account(server.person(email="b@example.org", provisioning_token="before-that").id)

    async def fail(*_args):
        raise DeliveryFailed

    monkeypatch.setattr(server.services.phones.setup_mails._notices, "mail", fail)
    with pytest.raises(DeliveryFailed):
        server.run(server.services.phones.setup_mails.send(account, server.actor))
    assert server.account(account.id).provisioning_token.open() == "before-that"
