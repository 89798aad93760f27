"""Phone numbers and addresses that the public gives are claims until they are proven."""

import pytest

from flexiapi.crypto.keys import opened
from tests.flows.test_codes import at_once
from tests.kit import digest
from tests.kit.server import shared_by_module
from tests.kit.stranger import DOMAIN, PASSWORD, faults_of, identifiers, key_of, pin_of

pytestmark = pytest.mark.security

PARALLEL = 50


server = shared_by_module({"limits": {"codes_per_account": 0, "wrong_codes_per_day": 0, "wrong_codes_per_hour": 0}})


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


class TestClaimOfAName:
    """An account without a username is named by a number, which is not proven before its PIN came back."""

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


class TestProof:
    def test_asvs_2_3_4_a_number_that_many_claim_is_proven_once(self, server, public, number):
        """One by its name, the others by a change of their number, all at once."""
        public.sign_up(phone=number)
        url = f"/api/accounts/{number}@{DOMAIN}/activate/phone"
        requests = [(("POST", url), {"json": {"code": pin_of(public.last)}})]
        for _ in range(PARALLEL - 1):
            person = server.person()
            server.http.post("/api/accounts/me/phone/request", json={"phone": number}, headers=person.headers)
            code = {"json": {"code": pin_of(public.last)}, "headers": person.headers}
            requests.append((("POST", "/api/accounts/me/phone"), code))
        assert sorted(at_once(server, requests)) == [200] + [422] * (PARALLEL - 1)


class TestTokens:
    """A provisioning token proves nothing of an account that the public created and that has proven nothing."""

    @pytest.fixture
    def account(self, server, public, number):
        name = f"person.{number[1:]}"
        account_id = public.sign_up(username=name, email=f"{name}@example.org").json()["id"]
        return server.account(account_id)

    @pytest.mark.parametrize("has_code", [True, False])
    def test_its_own_token_does_not_activate_it(self, server, http, account, has_code):
        if not has_code:
            server.later(hours=25)
        token = opened(account.provisioning_token)
        headers = {"x-api-key": server.key_for(account.id)}
        for _ in range(2):
            assert account.username in http.get(f"/provisioning/{token}").text
            assert server.account(account.id).activated is False
            token = http.get("/api/accounts/me/provision", headers=headers).json()["provisioning_token"]

    def test_one_of_an_administrator_does(self, server, http, admin, account):
        url = f"/api/accounts/{account.id}/provision"
        token = http.get(url, headers=admin.headers).json()["provisioning_token"]
        http.get(f"/provisioning/{token}")
        assert (server.account(account.id).activated, server.account(account.id).unconfirmed) == (True, False)

    def test_a_mailed_link_does_and_proves_the_address(self, server, http, admin, account):
        url = f"/api/accounts/{account.id}/recover-by-email"
        token = http.post(url, headers=admin.headers).json()["provisioning_token"]
        http.get(f"/provisioning/{token}")
        assert (server.account(account.id).activated, server.account(account.id).claimed_email) == (True, None)

    def test_the_push_flow_activates_as_before(self, server, http, public, number):
        body = public.body(username=f"push.{number[1:]}")
        account_id = http.post("/api/accounts/with-account-creation-token", json=body).json()["id"]
        headers = {"x-api-key": server.key_for(account_id)}
        token = http.get("/api/accounts/me/provision", headers=headers).json()["provisioning_token"]
        http.get(f"/provisioning/{token}")
        assert server.account(account_id).activated is True


