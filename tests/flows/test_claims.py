"""Phone numbers and addresses that the public gives are claims until they are proven."""

import re

import pytest

from flexiapi.crypto.keys import opened
from tests.kit.server import serving

pytestmark = pytest.mark.security

PASSWORD = "correct-horse-battery"
DOMAIN = "sip.example.org"
PARALLEL = 50


def pin_of(message):
    return re.search(r"\b([0-9]{4})\b", message["text"])[1]


def key_of(message):
    return re.search(r"\b([A-Za-z0-9]{13}|[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{5})\b", message["text"])[1]


def faults_of(answer):
    assert answer.status_code == 422, answer.text
    return set(answer.json()["errors"])


@pytest.fixture(scope="module")
def configure():
    return {"limits": {"codes_per_account": 0, "wrong_codes_per_day": 0, "wrong_codes_per_hour": 0}}


@pytest.fixture(scope="module")
def server(configure, tmp_path_factory, mongod_uri):
    with serving(configure, tmp_path_factory.mktemp("claims"), mongod_uri) as running:
        running.numbers = iter(range(10_000_000, 99_999_999))
        yield running


@pytest.fixture
def http(server):
    return server.http


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def number(server):
    """A number that no other test has."""
    return f"+336{next(server.numbers)}"


class Stranger:
    """One of the public, who signs up."""

    def __init__(self, server):
        self.server = server

    def body(self, **values):
        token = self.server.creation_token()
        return {"password": PASSWORD, "algorithm": "SHA-256", "account_creation_token": token, **values}

    def sign_up(self, **values):
        return self.server.http.post("/api/accounts/public", json=self.body(**values))

    def activate(self, name, code, by="phone"):
        return self.server.http.post(f"/api/accounts/{name}@{DOMAIN}/activate/{by}", json={"confirmation_key": code})

    def wait(self, **time):
        self.server.later(**time)

    @property
    def last(self):
        return self.server.messages[-1]

    def is_free(self, body):
        return self.server.run(self.server.services.codes.creation_tokens.is_free(body["account_creation_token"]))


@pytest.fixture
def public(server):
    return Stranger(server)


def identifiers(server, account_id):
    async def read():
        return (await server.store.accounts._accounts.find_one({"_id": account_id}))["identifiers"]

    return server.run(read())


class TestClaimOfAName:
    """An account without a username is named by a number, which nobody knows as his before its PIN came back."""

    def test_it_has_the_one_identifier_until_its_activation_writes_the_others(self, server, public, number):
        answer = public.sign_up(phone=number)
        assert (answer.json()["username"], answer.json()["phone"], answer.json()["activated"]) == (
            number,
            number,
            False,
        )
        account_id = answer.json()["id"]
        assert identifiers(server, account_id) == [f"claim:{number}@{DOMAIN}"]
        assert public.activate(number, pin_of(public.last)).json()["phone"] == number
        assert identifiers(server, account_id) == [f"sip:{number}@{DOMAIN}", f"tel:{number}"]
        assert server.account(account_id).unconfirmed is False

    def test_it_is_nobody_for_all_others(self, server, http, public, number):
        public.sign_up(phone=number)
        assert http.get(f"/api/accounts/{number}@{DOMAIN}/info").status_code == 404
        assert http.get(f"/api/accounts/{number}/info-by-phone").status_code == 404
        recovery = {"phone": number, "account_creation_token": server.creation_token()}
        assert http.post("/api/accounts/recover-by-phone", json=recovery).status_code == 404
        assert http.get(f"/api/accounts/{number}@{DOMAIN}/recover/{pin_of(public.last)}").status_code == 404
        assert http.get("/api/accounts/me", headers={"From": f"sip:{number}@{DOMAIN}"}).status_code == 404
        assert public.activate(number, pin_of(public.last)).status_code == 200

    def test_administrators_find_it_by_its_name(self, http, admin, public, number):
        public.sign_up(phone=number)
        found = http.get(f"/api/accounts/{number}@{DOMAIN}/search", headers=admin.headers)
        assert found.json()["username"] == number

    def test_it_blocks_nobody(self, server, http, admin, public, number):
        squatter = public.sign_up(phone=number).json()["id"]
        pin = pin_of(public.last)
        owner = server.person()
        assert http.post("/api/accounts/me/phone/request", json={"phone": number}, headers=owner.headers).json() == {}
        proved = http.post("/api/accounts/me/phone", json={"code": pin_of(public.last)}, headers=owner.headers)
        assert proved.json()["phone"] == number
        assert faults_of(public.activate(number, pin)) == {"phone"}
        assert server.account(squatter).confirmation is None
        assert server.account(squatter).activated is False
        assert faults_of(http.get(f"/api/accounts/{squatter}/activate", headers=admin.headers)) == {"phone"}
        assert public.activate(number, pin).status_code == 404

    def test_its_code_goes_by_sms_even_with_an_address(self, public, number):
        public.sign_up(phone=number, email="somebody@example.org")
        assert (public.last["transport"], public.last["phone"]) == ("sms", number)
        assert faults_of(public.sign_up(username="+330612345678", email="a@example.org")) == {"username"}

    def test_a_number_as_username_claims_it_as_well(self, server, public, number):
        answer = public.sign_up(username=number, email="somebody@example.org")
        assert public.last["phone"] == number
        assert identifiers(server, answer.json()["id"]) == [f"claim:{number}@{DOMAIN}"]
        other = f"{number[:-1]}{(int(number[-1]) + 1) % 10}"
        assert faults_of(public.sign_up(username=other, phone=number)) == {"username"}

    def test_neither_mails_nor_links_activate_it(self, server, http, admin, public, number):
        account_id = public.sign_up(phone=number, email="squatter@example.org").json()["id"]
        mail = http.post(f"/api/accounts/{account_id}/recover-by-email", headers=admin.headers)
        assert faults_of(mail) == {"email"}
        token = opened(server.account(account_id).provisioning_token)
        assert number in http.get(f"/provisioning/{token}").text
        assert server.account(account_id).activated is False

    @pytest.mark.parametrize("way", ["activate", "token"])
    def test_an_administrator_activates_it_and_proves_the_number(self, server, http, admin, public, number, way):
        account_id = public.sign_up(phone=number).json()["id"]
        if way == "activate":
            http.get(f"/api/accounts/{account_id}/activate", headers=admin.headers)
        else:
            made = http.get(f"/api/accounts/{account_id}/provision", headers=admin.headers).json()
            http.get(f"/provisioning/{made['provisioning_token']}")
        account = server.account(account_id)
        assert (account.activated, account.phone, account.unconfirmed) == (True, number, False)
        assert http.get(f"/api/accounts/{number}/info-by-phone").json()["phone"] is True

    def test_a_token_of_an_administrator_does_not_take_a_proven_number(self, server, http, admin, public, number):
        account_id = public.sign_up(phone=number).json()["id"]
        made = http.get(f"/api/accounts/{account_id}/provision", headers=admin.headers).json()
        server.person(phone=number)
        assert number not in http.get(f"/provisioning/{made['provisioning_token']}").text
        assert server.account(account_id).activated is False

    def test_a_change_by_an_administrator_leaves_it_a_claim(self, server, http, admin, public, number):
        account_id = public.sign_up(phone=number).json()["id"]
        body = {"username": number, "password": PASSWORD, "algorithm": "SHA-256"}
        url = f"/api/accounts/{account_id}"
        for phone in (number, None):
            assert http.put(url, json={**body, "phone": phone}, headers=admin.headers).status_code == 200
            assert identifiers(server, account_id) == [f"claim:{number}@{DOMAIN}"]
        assert faults_of(http.put(url, json={**body, "phone": "+33699999999"}, headers=admin.headers)) == {"phone"}


