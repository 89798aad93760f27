"""Addresses where they are unique, which are claims until they are proven, and user names that look the same."""

import pytest

from tests.kit.server import shared_by_module
from tests.kit.stranger import PASSWORD, faults_of, identifiers, key_of, pin_of

pytestmark = pytest.mark.security


server = shared_by_module({"account": {"email_unique": True, "username_regex": r"^[\w+.-]*$"}})


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def email(number):
    return f"{number[1:]}@example.org"


class TestAddress:
    def test_the_mailed_key_proves_it(self, server, public, number, email):
        name = f"person.{number[1:]}"
        account_id = public.sign_up(username=name, email=email).json()["id"]
        assert f"mailto:{email}" not in identifiers(server, account_id)
        assert public.activate(name, key_of(public.last), by="email").json()["email"] == email
        assert f"mailto:{email}" in identifiers(server, account_id)

    def test_a_claim_keeps_nobody_from_proving_it(self, server, http, admin, public, number, email):
        name = f"person.{number[1:]}"
        squatter = public.sign_up(username=name, email=email).json()["id"]
        key, owner = key_of(public.last), server.person()
        http.post("/api/accounts/me/email/request", json={"email": email}, headers=owner.headers)
        code = {"code": pin_of(public.last)}
        assert http.post("/api/accounts/me/email", json=code, headers=owner.headers).json()["email"] == email
        assert faults_of(public.activate(name, key, by="email")) == {"email"}
        account = server.account(squatter)
        assert (account.activated, account.confirmation) == (False, None)
        found = http.get(f"/api/accounts/{email}/search-by-email", headers=admin.headers)
        assert found.json()["id"] == owner.id

    def test_while_its_key_is_valid_it_is_refused(self, server, public, number, email):
        public.sign_up(username=f"person.{number[1:]}", email=email)
        other = {"username": f"other.{number[1:]}", "email": email}
        assert faults_of(public.sign_up(**other)) == {"email"}
        server.later(hours=25)
        assert public.sign_up(**other).status_code == 200

    def test_it_is_hidden_when_something_else_was_proven(self, server, http, public, number, email):
        account_id = public.sign_up(phone=number, email=email).json()["id"]
        assert public.activate(number, pin_of(public.last)).json()["email"] is None
        headers = {"x-api-key": server.key_for(account_id)}
        assert http.post("/api/accounts/me/email/request", json={"email": email}, headers=headers).json() == {}
        code = {"code": pin_of(public.last)}
        assert http.post("/api/accounts/me/email", json=code, headers=headers).json()["email"] == email
        assert server.account(account_id).claimed_email is None


class TestNames:
    def create(self, http, admin, name):
        body = {"username": name, "password": PASSWORD, "algorithm": "SHA-256"}
        return http.post("/api/accounts", json=body, headers=admin.headers)

    @pytest.mark.parametrize(("first", "second"), [("plain.one", "pl\uff41in.one"), ("pl\uff41in.two", "plain.two")])
    def test_two_that_look_the_same_are_one(self, http, admin, public, first, second):
        assert self.create(http, admin, first).status_code == 200
        assert faults_of(self.create(http, admin, second)) == {"username"}
        assert faults_of(public.sign_up(username=second, email="x@example.org")) == {"username"}

    def test_composed_and_decomposed_are_one(self, http, admin):
        assert self.create(http, admin, "ren\u00e9.martin").status_code == 200
        assert faults_of(self.create(http, admin, "\u1d63en\u00e9.martin")) == {"username"}

    def test_a_number_or_a_reserved_name_in_other_letters_is_still_one(self, http, admin):
        assert faults_of(self.create(http, admin, "\uff10612345678")) == {"username"}

    def test_existing_names_keep_working(self, server, http, admin):
        name = "pl\uff41in.three"
        account = self.create(http, admin, name).json()
        assert http.get(f"/api/accounts/{name}@sip.example.org/info").status_code == 200
        body = {"username": name, "password": PASSWORD, "algorithm": "SHA-256", "display_name": "Three"}
        assert http.put(f"/api/accounts/{account['id']}", json=body, headers=admin.headers).status_code == 200
        assert server.account(account["id"]).username == name