class TestRecovery:
    def recover(self, server, public, number):
        body = {"phone": number, "account_creation_token": server.creation_token()}
        assert server.http.post("/api/accounts/recover-by-phone", json=body).json() == {}
        return server.http.get(f"/api/accounts/{number}@{DOMAIN}/recover/{pin_of(public.last)}")

    def test_it_ends_what_signs_in_and_leaves_the_password(self, server, http, public, number):
        alice = server.person(phone=number, email="alice@example.org")
        http.post("/api/accounts/me/email/request", json={"email": "b@example.org"}, headers=alice.headers)
        token = http.get("/api/accounts/me/provision", headers=alice.headers).json()["provisioning_token"]
        auth_token = http.post("/api/accounts/auth_token").json()["token"]
        http.get(f"/api/accounts/auth_token/{auth_token}/attach", headers=alice.headers)
        nonce = digest.nonce_of(digest.asked(http, alice))
        recovered = self.recover(server, public, number)
        assert recovered.json()["passwords"][0]["password"] == alice.account.passwords[0].ha1
        after = server.account(alice.id)
        assert (after.api_key, after.email_change, after.provisioning_token) == (None, None, None)
        assert http.get("/api/accounts/me", headers=alice.headers).status_code == 401
        assert alice.account.username not in http.get(f"/provisioning/{token}").text
        assert http.get(f"/api/accounts/me/api_key/{auth_token}").status_code == 404
        assert http.get("/api/accounts/me", headers=digest.answer(alice, nonce, 1)).status_code == 401
        assert http.get("/api/accounts/me", **alice.digest).status_code == 200

    def test_it_is_told_by_mail(self, server, public, number):
        server.person(phone=number, email="alice@example.org")
        self.recover(server, public, number)
        assert (public.last["to"], "recovered" in public.last["subject"]) == ("alice@example.org", True)

    @pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
    def test_who_signed_up_first_does_not_know_the_password_any_more(self, server, http, public, number, algorithm):
        account_id = public.sign_up(phone=number, algorithm=algorithm).json()["id"]
        public.activate(number, pin_of(public.last))
        known = server.account(account_id).passwords
        (given,) = self.recover(server, public, number).json()["passwords"]
        (stored,) = server.account(account_id).passwords
        assert (given["algorithm"], given["password"]) == (algorithm, stored.ha1)
        assert stored != known[0]
        assert self.recover(server, public, number).json()["passwords"] == [given]

    @pytest.mark.parametrize("way", ["password", "token"])
    def test_nor_one_that_he_set_himself_later(self, server, http, public, number, way):
        account_id = public.sign_up(phone=number).json()["id"]
        public.activate(number, pin_of(public.last))
        headers = {"x-api-key": server.key_for(account_id)}
        if way == "password":
            new = {"password": "new-horse-battery", "algorithm": "SHA-256", "old_password": PASSWORD}
            assert http.post("/api/accounts/me/password", json=new, headers=headers).json() == {}
        else:
            token = http.get("/api/accounts/me/provision", headers=headers).json()["provisioning_token"]
            assert number in http.get(f"/provisioning/{token}?reset_password").text
        (known,) = server.account(account_id).passwords
        (given,) = self.recover(server, public, number).json()["passwords"]
        assert given["password"] != known.ha1
        assert self.recover(server, public, number).json()["passwords"] == [given]

    def test_nor_that_of_an_account_with_a_name_beside_the_number(self, server, public, number):
        name = f"squat.{number[1:]}"
        account_id = public.sign_up(username=name, phone=number).json()["id"]
        public.activate(number, pin_of(public.last))
        public.activate(name, pin_of(public.last))
        (known,) = server.account(account_id).passwords
        (given,) = self.recover(server, public, number).json()["passwords"]
        assert given["password"] != known.ha1

    @pytest.mark.parametrize("is_proven", [False, True])
    def test_his_address_goes_unless_it_was_proven(self, server, public, number, is_proven):
        account_id = public.sign_up(phone=number, email=f"{number[1:]}@evil.example").json()["id"]
        public.activate(number, pin_of(public.last))
        if is_proven:
            server.set(account_id, claimed_email=None)
        self.recover(server, public, number)
        account = server.account(account_id)
        assert (account.email is not None, account.claimed_email) == (is_proven, None)

    def test_the_pin_goes_to_the_number_that_is_the_name_and_ends_his_other_number(self, server, http, public, number):
        account_id = public.sign_up(phone=number).json()["id"]
        public.activate(number, pin_of(public.last))
        other, headers = f"+337{number[4:]}", {"x-api-key": server.key_for(account_id)}
        http.post("/api/accounts/me/phone/request", json={"phone": other}, headers=headers)
        assert http.post("/api/accounts/me/phone", json={"code": pin_of(public.last)}, headers=headers).is_success
        (known,) = self.recover(server, public, other).json()["passwords"]
        body = {"phone": number, "account_creation_token": server.creation_token()}
        assert http.post("/api/accounts/recover-by-phone", json=body).json() == {}
        assert public.last["phone"] == number
        path = f"/api/accounts/{number}@{DOMAIN}/recover/{pin_of(public.last)}"
        recovered = http.get(path).json()
        assert recovered["phone"] == number
        assert recovered["passwords"][0]["password"] != known["password"]
        body = {"phone": other, "account_creation_token": server.creation_token()}
        assert http.post("/api/accounts/recover-by-phone", json=body).status_code == 404

    @pytest.mark.parametrize("way", ["administrator", "reset"])
    def test_a_later_password_of_an_administrator_stays(self, server, http, admin, public, number, way):
        account_id = public.sign_up(phone=number).json()["id"]
        public.activate(number, pin_of(public.last))
        new = {"password": "new-horse-battery", "algorithm": "SHA-256"}
        if way == "administrator":
            body = {**new, "username": number, "phone": number}
            http.put(f"/api/accounts/{account_id}", json=body, headers=admin.headers)
        else:
            made = http.get(f"/api/accounts/{account_id}/provision", headers=admin.headers).json()
            http.get(f"/provisioning/{made['provisioning_token']}?reset_password")
        known = server.account(account_id).passwords
        (given,) = self.recover(server, public, number).json()["passwords"]
        assert given["password"] == known[0].ha1