class TestClaimBesideAName:
    def signed_up(self, public, number, **values):
        name = f"person.{number[1:]}"
        return name, public.sign_up(username=name, phone=number, **values).json()["id"]

    def test_a_mailed_key_does_not_prove_the_number(self, server, http, public, number):
        name, account_id = self.signed_up(public, number, email="alice@example.org")
        assert public.last["to"] == "alice@example.org"
        assert server.account(account_id).shown_phone == number
        answer = public.activate(name, key_of(public.last), by="email")
        assert (answer.json()["activated"], answer.json()["phone"]) == (True, None)
        assert http.get(f"/api/accounts/{number}/info-by-phone").status_code == 404

    def test_its_owner_proves_it_by_a_change_of_the_number(self, server, http, public, number):
        _, account_id = self.signed_up(public, number, email="alice@example.org")
        headers = {"x-api-key": server.key_for(account_id)}
        assert http.post("/api/accounts/me/phone/request", json={"phone": number}, headers=headers).json() == {}
        answer = http.post("/api/accounts/me/phone", json={"code": pin_of(public.last)}, headers=headers)
        assert (answer.json()["phone"], answer.json()["activated"]) == (number, True)
        account = server.account(account_id)
        assert (account.claimed_phone, account.unconfirmed) == (None, False)

    def test_without_an_address_the_code_goes_to_the_number_and_proves_it(self, http, public, number):
        name, _ = self.signed_up(public, number)
        assert public.activate(name, pin_of(public.last)).json()["phone"] == number
        assert http.get(f"/api/accounts/{number}/info-by-phone").json()["phone"] is True

    def test_what_administrators_leave_as_it_is_stays_a_claim(self, server, http, admin, public, number):
        name, account_id = self.signed_up(public, number, email="alice@example.org")
        body = {"username": name, "password": PASSWORD, "algorithm": "SHA-256", "email": "alice@example.org"}
        url = f"/api/accounts/{account_id}"
        shown = http.put(url, json={**body, "phone": number}, headers=admin.headers).json()
        assert shown["phone"] == number
        assert server.account(account_id).phone is None
        assert http.put(url, json={**body, "phone": None}, headers=admin.headers).json()["phone"] is None
        assert http.put(url, json={**body, "phone": number}, headers=admin.headers).json()["phone"] == number
        assert server.account(account_id).phone == number

    def test_a_number_of_an_administrator_is_proven(self, http, admin, number):
        body = {"username": f"made.{number[1:]}", "password": PASSWORD, "algorithm": "SHA-256", "phone": number}
        assert http.post("/api/accounts", json=body, headers=admin.headers).status_code == 200
        assert http.get(f"/api/accounts/{number}/info-by-phone").json()["phone"] is True
