"""Signed out everywhere: what a sign-in has given ends with it, also when a request was under way meanwhile."""

import pytest

from flexiapi.crypto.keys import opened
from flexiapi.errors import RecordNotFound
from flexiapi.model import Algorithm, Change
from flexiapi.services.accounts import AccountDetails

pytestmark = pytest.mark.security

PASSWORD = "another-password"


@pytest.fixture
def before(server, alice):
    """The account as a request has read it, just before an administrator deactivates it."""
    account = server.account(alice.id)
    server.run(server.services.accounts.administration.deactivate(alice.id, server.actor))
    return account


def attached_token(server, account):
    async def attached():
        token = (await server.services.sign_in.api_keys.new_auth_token(server.actor)).token
        await server.services.sign_in.api_keys.attach(token, account, server.actor)
        return token

    return server.run(attached())


def assert_gives_nothing(http, auth_token):
    assert http.get(f"/provisioning/auth_token/{auth_token}").status_code == 404
    assert http.get(f"/api/accounts/me/api_key/{auth_token}").status_code == 404


class TestADeactivationMeanwhile:
    def test_leaves_no_provisioning_token(self, server, before):
        with pytest.raises(RecordNotFound):
            server.run(server.services.phones.provisioning.new_token(before, server.actor))
        assert server.account(before.id).provisioning_token is None

    def test_leaves_no_api_key(self, server, before):
        with pytest.raises(RecordNotFound):
            server.run(server.services.sign_in.api_keys.make(before, server.actor))

    def test_leaves_no_code_for_an_address(self, server, before):
        with pytest.raises(RecordNotFound):
            server.run(server.services.codes.address_changes.request_email(before, "new@example.com", server.actor))
        assert server.account(before.id).email_change is None

    def test_leaves_no_code_for_a_number(self, server, before):
        with pytest.raises(RecordNotFound):
            server.run(server.services.codes.address_changes.request_phone(before, "+33612345678", server.actor))
        assert server.account(before.id).phone_change is None

    def test_leaves_no_auth_token(self, server, before, http):
        token = attached_token(server, before)
        assert_gives_nothing(http, token)
        server.run(server.services.accounts.administration.activate(before.id, server.actor))
        assert_gives_nothing(http, token)

    def test_leaves_no_recovery_key(self, server):
        account = server.person("bob.builder", email="bob@example.com").account
        server.run(server.services.accounts.administration.deactivate(account.id, server.actor))
        with pytest.raises(RecordNotFound):
            server.run(server.services.codes.recovery.send_mail(account, server.actor))
        assert server.account(account.id).provisioning_token is None
        assert server.account(account.id).confirmation is None


def test_a_recovery_key_does_not_outlive_the_address_that_it_went_to(server):
    account = server.person("bob.builder", email="bob@example.com").account
    server.set(account.id, email="other@example.com")
    with pytest.raises(RecordNotFound):
        server.run(server.services.codes.recovery.send_mail(account, server.actor))
    assert server.account(account.id).provisioning_token is None


def test_a_deactivation_sees_an_activation_that_came_in_between(server):
    waiting = server.person("bob.builder", activated=False).account
    server.run(server.services.accounts.administration.activate(waiting.id, server.actor))
    assert server.apply(waiting.shut_out(server.clock.second())) is None
    server.run(server.services.accounts.administration.deactivate(waiting.id, server.actor))
    assert server.account(waiting.id).is_shut_out


def test_a_replacement_sees_a_promotion_that_came_in_between(server, admin):
    account = server.person("bob.builder").account
    server.run(server.services.accounts.administrators.promote(account.id, server.actor))
    new = AccountDetails(account.username, PASSWORD, Algorithm.SHA_256)
    profile = server.services.accounts.administration._profile(account, new, server.actor)
    change = account.replaced_by(profile, server.clock.second(), ends_sign_ins=True, keeps_key=False)
    assert server.apply(change) is None
    assert server.account(account.id).is_admin


def test_each_sign_out_is_another(server, alice):
    read = server.account(alice.id)
    for _ in range(2):
        server.apply(Change("account.set_by_test", read, read, ends_sign_ins=True))
    assert server.account(alice.id).sign_in_epoch == read.sign_in_epoch + 2


class TestAnotherPassword:
    def tokens(self, server, account):
        token = opened(
            server.run(server.services.phones.provisioning.new_token(account, server.actor)).provisioning_token
        )
        return token, attached_token(server, account)

    def assert_ended(self, http, alice, provisioning_token, auth_token):
        assert alice.account.username not in http.get(f"/provisioning/{provisioning_token}").text
        assert_gives_nothing(http, auth_token)

    def test_of_the_user_ends_the_tokens(self, server, http, alice):
        tokens = self.tokens(server, alice.account)
        body = {"algorithm": "SHA-256", "old_password": alice.password, "password": PASSWORD}
        assert http.post("/api/accounts/me/password", json=body, headers=alice.headers).status_code == 200
        self.assert_ended(http, alice, *tokens)

    def test_of_an_administrator_ends_the_tokens(self, server, http, admin, alice):
        tokens = self.tokens(server, alice.account)
        body = {"username": alice.account.username, "algorithm": "SHA-256", "password": PASSWORD}
        assert http.put(f"/api/accounts/{alice.id}", json=body, headers=admin.headers).status_code == 200
        self.assert_ended(http, alice, *tokens)

    def test_before_the_first_entry_leaves_what_activates(self, server, http, admin):
        body = {"username": "bob.builder", "algorithm": "SHA-256", "password": "first-password"}
        made = http.post("/api/accounts", json=body, headers=admin.headers).json()
        again = http.put(f"/api/accounts/{made['id']}", json=body | {"password": PASSWORD}, headers=admin.headers)
        assert again.json()["provisioning_token"] == made["provisioning_token"]
        assert again.json()["confirmation_key"] == made["confirmation_key"]
        assert "bob.builder" in http.get(f"/provisioning/{made['provisioning_token']}").text


def test_a_pin_is_not_kept_for_who_was_signed_out_while_it_was_sent(server, monkeypatch):
    account = server.person("bob.builder", phone="+33612345678").account
    text = server.services.codes.recovery._notices.text

    async def slow(*arguments, **named):
        await server.services.accounts.administration.deactivate(account.id, server.actor)
        await text(*arguments, **named)

    monkeypatch.setattr(server.services.codes.recovery._notices, "text", slow)
    with pytest.raises(RecordNotFound):
        server.run(server.services.codes.recovery.send_pin("+33612345678", server.creation_token(), server.actor))
    assert server.account(account.id).confirmation is None