class TestAnotherAddress:
    """An administrator who changes an address ends what was mailed to the one before."""

    OLD, NEW = "old@compromised.example", "new@example.org"

    def change(self, server, admin, account, way, email=NEW):
        url, body = f"/api/accounts/{account.id}", {"email": email}
        if way == "put":
            body |= {"username": account.username, "password": PASSWORD, "algorithm": "SHA-256"}
        answer = server.http.request(way.upper(), url, json=body, headers=admin.headers)
        assert answer.status_code == 200, answer.text

    @pytest.mark.parametrize("way", ["put", "patch"])
    def test_a_key_and_a_link_mailed_to_the_one_before_end(self, server, http, admin, way):
        alice = server.person(email=self.OLD)
        http.post("/api/accounts/me/email/request", json={"email": "else@example.org"}, headers=alice.headers)
        http.post(f"/api/accounts/{alice.id}/recover-by-email", headers=admin.headers)
        key, token = key_of(server.messages[-1]), opened(server.account(alice.id).provisioning_token)
        self.change(server, admin, alice.account, way)
        path = f"/api/accounts/{alice.account.username}@{DOMAIN}/recover/{key}"
        assert http.get(path).status_code == 404
        assert alice.account.username not in http.get(f"/provisioning/{token}?reset_password=1").text
        assert server.account(alice.id).email_change is None

    @pytest.mark.parametrize("way", ["put", "patch"])
    def test_the_key_of_a_sign_up_does_not_prove_the_new_one(self, server, admin, public, number, way):
        name = f"person.{number[1:]}"
        account = server.account(public.sign_up(username=name, email=self.OLD).json()["id"])
        key = key_of(public.last)
        self.change(server, admin, account, way)
        assert public.activate(name, key, by="email").status_code == 404

    def test_without_a_change_they_stay(self, server, http, admin):
        alice = server.person(email=self.OLD)
        http.post(f"/api/accounts/{alice.id}/recover-by-email", headers=admin.headers)
        before = server.account(alice.id)
        self.change(server, admin, alice.account, "patch", email=self.OLD)
        after = server.account(alice.id)
        assert (after.confirmation, after.provisioning_by) == (before.confirmation, "mail")

    def test_the_key_that_an_administrator_was_shown_stays(self, server, http, admin, public, number):
        name = f"made.{number[1:]}"
        body = {"username": name, "password": PASSWORD, "algorithm": "SHA-256", "email": self.OLD}
        made = http.post("/api/accounts", json=body, headers=admin.headers).json()
        account = server.account(made["id"])
        self.change(server, admin, account, "patch")
        assert public.activate(name, made["confirmation_key"], by="email").json()["activated"] is True

    def test_a_key_sent_again_ends_and_the_token_of_the_administrator_stays(self, server, http, admin, public, number):
        name = f"made.{number[1:]}"
        body = {"username": name, "password": PASSWORD, "algorithm": "SHA-256", "email": self.OLD}
        account = server.account(http.post("/api/accounts", json=body, headers=admin.headers).json()["id"])
        http.post(f"/api/accounts/{account.id}/resend", headers=admin.headers)
        key = key_of(public.last)
        self.change(server, admin, account, "patch")
        assert public.activate(name, key, by="email").status_code == 404
        assert server.account(account.id).provisioning_token == account.provisioning_token


class TestSpelling:
    def test_a_number_has_one_spelling_for_everybody(self, server, http, admin, public, number):
        other, me = f"+330{number[3:]}", server.person().headers
        made = {"username": f"made.{number[1:]}", "password": PASSWORD, "algorithm": "SHA-256", "phone": other}
        for answer in (
            public.sign_up(phone=other),
            http.post("/api/accounts", json=made, headers=admin.headers),
            http.post("/api/accounts/me/phone/request", json={"phone": other}, headers=me),
        ):
            assert faults_of(answer) == {"phone"}
            assert number in answer.json()["errors"]["phone"][0]

    def test_a_number_in_another_spelling_is_found_and_not_given_twice(self, server, http, admin, public, number):
        other = f"+330{number[3:]}"
        old = server.person(phone=other)
        assert http.get(f"/api/accounts/{number}/info-by-phone").json()["phone"] is True
        assert faults_of(public.sign_up(phone=number)) == {"phone"}
        body = {"phone": other, "account_creation_token": server.creation_token()}
        assert http.post("/api/accounts/recover-by-phone", json=body).json() == {}
        assert public.last["phone"] == other
        same = {"username": old.account.username, "password": PASSWORD, "algorithm": "SHA-256", "phone": other}
        assert http.put(f"/api/accounts/{old.id}", json=same, headers=admin.headers).json()["phone"] == other

    def test_impossible_numbers_stay_as_they_are(self, public):
        assert public.sign_up(phone="+1234").json()["phone"] == "+1234"
