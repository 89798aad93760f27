"""Names that are not ASCII: headers are UTF-8, though the server reads Latin-1 (spec/auth.md sections 3 and 4)."""

import subprocess
from urllib.parse import quote

import pytest

from flexiapi.errors import ValidationFailed
from flexiapi.model import Algorithm
from flexiapi.web.identity import address
from tests.kit.digest import answering, nonce_of
from tests.kit.person import Person

ME = "/api/accounts/me"
NAMES = ["zoé.martin", "Ünal", "алиса", "地址", "smile\U0001f600"]
PASSWORD = "Pässwörd-\U0001f511"


def person_of(server, username):
    row = server.services.sign_in.passwords.stored(username, "sip.example.org", Algorithm.MD5, PASSWORD)
    return server.person(username, password=PASSWORD, passwords=(row,))


def sent(headers):
    return {name: value.encode() for name, value in headers.items()}


def signed_in(http, person, uri_of_person, realm=None):
    """The answers to a sign-in with the address written that way: the challenge, and what the answer to it brings."""
    origin = {"From": f"<sip:{uri_of_person}@sip.example.org>"}
    challenge = http.get(ME, headers=sent(origin))
    proof = answering(person, nonce_of(challenge), 1, password=PASSWORD, realm=realm)
    return challenge, http.get(ME, headers=sent({**proof, **origin}))


class TestNames:
    @pytest.fixture
    def configure(self):
        return {"account": {"username_regex": ".*", "username_min_length": 1}}

    @pytest.mark.parametrize("name", NAMES)
    def test_an_account_that_the_api_made_signs_in_by_digest(self, server, http, admin, name):
        body = {"username": name, "password": PASSWORD, "algorithm": "MD5", "activated": True}
        made = http.post("/api/accounts", json=body, headers=admin.headers)
        person = Person(server.account(made.json()["id"]), PASSWORD, "")
        for written in (name, quote(name)):
            challenge, answer = signed_in(http, person, written)
            assert challenge.status_code == 401
            assert (answer.status_code, answer.json().get("username")) == (200, name)

    def test_curl_signs_in(self, server):
        person = person_of(server, "smile\U0001f600é")
        arguments = ["--digest", "-u", f"{person.account.username}:{PASSWORD}", "-H", f"From: sip:{person.sip}"]
        done = subprocess.run(
            ["curl", "-s", "-w", "%{http_code}", *arguments, f"{server.url}{ME}"],
            capture_output=True,
            check=True,
            timeout=30,
        )
        assert done.stdout.decode().endswith("200")


@pytest.mark.parametrize("header", ["sip:jos\xe9@sip.example.org", "sip:jos\u00c3\u00a9@sip.example.org"])
def test_a_header_that_is_no_utf8_is_latin1(http, server, header):
    """`C3 A9` is an é in UTF-8; a lone `E9` is one in Latin-1 only."""
    server.person("josé")
    assert http.get(ME, headers={"From": header.encode("latin-1")}).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "sip:alice@example.org",
        "SIPS:alice@EXAMPLE.org:5061",
        " sip:alice@example.org ;gr=urn:uuid:1",
        "sip:alice@example.org;x=<y>",
        "sip:alice@example.org?subject=<a>",
        "sip:%61lice@example.org",
        "<sip:alice@example.org>",
        "<sip:alice@example.org;transport=tls?a=b>;tag=1",
        "<sip:alice@example.org> ; tag=<1>",
        "Alice Martin <sip:alice@example.org>",
        '"Alice > Bob" <sip:alice@example.org>;tag=1',
        '"Alice <sip:bob@example.org>" <sip:alice@example.org>',
        '"Alice \\" <sip:bob@example.org> \\\\"<sip:alice@example.org>',
        '""<sip:alice@example.org>',
    ],
)
def test_forms_of_an_address(header):
    assert address(header) == ("alice", "example.org")


@pytest.mark.parametrize(
    "header",
    [
        "alice@example.org",
        "tel:+33612345678",
        "<sip:alice@example.org",
        "sip:alice@example.org>",
        "<<sip:alice@example.org>>",
        "<sip:alice@example.org> bob",
        "sip:alice@bob@example.org",
        "sip:@example.org",
        "sip:alice@",
        '"Alice <sip:alice@example.org>',
        '"Alice" Martin <sip:alice@example.org>',
        'Alice "Martin" <sip:alice@example.org>',
        "<sip:alice@example.org>, <sip:bob@example.org>",
        "<>",
        '"' * 60_000,
        '"\\' * 30_000,
        " <" * 30_000,
        "<sip:" + " " * 60_000,
    ],
)
def test_what_is_no_address(header):
    with pytest.raises(ValidationFailed) as refused:
        address(header)
    assert list(refused.value.errors) == ["from"]


class TestRealm:
    @pytest.fixture
    def configure(self):
        return {"account": {"realm": "Größe \u2192 Привет"}}

    def test_it_is_sent_as_utf8_and_hashed_as_such(self, server, http, configure):
        realm = configure["account"]["realm"]
        person = person_of(server, "alice.martin")
        challenge, answer = signed_in(http, person, "alice.martin", realm)
        assert challenge.status_code == 401
        assert answer.status_code == 200
        for one in (challenge, answer):
            assert f'realm="{realm}"'.encode() in dict(one.headers.raw)[b"Www-Authenticate"]
        assert signed_in(http, person, "alice.martin", "another")[1].status_code == 401
