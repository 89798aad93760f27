"""Single-use tokens: a failure does not consume them, and an unknown outcome does not give them back."""

import pytest

from flexiapi.crypto.keys import opened
from flexiapi.errors import ProvisioningFailed, StoreUnavailable
from flexiapi.model import Actor, Algorithm, ExternalAccount

BODY = {"username": "bob.builder", "password": "correct-horse", "algorithm": "SHA-256"}


@pytest.fixture
def broken_documents(server, monkeypatch):
    """Documents cannot be made, until this is called."""
    documents = server.services.phones.provisioning._documents

    def fail(*_args):
        raise ProvisioningFailed

    with monkeypatch.context() as patched:
        patched.setattr(documents, "of", fail)
        yield patched.undo


def test_a_document_that_cannot_be_made_costs_neither_token_nor_password(server, alice, broken_documents):
    token = opened(
        server.run(server.services.phones.provisioning.new_token(alice.account, server.actor)).provisioning_token
    )
    before = server.account(alice.id)
    with pytest.raises(ProvisioningFailed):
        server.run(server.services.phones.provisioning.by_token(token, {"reset_password": ""}, {}, server.actor))
    assert server.account(alice.id) == before
    broken_documents()
    document, is_valid = server.run(server.services.phones.provisioning.by_token(token, {}, {}, server.actor))
    assert is_valid
    assert b"alice.martin" in document


class TestNotice:
    def reset(self, server, http, account):
        token = opened(
            server.run(server.services.phones.provisioning.new_token(account, server.actor)).provisioning_token
        )
        assert account.username in http.get(f"/provisioning/{token}?reset_password").text
        return [message for message in server.messages if message["to"] == account.email]

    def test_a_reset_by_provisioning_is_told_by_mail(self, server, http):
        (notice,) = self.reset(server, http, server.person("bob.builder", email="bob@example.com").account)
        assert "password" in notice["subject"].lower()

    def test_the_first_password_of_who_was_never_in_is_no_news(self, server, http):
        waiting = server.person("bob.builder", email="bob@example.com", activated=False).account
        assert self.reset(server, http, waiting) == []


class TestAnAnswerThatIsLost:
    """The database has the account, and the server does not know."""

    @pytest.fixture
    def configure(self):
        return {"account": {"consume_external_account_on_create": True}}

    @pytest.fixture
    def lost(self, server, monkeypatch):
        apply = server.store.accounts.apply

        async def applied(change, actor):
            await apply(change, actor)
            raise StoreUnavailable

        with monkeypatch.context() as patched:
            patched.setattr(server.store.accounts, "apply", applied)
            yield patched.undo

    def test_makes_no_second_account_with_the_same_token(self, server, http, lost):
        one = ExternalAccount("ext", "other.example.org", "group", "e" * 64, Algorithm.SHA_256)
        server.run(server.services.accounts.external_accounts.add([one], Actor.system()))
        token = server.creation_token()
        path = "/api/accounts/with-account-creation-token"
        assert http.post(path, json=BODY | {"account_creation_token": token}).status_code == 503
        lost()
        again = http.post(path, json=BODY | {"username": "second.person", "account_creation_token": token})
        assert (again.status_code, list(again.json()["errors"])) == (422, ["account_creation_token"])
        other = BODY | {"username": "third.person", "account_creation_token": server.creation_token()}
        refused = http.post(path, json=other)
        assert (refused.status_code, "external" in refused.text) == (403, True)
