"""Who was signed in when a request began, and is not any more, leaves nothing that a reactivation would revive."""

import pytest

from flexiapi.errors import RecordNotFound


@pytest.fixture
def before(server, alice):
    """The account as a request has read it, just before an administrator deactivates it."""
    account = server.account(alice.id)
    server.run(server.services.administration.deactivate(alice.id))
    return account


def test_no_provisioning_token(server, before):
    with pytest.raises(RecordNotFound):
        server.run(server.services.provisioning.new_token(before))
    assert server.account(before.id).provisioning_token is None


def test_no_api_key(server, before):
    with pytest.raises(RecordNotFound):
        server.run(server.services.api_keys.make(before))


def test_no_code_for_an_address(server, before):
    with pytest.raises(RecordNotFound):
        server.run(server.services.my_addresses.request_email(before, "new@example.com"))
    assert server.account(before.id).email_change is None


def test_no_code_for_a_number(server, before):
    with pytest.raises(RecordNotFound):
        server.run(server.services.my_addresses.request_phone(before, "+33612345678"))
    assert server.account(before.id).phone_change is None


def test_no_api_key_by_an_auth_token_that_was_attached_too_late(server, before):
    async def attached():
        token = (await server.services.api_keys.new_auth_token()).token
        await server.services.api_keys.attach(token, before)
        return token

    token = server.run(attached())
    with pytest.raises(RecordNotFound):
        server.run(server.services.api_keys.redeem(token))
    server.run(server.services.administration.activate(before.id))
    with pytest.raises(RecordNotFound):
        server.run(server.services.api_keys.redeem(token))
