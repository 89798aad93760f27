"""Call forwarding to contacts that are gone."""

import pytest

from flexiapi.model import ForwardingKind, ForwardingTarget
from flexiapi.services.calls import ForwardingValues
from tests.kit.server import shared_by_module

B = "b.example.org"

server = shared_by_module({"app": {"admins_manage_multi_domains": True}, "spaces": {B: {"name": "Bee"}}})


@pytest.fixture(scope="module")
def admin(server):
    return server.person(admin_since=server.clock.second())


class Forwarded:
    """An account, its contact directly or by a list, and rules to that contact."""

    def __init__(self, server, *, by_list):
        self.server = server
        self.contact, self.owner = server.person(), server.person()
        self.list_id = server.run(server.store.contacts_lists.add("A title", "A description", server.actor)).id
        if by_list:
            server.run(server.store.contacts_lists.add_contact(self.list_id, self.contact.id, server.actor))
            server.apply(server.account(self.owner.id).add_contacts_list(self.list_id))
        else:
            server.apply(server.account(self.owner.id).add_contact(self.contact.id))
        for kind, enabled in ((ForwardingKind.BUSY, True), (ForwardingKind.ALWAYS, False)):
            values = ForwardingValues(kind, ForwardingTarget.CONTACT, enabled, contact_id=self.contact.id)
            account = server.account(self.owner.id)
            server.run(server.services.calls.forwarding.add(account, values, server.actor))

    @property
    def is_forwarded(self):
        rules = self.server.account(self.owner.id).call_forwardings
        assert len(rules) == 2
        return any(rule.enabled for rule in rules)


@pytest.fixture
def direct(server):
    return Forwarded(server, by_list=False)


@pytest.fixture
def listed(server):
    return Forwarded(server, by_list=True)


def test_it_ends_with_the_direct_contact(http, admin, direct):
    assert direct.is_forwarded
    path = f"/api/accounts/{direct.owner.id}/contacts/{direct.contact.id}"
    assert http.delete(path, headers=admin.headers).status_code == 200
    assert not direct.is_forwarded


def test_it_goes_on_while_the_contact_is_on_a_list_of_the_account(server, http, admin, listed):
    server.apply(server.account(listed.owner.id).add_contact(listed.contact.id))
    path = f"/api/accounts/{listed.owner.id}/contacts/{listed.contact.id}"
    assert http.delete(path, headers=admin.headers).status_code == 200
    assert listed.is_forwarded


@pytest.mark.parametrize(
    "path",
    [
        "/api/contacts_lists/{0.list_id}",
        "/api/contacts_lists/{0.list_id}/contacts/{0.contact.id}",
        "/api/accounts/{0.owner.id}/contacts_lists/{0.list_id}",
        "/api/accounts/{0.contact.id}",
    ],
    ids=["list", "place on the list", "list of the account", "account"],
)
def test_it_ends_with_the_list_and_with_the_account(http, admin, listed, path):
    assert listed.is_forwarded
    assert http.delete(path.format(listed), headers=admin.headers).status_code == 200
    assert not listed.is_forwarded


def test_it_ends_with_the_account_of_a_direct_contact(http, admin, direct):
    assert http.delete(f"/api/accounts/{direct.contact.id}", headers=admin.headers).status_code == 200
    assert not direct.is_forwarded


def test_it_ends_when_the_account_leaves_its_contacts_behind_in_another_space(http, admin, direct):
    body = {"domain": B, "password": "another-horse-battery", "algorithm": "SHA-256"}
    answer = http.patch(f"/api/accounts/{direct.owner.id}", headers=admin.headers, json=body)
    assert answer.status_code == 200
    assert not direct.is_forwarded


def test_the_end_is_an_event_of_the_account(server, http, admin, direct):
    http.delete(f"/api/accounts/{direct.owner.id}/contacts/{direct.contact.id}", headers=admin.headers)
    server.run(server.store.journal.pending.move_of("accounts", direct.owner.id))
    names = [event.name for event in server.run(server.store.journal.events.naming(direct.owner.id, 3))]
    assert names[:2] == ["account.call_forwarding_disabled", "account.contact_removed"]
