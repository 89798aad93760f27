"""Languages of messages: the account's, else the request's, else the domain's."""

import re

import pytest

from tests.kit.server import shared_by_module
from tests.kit.stranger import Stranger, new_number

B = "b.example.org"
FRENCH = {"Accept-Language": "fr-CA, en;q=0.5"}
ME = "/api/accounts/me"

server = shared_by_module({"spaces": {B: {"language": "fr"}}, "account": {"creation_token_retry_minutes": 0}})


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


def code_to(server, person, **headers):
    """Ask for a code to a new number, and return the SMS."""
    answer = server.http.post(
        f"{ME}/phone/request", json={"phone": new_number()}, headers={**person.headers, **headers}
    )
    assert answer.status_code == 200, answer.text
    return server.messages[-1]


def is_french(message):
    assert (message["language"] == "fr") == bool(re.search(r"\bvo(us|tre)\b", message["text"], re.IGNORECASE))
    return message["language"] == "fr"


class TestTheOrder:
    def test_the_language_of_the_account_comes_first(self, server):
        assert is_french(code_to(server, server.person(language="fr"), **{"Accept-Language": "en"}))
        assert not is_french(code_to(server, server.person(language="en"), **FRENCH))

    def test_one_that_no_template_has_is_passed_over(self, server):
        assert is_french(code_to(server, server.person(language="de"), **FRENCH))

    def test_then_the_languages_that_the_request_accepts(self, server):
        assert is_french(code_to(server, server.person(), **FRENCH))
        assert not is_french(code_to(server, server.person(), **{"Accept-Language": "fr;q=0.1, en-US;q=0.9"}))
        assert is_french(code_to(server, server.person(), **{"Accept-Language": "xx, fr;q=0.1"}))

    def test_the_language_that_was_chosen_on_pages_comes_before_those_of_the_browser(self, server):
        cookie = {"Cookie": "a=b; flexiapi-language=fr", "Accept-Language": "en"}
        assert is_french(code_to(server, server.person(), **cookie))
        assert not is_french(code_to(server, server.person(language="en"), **cookie))
        assert not is_french(code_to(server, server.person(), Cookie="flexiapi-language=../fr"))

    def test_then_that_of_the_domain(self, server):
        assert not is_french(code_to(server, server.person()))
        of_b = server.person(domain=B)
        assert is_french(code_to(server, of_b, Host=B))
        assert not is_french(code_to(server, of_b, Host=B, **{"Accept-Language": "en"}))
        assert is_french(code_to(server, of_b, Host=B, **{"Accept-Language": "*, en;q=0.5"}))

    @pytest.mark.parametrize("header", ["fr" * 5000, ",;q=,;;=" * 40, "../../fr", "\xe9", "fr;q=9"])
    def test_a_header_that_makes_no_sense_is_as_none(self, server, header):
        assert not is_french(code_to(server, server.person(), **{"Accept-Language": header.encode("latin-1")}))


class TestTheOwner:
    """The wishes of an administrator are nothing to the owner of the account that a message is about."""

    def test_mails_that_an_administrator_causes_are_in_the_language_of_the_owner(self, server, http, admin):
        address = "owner.of.it@example.org"
        owner = server.person(email=address, language="fr")
        other = server.person(email=f"other.{address}")
        for person, french in ((owner, True), (other, False)):
            headers = {**admin.headers, "Accept-Language": "en" if french else "fr"}
            assert http.post(f"/api/accounts/{person.id}/recover-by-email", headers=headers).status_code == 200
            assert is_french(server.messages[-1]) == french
            amendment = {"email": f"new.{person.account.email}"}
            assert http.patch(f"/api/accounts/{person.id}", json=amendment, headers=headers).status_code == 200
            assert server.messages[-1]["kind"] == "notice.email"
            assert (server.messages[-1]["language"] == "fr") == french

    def test_a_recovery_is_in_the_language_of_who_asks(self, server, http):
        phone = new_number()
        server.person(phone=phone)
        body = {"phone": phone, "account_creation_token": server.creation_token()}
        assert http.post("/api/accounts/recover-by-phone", json=body, headers=FRENCH).status_code == 200
        assert is_french(server.messages[-1])


