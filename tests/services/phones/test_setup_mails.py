"""Mails with a provisioning link."""

import pytest

from flexiapi.errors import DeliveryFailed, ValidationFailed
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
    "fields", [{}, {"email": "a@example.org", "username": "+33612345678", "claimed_phone": "+33612345678"}]
)
def test_an_account_without_a_proven_way_gets_none(server, fields):
    account = server.account(server.person(**fields).id)
    with pytest.raises(ValidationFailed):
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
