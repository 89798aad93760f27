"""POST, PUT, GET and DELETE of accounts by an administrator; info and me."""

import pytest

from flexiapi.model import Actor

pytestmark = pytest.mark.conformance

URL = "/api/accounts"
BODY = {"username": "foobar", "password": "123456", "algorithm": "SHA-256"}


@pytest.fixture
def configure():
    # The original's passwords are short and common; that they are refused by default is tested elsewhere.
    return {"account": {"refuse_common_passwords": False}}


@pytest.fixture
def post(http, admin):
    def send(**changes):
        return http.post(URL, json={**BODY, **changes}, headers=admin.headers)

    return send


class TestCreation:
    def test_nobody(self, http):
        assert http.post(URL, json=BODY).status_code == 422

    def test_not_an_administrator(self, http, factory):
        assert http.post(URL, json=BODY, **factory().digest).status_code == 403

    def test_by_digest(self, http, admin):
        made = http.post(URL, json={**BODY, "dtmf_protocol": "sipinfo"}, **admin.digest)
        assert made.status_code == 200
        shown = made.json()
        assert (shown["id"], shown["username"], shown["activated"]) == (2, "foobar", False)
        assert shown["dtmf_protocol"] == "sipinfo"

    @pytest.mark.parametrize("username", ["+33612121212", "🤡🤡🤡🤡🤡🤡", "foo bar", ""])
    def test_names_that_are_refused(self, post, username):
        refused = post(username=username)
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["username"])

    def test_no_domain(self, post):
        shown = post().json()
        assert (shown["domain"], shown["activated"]) == ("sip.example.org", False)

    def test_a_domain_is_replaced(self, post):
        shown = post(domain="server.example.com").json()
        assert shown["domain"] == "sip.example.org"
        assert shown["confirmation_key"]
        assert shown["provisioning_token"]

    def test_an_administrator(self, post):
        shown = post(admin=True).json()
        assert shown["admin"]
        assert shown["confirmation_key"]
        assert shown["provisioning_token"]

    def test_activated(self, post):
        shown = post(activated=True).json()
        assert shown["activated"] is True
        assert not shown["confirmation_key"]
        assert not shown["provisioning_token"]

    def test_not_activated(self, post):
        shown = post(activated=False).json()
        assert shown["activated"] is False
        assert shown["confirmation_key"]
        assert shown["provisioning_token"]

    def test_an_expiry_that_is_not_needed(self, post):
        answer = post(activated=True, confirmation_key_expires="2040-12-12 12:12:12")
        assert (answer.status_code, answer.json()["confirmation_key_expires"]) == (200, None)

    @pytest.mark.parametrize("text", ["abc", "2040-2-3 1:2:3", "2040-02-31 00:00:00"])
    def test_a_wrong_expiry(self, post, text):
        assert post(activated=False, confirmation_key_expires=text).status_code == 422

    @pytest.mark.parametrize("text", ["2040-12-12 12:12:12", "0999-05-05 01:02:03", "9999-12-31 23:59:59"])
    def test_an_expiry(self, post, text):
        answer = post(activated=False, confirmation_key_expires=text)
        assert answer.status_code == 200
        assert answer.json()["confirmation_key_expires"] == text
        assert answer.json()["activation_expiration"]["expires"] == text


class TestWiderNames:
    @pytest.fixture
    def configure(self):
        return {"account": {"username_regex": r"^[\w🤡+.-]*$", "refuse_common_passwords": False}}

    def test_the_setting_decides(self, post):
        assert post(username="🤡🤡🤡🤡🤡🤡").status_code == 200


class TestUniqueAddresses:
    @pytest.fixture
    def configure(self):
        return {"account": {"email_unique": True, "refuse_common_passwords": False}}

    def test_an_address_that_another_has(self, post, factory):
        factory(email="collision@email.com")
        refused = post(email="Collision@email.com")
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["email"])


class TestManyDomains:
    @pytest.fixture
    def configure(self):
        return {"app": {"admins_manage_multi_domains": True}, "account": {"refuse_common_passwords": False}}

    def test_one_name_in_two_domains_and_the_list(self, http, admin, post):
        for domain in ("domain1.com", "domain2.com"):
            made = post(domain=domain)
            assert (made.status_code, made.json()["domain"]) == (200, domain)
        listed = http.get(URL, headers={**admin.headers, "Accept": "*/*"}).json()
        names = [(account["username"], account["domain"]) for account in listed["data"]]
        assert names == [
            ("the.admin", "sip.example.org"),
            ("foobar", "domain1.com"),
            ("foobar", "domain2.com"),
        ]

    def test_any_domain_by_digest(self, http, admin):
        made = http.post(URL, json={**BODY, "domain": "anything.com"}, **admin.digest).json()
        assert made["domain"] == "anything.com"
        assert made["confirmation_key"]
        assert made["provisioning_token"]


