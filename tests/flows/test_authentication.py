"""Authentication, asked of GET /api/accounts/me."""

import subprocess

import httpx
import pytest
import requests
from requests.auth import HTTPDigestAuth

from tests.kit.digest import ME, algorithms, answering, asked, challenges, nonce_of

pytestmark = pytest.mark.conformance


def test_nobody_and_nothing(http):
    answer = http.get(ME)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["from"])


def test_from_an_unknown_account(http):
    assert http.get(ME, headers={"From": "sip:nobody@sip.example.org"}).status_code == 404


def test_from_alone_brings_a_challenge(http, factory):
    answer = asked(http, factory())
    assert answer.status_code == 401
    assert algorithms(answer) == ["MD5"]


def test_a_key_with_from(http, factory):
    person = factory()
    assert http.get(ME, headers={**person.headers, "From": f"sip:{person.sip}"}).status_code == 200


def test_two_rows_are_offered_md5_first(http, factory):
    assert algorithms(asked(http, factory("MD5", "SHA-256"))) == ["MD5", "SHA-256"]


def test_md5_and_counts_that_grow(http, factory):
    person = factory()
    first = http.get(ME, headers=answering(person, nonce_of(asked(http, person)), 1))
    assert first.status_code == 200
    assert algorithms(first) == ["MD5"]
    nonce = nonce_of(first)
    assert http.get(ME, headers=answering(person, nonce, 2)).status_code == 200
    replayed = http.get(ME, headers=answering(person, nonce, 2))
    assert replayed.status_code == 401
    assert "Nonce replayed" in replayed.text


def test_a_nonce_that_the_server_does_not_know_any_more(server, http, factory):
    """RULE differs: nonces are signed, not stored; one that has expired is what the original calls removed."""
    person = factory()
    nonce = nonce_of(asked(http, person))
    assert http.get(ME, headers=answering(person, nonce, 1)).status_code == 200
    server.later(minutes=61)
    answer = http.get(ME, headers=answering(person, nonce, 2))
    assert answer.status_code == 401
    assert "Nonce invalid" in answer.text
    assert algorithms(answer) == ["MD5"]
    assert nonce_of(answer) != nonce


def test_sha_256_alone(http, factory):
    person = factory("SHA-256")
    answer = http.get(ME, headers=answering(person, nonce_of(asked(http, person)), 1, "SHA-256"))
    assert answer.status_code == 200
    assert algorithms(answer) == ["SHA-256"]
    assert http.get(ME, headers=answering(person, nonce_of(asked(http, person)), 1, "MD5")).status_code == 401


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_clear_text_serves_both(http, factory, algorithm):
    person = factory("CLRTXT")
    challenge = asked(http, person)
    assert algorithms(challenge) == ["MD5", "SHA-256"]
    assert http.get(ME, headers=answering(person, nonce_of(challenge), 1, algorithm)).status_code == 200


class TestRealm:
    @pytest.fixture
    def configure(self):
        return {"account": {"realm": "realm.com"}}

    @pytest.mark.parametrize(("stored", "algorithm"), [("CLRTXT", "SHA-256"), ("SHA-256", "SHA-256"), ("MD5", "MD5")])
    def test_one_realm_for_all(self, http, factory, stored, algorithm):
        person = factory(stored)
        challenge = asked(http, person)
        assert 'realm="realm.com"' in challenges(challenge)[0]
        answer = http.get(ME, headers=answering(person, nonce_of(challenge), 1, algorithm, realm="realm.com"))
        assert answer.status_code == 200
        assert http.get(ME, headers=answering(person, nonce_of(challenge), 2, algorithm)).status_code == 401


def test_a_wrong_password(http, factory):
    person = factory()
    wrong = answering(person, nonce_of(asked(http, person)), 1, password="wrong")
    assert http.get(ME, headers=wrong).status_code == 401


class TestClients:
    """Clients with DIGEST of their own."""

    @pytest.mark.parametrize("stored", ["MD5", "SHA-256", "CLRTXT"])
    def test_curl(self, server, factory, stored):
        person = factory(stored)
        arguments = ["--digest", "-u", f"{person.account.username}:{person.password}", "-H", f"From: sip:{person.sip}"]
        url = f"{server.url}{ME}"
        done = subprocess.run(
            ["curl", "-s", "-w", "\n%{http_code}", *arguments, url, url],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        assert done.stdout.count(f'"username":"{person.account.username}"') == 2
        assert done.stdout.splitlines()[-1].endswith("200")

    @pytest.mark.parametrize("stored", ["MD5", "SHA-256"])
    def test_requests_with_a_nonce_that_is_used_again(self, server, factory, stored):
        person = factory(stored)
        with requests.Session() as session:
            session.auth = HTTPDigestAuth(person.account.username, person.password)
            session.headers["From"] = f"sip:{person.sip}"
            answers = [session.get(f"{server.url}{ME}", timeout=20) for _ in range(3)]
        assert [(answer.status_code, len(answer.history)) for answer in answers] == [(200, 1), (200, 0), (200, 0)]
        assert "nc=00000003" in answers[2].request.headers["Authorization"]

    @pytest.mark.parametrize("stored", ["MD5", "SHA-256"])
    def test_httpx_with_a_nonce_that_is_used_again(self, server, factory, stored):
        person = factory(stored)
        auth = httpx.DigestAuth(person.account.username, person.password)
        with httpx.Client(base_url=server.url, auth=auth, headers={"From": f"sip:{person.sip}"}) as client:
            answers = [client.get(ME) for _ in range(3)]
        assert [(answer.status_code, len(answer.history)) for answer in answers] == [(200, 1), (200, 0), (200, 0)]
        assert "nc=00000003" in answers[2].request.headers["Authorization"]