class TestWhatIsRemembered:
    def sign_up(self, server, headers, **values):
        body = Stranger(server).body(**values)
        answer = server.http.post("/api/accounts/public", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return server.account(answer.json()["id"])

    def test_a_sign_up_remembers_the_language_of_its_request_if_there_is_one_such(self, server):
        assert self.sign_up(server, FRENCH, phone=new_number()).language == "fr"
        assert is_french(server.messages[-1])
        assert self.sign_up(server, {"Accept-Language": "de"}, phone=new_number()).language is None
        assert self.sign_up(server, {}, phone=new_number()).language is None
        assert self.sign_up(server, {"Accept-Language": "*"}, phone=new_number()).language is None

    def test_an_account_that_takes_the_place_of_another_remembers_its_own(self, server):
        values = {"username": "begun.again", "email": "begun.again@example.org"}
        self.sign_up(server, {}, **values)
        server.later(hours=25)
        assert self.sign_up(server, FRENCH, **values).language == "fr"

    def test_a_creation_by_token_remembers_it_for_what_follows(self, server, http):
        body = {**Stranger(server).body(username="with.token")}
        made = http.post("/api/accounts/with-account-creation-token", json=body, headers=FRENCH).json()
        assert server.account(made["id"]).language == "fr"

    def test_a_push_says_the_language_of_its_request(self, server, http):
        for place, (headers, language) in enumerate(((FRENCH, "fr"), ({}, "en"), ({"Accept-Language": "de"}, "en"))):
            push = {"pn_provider": "fcm", "pn_param": "929", "pn_prid": f"token-{place}"}
            path = "/api/account_creation_tokens/send-by-push"
            assert http.post(path, json=push, headers=headers).status_code == 200
            assert server.messages[-1]["language"] == language


class TestTheField:
    def test_administrators_set_it_and_a_replacement_without_it_keeps_it(self, server, http, admin):
        body = {"username": "french.bob", "password": "correct-horse-battery", "algorithm": "SHA-256"}
        made = http.post("/api/accounts", json={**body, "language": "FR-ca"}, headers=admin.headers).json()
        url = f"/api/accounts/{made['id']}"
        assert http.get(f"{url}/language", headers=admin.headers).json() == {"language": "fr-CA"}
        for change, language in (
            (lambda: http.put(url, json=body, headers=admin.headers), "fr-CA"),
            (lambda: http.put(url, json={**body, "language": "de"}, headers=admin.headers), "de"),
            (lambda: http.patch(url, json={"display_name": "Bob"}, headers=admin.headers), "de"),
            (lambda: http.patch(url, json={"language": "it"}, headers=admin.headers), "it"),
            (lambda: http.patch(url, json={"language": None}, headers=admin.headers), None),
        ):
            answer = change()
            assert answer.status_code == 200, answer.text
            assert "language" not in answer.json()
            assert http.get(f"{url}/language", headers=admin.headers).json() == {"language": language}

    def test_users_set_their_own(self, server, http):
        person, others = server.person(), server.person()
        url = f"{ME}/language"
        assert http.get(url, headers=person.headers).json() == {"language": None}
        assert http.put(url, json={"language": "fr"}, headers=person.headers).json() == {"language": "fr"}
        assert is_french(code_to(server, person))
        assert server.account(others.id).language is None
        assert http.put(url, json={"language": None}, headers=person.headers).json() == {"language": None}
        assert not is_french(code_to(server, person))

    @pytest.mark.parametrize("language", ["french", "fr_FR", "../fr", "f", "fr-" + "x" * 40, 7, ["fr"]])
    def test_what_is_no_tag_is_refused(self, http, server, language):
        person = server.person()
        answer = http.put(f"{ME}/language", json={"language": language}, headers=person.headers)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["language"])

    def test_only_administrators_read_that_of_others(self, server, http, admin):
        person = server.person()
        assert http.get(f"/api/accounts/{admin.id}/language", headers=person.headers).status_code == 403
        assert http.get("/api/accounts/99999/language", headers=admin.headers).status_code == 404