class TestExternalAccounts:
    @pytest.fixture
    def configure(self):
        return {"account": {"consume_external_account_on_create": True, "refuse_common_passwords": False}}

    def test_one_each_until_none_is_left(self, server, http, post):
        from flexiapi.model import Algorithm, ExternalAccount

        external = ExternalAccount("external.one", "other.example.com", "group", "a" * 64, Algorithm.SHA_256)
        server.run(server.services.accounts.external_accounts.add([external], Actor.system()))
        made = post(activated=True)
        assert made.status_code == 200
        assert post(username="foobaz").status_code == 403
        shown = http.get("/provisioning/me", headers={"x-api-key": server.key_for(made.json()["id"])}).text
        for text in ("external.one@other.example.com", "ha1", "idkey", "depends_on"):
            assert text in shown


class TestReplacement:
    def test_validation_before_lookup(self, http, admin):
        empty = http.put(f"{URL}/12345", json={}, headers=admin.headers)
        assert empty.status_code == 422
        assert "username" in empty.json()["errors"]
        assert http.put(f"{URL}/12345", json={"username": "good.one"}, headers=admin.headers).status_code == 422

    def test_a_name_and_an_algorithm(self, server, http, admin, factory):
        person = factory("SHA-256")
        body = {"username": "changed", "algorithm": "MD5", "password": "123456"}
        changed = http.put(f"{URL}/{person.id}", json=body, headers=admin.headers)
        assert (changed.status_code, changed.json()["username"]) == (200, "changed")
        assert [row.algorithm for row in server.account(person.id).passwords] == ["MD5"]


class TestReading:
    def test_list_and_one(self, http, admin, factory):
        person = factory()
        headers = {**admin.headers, "Accept": "*/*"}
        listed = http.get(URL, headers=headers)
        assert (listed.status_code, listed.json()["total"]) == (200, 2)
        one = http.get(f"{URL}/{person.id}", headers=headers)
        assert (one.status_code, one.json()["id"], one.json()["phone"]) == (200, person.id, None)

    def test_deactivation_and_activation(self, http, admin, factory):
        url = f"{URL}/{factory().id}"
        headers = {**admin.headers, "Accept": "*/*"}
        for verb, is_active in (("deactivate", False), ("activate", True)):
            answer = http.get(f"{url}/{verb}", headers=headers)
            assert (answer.status_code, answer.json()["activated"]) == (200, is_active)
            assert http.get(url, headers=headers).json()["activated"] is is_active

    def test_searches(self, http, admin, factory):
        person = factory(email="somebody@example.com")
        for path in (f"{person.sip}/search", "somebody@example.com/search-by-email"):
            found = http.get(f"{URL}/{path}", headers=admin.headers)
            assert (found.status_code, found.json()["id"], found.json()["activated"]) == (200, person.id, True)
        assert http.get(f"{URL}/wrong@email.com/search-by-email", headers=admin.headers).status_code == 404

    def test_deletion(self, server, http, admin, factory):
        person = factory()
        url = f"{URL}/{person.id}"
        assert http.delete(url, headers={**admin.headers, "Accept": "*/*"}).status_code == 200
        assert server.run(server.store.tombstones.has(person.sip))
        assert http.get(url, headers=admin.headers).status_code == 404


class TestInfoAndMe:
    @pytest.fixture
    def configure(self):
        return {"account": {"realm": "realm.com"}}

    def test_info(self, http, factory):
        for is_active in (True, False):
            person = factory(activated=is_active)
            answer = http.get(f"{URL}/{person.sip}/info", headers={"Accept": "*/*"})
            assert (answer.status_code, answer.json()) == (200, {"activated": is_active, "realm": "realm.com"})

    def test_me(self, http, factory):
        person = factory()
        shown = http.get(f"{URL}/me", headers=person.headers).json()
        assert (shown["username"], shown["activated"], shown["realm"]) == (person.account.username, True, "realm.com")

    def test_deletion_of_me(self, http, factory):
        person = factory()
        assert http.delete(f"{URL}/me", headers=person.headers).status_code == 200
        assert http.get(f"{URL}/{person.sip}/info").status_code == 404
