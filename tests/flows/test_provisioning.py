"""Conformance: provisioning and contacts.

RULE in a docstring says where this server differs from the original on purpose.
"""

import re

import pytest

from flexiapi.model import Action, DtmfProtocol

pytestmark = pytest.mark.conformance

NO_JSON = {"Accept": "*/*"}


def ha1_of(answer):
    found = re.search(r'<entry name="ha1"[^>]*>([0-9a-f]+)</entry>', answer.text)
    return found[1] if found else None


class TestProvisioning:
    def test_nobody_in_particular_gets_no_account(self, http):
        answer = http.get("/provisioning")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/xml"
        assert ha1_of(answer) is None
        assert http.get("/provisioning/1234").content == answer.content

    def test_a_signed_in_account_gets_itself_as_often_as_it_asks(self, server, http, alice):
        """RULE (D-16): 422 without a sign-in, where the original redirects."""
        assert http.get("/provisioning/me", headers=NO_JSON, follow_redirects=False).status_code == 422
        answers = [http.get("/provisioning/me", headers=alice.headers) for _ in range(2)]
        assert [ha1_of(answer) for answer in answers] == [alice.account.passwords[0].ha1] * 2
        assert "contacts-vcard-list" in answers[0].text

    def test_a_token_from_the_user_gives_the_account_once(self, server, http):
        alice = server.person("alice.martin", display_name="Alice Martin", provisioning_token="old-old-old-o")
        token = http.get("/api/accounts/me/provision", headers=alice.headers).json()["provisioning_token"]
        assert token != "old-old-old-o"
        answer = http.get(f"/provisioning/{token}")
        assert "alice.martin" in answer.text
        assert "Alice Martin" in answer.text
        assert ha1_of(answer) == alice.account.passwords[0].ha1
        assert ha1_of(http.get(f"/provisioning/{token}")) is None

    def test_the_image_leads_to_a_new_password(self, server, http):
        alice = server.person("alice.martin", provisioning_token="7Ma0JzRtWg3kP")
        image = http.get("/provisioning/qrcode/7Ma0JzRtWg3kP?reset_password")
        assert image.headers["content-type"] == "image/png"
        url = image.headers["x-qrcode-url"]
        assert url == f"{server.url}/provisioning/7Ma0JzRtWg3kP?reset_password=1"
        before = alice.account.passwords[0].ha1
        assert ha1_of(http.get(url)) == server.account(alice.id).passwords[0].ha1 != before
        assert http.get("/provisioning/qrcode/7Ma0JzRtWg3kP").status_code == 404

    def test_a_token_activates(self, server, http):
        alice = server.person("alice.martin", activated=False, provisioning_token="7Ma0JzRtWg3kP")
        assert ha1_of(http.get("/provisioning/7Ma0JzRtWg3kP"))
        assert server.account(alice.id).activated is True
        assert ha1_of(http.get("/provisioning/7Ma0JzRtWg3kP")) is None

    def test_a_token_from_an_administrator_gives_the_account(self, http, admin, alice):
        token = http.get(f"/api/accounts/{alice.id}/provision", headers=admin.headers).json()["provisioning_token"]
        assert ha1_of(http.get(f"/provisioning/{token}"))

    def test_an_attached_auth_token_gives_the_account_once(self, server, http, alice):
        token = http.post("/api/accounts/auth_token").json()["token"]
        path = f"/provisioning/auth_token/{token}"
        assert http.get(path).status_code == 404
        http.get(f"/api/accounts/auth_token/{token}/attach", headers=alice.headers)
        assert ha1_of(http.get(path))
        assert http.get(path).status_code == 404


class TestContacts:
    @pytest.fixture
    def contact(self, server):
        phone = server.run(server.store.types.add("phone", server.actor))
        actions = (Action(1, "123", "123"),)
        return server.person("a.contact", dtmf_protocol=DtmfProtocol.RFC2833, type_ids=(phone.id,), actions=actions)

    def assert_seen(self, http, alice, contact):
        (shown,) = http.get("/api/accounts/me/contacts", headers=alice.headers).json()
        assert (shown["username"], shown["activated"]) == ("a.contact", True)
        assert http.get(f"/api/accounts/me/contacts/{contact.sip}", headers=alice.headers).json() == shown
        for path in ("/contacts/vcard", f"/contacts/vcard/{contact.sip}"):
            card = http.get(path, headers=alice.headers).text
            assert "\r\nFN:a.contact@sip.example.org\r\n" in card
            assert "\r\nX-LINPHONE-ACCOUNT-TYPE:phone\r\n" in card
            assert "\r\nX-LINPHONE-ACCOUNT-DTMF-PROTOCOL:rfc2833\r\n" in card
            assert "\r\nX-LINPHONE-ACCOUNT-ACTION:123;123\r\n" in card

    def test_contacts_are_linked_once_and_seen(self, server, http, admin, alice, contact):
        path = f"/api/accounts/{alice.id}/contacts/{contact.id}"
        statuses = [http.post(path, headers=admin.headers).status_code for _ in range(2)]
        assert statuses == [200, 403]
        (listed,) = http.get(f"/api/accounts/{alice.id}/contacts", headers=admin.headers).json()
        assert listed["id"] == contact.id
        self.assert_seen(http, alice, contact)
        statuses = [http.delete(path, headers=admin.headers).status_code for _ in range(2)]
        assert statuses == [200, 403]

    def test_the_members_of_a_list_are_seen(self, server, http, admin, alice, contact):
        made = http.post("/api/contacts_lists", json={"title": "A", "description": "B"}, headers=admin.headers).json()
        http.post(f"/api/contacts_lists/{made['id']}/contacts/{contact.id}", headers=admin.headers)
        http.post(f"/api/accounts/{alice.id}/contacts_lists/{made['id']}", headers=admin.headers)
        self.assert_seen(http, alice, contact)

    def test_what_is_private_of_a_contact_is_not_shown(self, server, http, alice, contact):
        """RULE (D-07): the original shows passwords, admin, activation_expiration and email_change_code."""
        server.set(alice.id, contact_ids=(contact.id,))
        (shown,) = http.get("/api/accounts/me/contacts", headers=alice.headers).json()
        assert not {"passwords", "admin", "activation_expiration", "email_change_code", "recovery_code"} & shown.keys()


@pytest.mark.parametrize("path", ["/provisioning", "/provisioning/me"])
def test_any_number_of_query_parameters_is_read(http, alice, path):
    assert http.get(f"{path}?{'a=b&' * 200}", headers=alice.headers).status_code == 200
