import pytest
import vobject

from flexiapi.model import Action, DtmfProtocol

CONTACT_KEYS = {
    "id",
    "username",
    "domain",
    "activated",
    "dtmf_protocol",
    "realm",
    "phone",
    "confirmation_key_expires",
    "types",
    "actions",
}


@pytest.fixture
def intercom(server):
    phone = server.run(server.store.types.add("phone", server.actor))
    return server.person(
        "intercom",
        display_name="Door; \\1,\u00a0Ünit",
        dtmf_protocol=DtmfProtocol.SIPINFO,
        type_ids=(phone.id,),
        actions=(Action(1, "123", "123"),),
    )


def contacts(server, admin, account_id, contact_id, method="POST"):
    return server.http.request(method, f"/api/accounts/{account_id}/contacts/{contact_id}", headers=admin.headers)


def test_an_administrator_links_and_unlinks_contacts(server, http, admin, alice, intercom):
    bob = server.person("bob.martin")
    assert contacts(server, admin, alice.id, bob.id).json() == {}
    assert contacts(server, admin, alice.id, intercom.id).status_code == 200
    assert contacts(server, admin, alice.id, intercom.id).status_code == 403
    assert contacts(server, admin, alice.id, 999).status_code == 404
    assert contacts(server, admin, 999, intercom.id).status_code == 404

    path = f"/api/accounts/{alice.id}/contacts"
    listed = http.get(path, headers=admin.headers).json()
    assert [account["id"] for account in listed] == sorted((bob.id, intercom.id))
    assert listed[0]["passwords"] == [{"algorithm": "SHA-256"}]
    assert http.get(f"{path}/{intercom.id}", headers=admin.headers).json()["username"] == "intercom"
    assert http.get(f"{path}/{admin.id}", headers=admin.headers).status_code == 404
    assert http.get(f"/api/accounts/{intercom.id}/contacts", headers=admin.headers).json() == []

    assert contacts(server, admin, alice.id, intercom.id, "DELETE").json() == {}
    assert contacts(server, admin, alice.id, intercom.id, "DELETE").status_code == 403
    assert contacts(server, admin, 999, intercom.id, "DELETE").status_code == 404
    assert len(http.get(path, headers=admin.headers).json()) == 1


def test_somebody_may_be_the_own_contact(server, admin, alice):
    assert contacts(server, admin, alice.id, alice.id).status_code == 200


def test_a_user_sees_the_contacts_without_what_is_private_of_them(server, http, admin, alice, intercom):
    contacts(server, admin, alice.id, intercom.id)
    (contact,) = http.get("/api/accounts/me/contacts", headers=alice.headers).json()
    assert set(contact) == CONTACT_KEYS
    assert contact["types"] == [{"id": 1, "key": "phone"}]
    assert contact["actions"] == [{"id": 1, "key": "123", "code": "123"}]
    assert http.get(f"/api/accounts/me/contacts/{intercom.sip}", headers=alice.headers).json() == contact
    for stranger in (alice.sip, "nobody@sip.example.org", "nobody"):
        assert http.get(f"/api/accounts/me/contacts/{stranger}", headers=alice.headers).status_code == 404


def test_contacts_of_other_domains_do_not_exist(server, http, alice):
    stranger = server.person("stranger", domain="other.example.org")
    server.set(alice.id, contact_ids=(stranger.id,))
    assert http.get("/api/accounts/me/contacts", headers=alice.headers).json() == []
    assert http.get(f"/api/accounts/me/contacts/{stranger.sip}", headers=alice.headers).status_code == 404


def test_vcards_are_read_by_another_parser(server, http, alice, intercom):
    bob = server.person("bob.martin")
    server.set(alice.id, contact_ids=(intercom.id, bob.id))
    answer = http.get("/contacts/vcard", headers={**alice.headers, "Accept": "text/vcard"})
    assert answer.headers["content-type"] == "text/vcard; charset=UTF-8"
    assert answer.content.count(b"\r\n") == answer.content.count(b"\n")
    first, second = vobject.readComponents(answer.content.decode())
    assert first.version.value == "4.0"
    assert first.fn.value == "Door; \\1,\u00a0Ünit"
    assert first.impp.value == f"sip:{intercom.sip}"
    assert first.contents["x-linphone-account-type"][0].value == "phone"
    assert first.contents["x-linphone-account-dtmf-protocol"][0].value == "sipinfo"
    assert first.contents["x-linphone-account-action"][0].value == "123;123"
    assert second.fn.value == bob.sip

    one = http.get(f"/contacts/vcard/{intercom.sip}", headers=alice.headers)
    assert vobject.readOne(one.text).impp.value == f"sip:{intercom.sip}"
    missing = http.get(f"/contacts/vcard/{alice.sip}", headers=alice.headers)
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/json")
    assert http.get("/contacts/vcard").status_code == 422
    assert http.get("/contacts/vcard", headers=bob.headers).text == "\r\n"


class TestLists:
    def call(self, server, admin, method, path, **kwargs):
        return server.http.request(method, f"/api{path}", headers=admin.headers, **kwargs)

    def test_lists_are_made_changed_and_removed(self, server, admin, intercom):
        texts = {"title": "Building", "description": "All of it"}
        made = self.call(server, admin, "POST", "/contacts_lists", json=texts)
        assert (made.status_code, made.json()) == (201, {"id": 1, **texts, "contacts_count": 0})
        missing = self.call(server, admin, "POST", "/contacts_lists", json={"title": "x"})
        assert (missing.status_code, list(missing.json()["errors"])) == (422, ["description"])
        changed = self.call(server, admin, "PUT", "/contacts_lists/1", json={**texts, "title": "House"})
        assert changed.json()["title"] == "House"
        assert self.call(server, admin, "GET", "/contacts_lists").json() == [changed.json()]
        assert self.call(server, admin, "POST", f"/contacts_lists/1/contacts/{intercom.id}").json() == {}
        shown = self.call(server, admin, "GET", "/contacts_lists/1").json()
        assert [contact["username"] for contact in shown["contacts"]] == ["intercom"]
        assert shown["contacts_count"] == 1
        assert self.call(server, admin, "DELETE", "/contacts_lists/1").json() == {}
        for method in ("GET", "DELETE"):
            assert self.call(server, admin, method, "/contacts_lists/1").status_code == 404
        assert self.call(server, admin, "PUT", "/contacts_lists/1", json=texts).status_code == 404

    def test_members_are_contacts_of_every_account_that_has_the_list(self, server, http, admin, alice, intercom):
        bob = server.person("bob.martin")
        made = server.run(server.store.contacts_lists.add("Building", "All of it", server.actor))
        on_list, of_alice = f"/contacts_lists/{made.id}/contacts", f"/accounts/{alice.id}/contacts_lists/{made.id}"
        for account_id in (intercom.id, bob.id):
            assert self.call(server, admin, "POST", f"{on_list}/{account_id}").status_code == 200
        assert self.call(server, admin, "POST", f"{on_list}/{bob.id}").status_code == 403
        assert self.call(server, admin, "POST", f"{on_list}/999").status_code == 404
        assert self.call(server, admin, "POST", of_alice).json() == {}
        assert self.call(server, admin, "POST", of_alice).status_code == 403
        contacts(server, admin, alice.id, bob.id)

        seen = http.get("/api/accounts/me/contacts", headers=alice.headers).json()
        assert [contact["id"] for contact in seen] == [intercom.id, bob.id]
        direct = http.get(f"/api/accounts/{alice.id}/contacts", headers=admin.headers).json()
        assert [contact["id"] for contact in direct] == [bob.id]
        one = f"/api/accounts/me/contacts/{intercom.sip}"
        assert http.get(one, headers=alice.headers).status_code == 200
        cards = http.get("/contacts/vcard", headers=alice.headers).text
        assert cards.count("BEGIN:VCARD") == 2
        assert http.get(f"/contacts/vcard/{intercom.sip}", headers=alice.headers).status_code == 200

        assert self.call(server, admin, "DELETE", f"{on_list}/{bob.id}").json() == {}
        assert self.call(server, admin, "DELETE", f"{on_list}/{bob.id}").status_code == 403
        assert self.call(server, admin, "DELETE", of_alice).json() == {}
        assert self.call(server, admin, "DELETE", of_alice).status_code == 403
        assert http.get(one, headers=alice.headers).status_code == 404

    def test_a_removed_list_is_no_accounts_any_more(self, server, admin, alice):
        made = server.run(server.store.contacts_lists.add("Building", "All of it", server.actor))
        server.set(alice.id, contacts_list_ids=(made.id,))
        self.call(server, admin, "DELETE", f"/contacts_lists/{made.id}")
        assert server.account(alice.id).contacts_list_ids == ()
