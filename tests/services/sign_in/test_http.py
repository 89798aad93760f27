"""DIGEST: spec/security.md lines 7, 8 and 17 to 22 (RFC 7616; ASVS 6.3.1, 6.3.8, 11.2.4)."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

import flexiapi
from flexiapi.crypto.keys import ALPHABET
from flexiapi.model import Algorithm, Password
from tests.kit.digest import ME, algorithms, answer, answering, asked, challenges, nonce_of

pytestmark = pytest.mark.security

PASSWORD = "correct-horse-battery"


def with_rows(server, *algorithms_, username):
    passwords = server.services.sign_in.passwords
    rows = tuple(passwords.stored(username, "sip.example.org", Algorithm(name), PASSWORD) for name in algorithms_)
    return server.person(username, passwords=rows)


def test_7_the_same_answer_for_an_unknown_account_and_a_wrong_code(http, alice):
    """A wrong key and an account that is not there cannot be told apart."""
    for route, code in (("activate/email", "WatDmy0pTd4cO"), ("activate/phone", "0000")):
        body = {"confirmation_key": code}
        answers = [
            http.post(f"/api/accounts/{sip}/{route}", json=body) for sip in (alice.sip, "nobody@sip.example.org")
        ]
        assert {(one.status_code, one.content) for one in answers} == {(404, answers[0].content)}


def test_7_a_wrong_password_and_no_password_are_answered_alike(http, alice):
    wrong = http.get(ME, headers=answering(alice, nonce_of(asked(http, alice)), 1, "SHA-256", password="wrong"))
    nothing = asked(http, alice)
    assert (wrong.status_code, wrong.content) == (nothing.status_code, nothing.content)


class TestGuessing:
    @pytest.fixture
    def configure(self):
        return {
            "server": {"trusted_proxies": ["127.0.0.0/8"]},
            "limits": {"failed_sign_ins_per_minute": 5, "failed_sign_ins_per_account": 5},
        }

    @pytest.mark.parametrize("kind", ["key", "password"])
    def test_8_a_burst_is_refused_and_the_victim_still_enters(self, http, alice, kind):
        def guess():
            headers = {"X-Forwarded-For": "192.0.2.66"}
            if kind == "key":
                return http.get(ME, headers={**headers, "x-api-key": "k" * 40})
            nonce = nonce_of(http.get(ME, headers={"From": f"sip:{alice.sip}", "X-Forwarded-For": "192.0.2.77"}))
            return http.get(ME, headers={**answering(alice, nonce, 1, "SHA-256", password="wrong"), **headers})

        statuses = [guess().status_code for _ in range(7)]
        assert statuses == [401] * 5 + [429] * 2
        assert int(guess().headers["retry-after"]) > 0
        home = {"X-Forwarded-For": "192.0.2.1"}
        nonce = nonce_of(http.get(ME, headers={"From": f"sip:{alice.sip}", **home}))
        assert http.get(ME, headers={**answer(alice, nonce), **home}).status_code == 200


def test_17_challenges_are_written_as_clients_read_them(server, http):
    person = with_rows(server, "MD5", "SHA-256", username="two.rows")
    lines = challenges(asked(http, person))
    form = r'Digest realm="sip\.example\.org",qop="auth",algorithm={},nonce="([A-Za-z0-9]{{32}})",opaque="(\w+)"'
    found = [re.fullmatch(form.format(name), line) for name, line in zip(("MD5", "SHA-256"), lines, strict=True)]
    assert all(found), lines
    assert len({match.groups() for match in found}) == 1


def test_18_a_nonce_with_any_character_changed_is_refused(http, alice):
    nonce = nonce_of(asked(http, alice))
    for place, character in enumerate(nonce):
        other = ALPHABET[(ALPHABET.index(character) + 1) % len(ALPHABET)]
        forged = nonce[:place] + other + nonce[place + 1 :]
        refused = http.get(ME, headers=answer(alice, forged))
        assert (refused.status_code, refused.json()["message"]) == (401, "Nonce invalid"), place
    assert http.get(ME, headers=answer(alice, nonce)).status_code == 200


@pytest.mark.parametrize("nonce", ["a" * 32, "9" * 32, "short", "a" * 33, "é" * 32, "-" * 32])
def test_18_a_nonce_of_somebody_elses_making_is_refused(http, alice, nonce):
    headers = {name: value.encode() for name, value in answer(alice, nonce).items()}
    assert http.get(ME, headers=headers).status_code == 401


def test_18_a_nonce_of_another_account_is_refused(server, http, alice):
    bob = server.person()
    assert http.get(ME, headers=answer(alice, nonce_of(asked(http, bob)))).status_code == 401


def test_18_an_expired_nonce_is_stale(server, http, alice):
    nonce = nonce_of(asked(http, alice))
    server.later(minutes=60)
    refused = http.get(ME, headers=answer(alice, nonce))
    assert refused.status_code == 401
    assert all("stale=true" in line for line in challenges(refused))


@pytest.mark.parametrize("count", [1, 2])
def test_19_of_equal_answers_in_parallel_exactly_one_counts(server, http, alice, count):
    nonce = nonce_of(asked(http, alice))
    if count > 1:
        assert http.get(ME, headers=answer(alice, nonce)).status_code == 200

    async def at_once():
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            headers = answer(alice, nonce, count)
            return await asyncio.gather(*(client.get(ME, headers=headers) for _ in range(20)))

    answers = asyncio.run(at_once())
    assert sorted(one.status_code for one in answers) == [200] + [401] * 19
    assert [one.json()["message"] for one in answers if one.status_code == 401].count("Nonce replayed") == 1
    assert counted(http, alice, count + 1, nonce=nonce) == [ENDED]


def counted(http, person, *counts, nonce=None):
    """The statuses and texts of uses of one nonce with these counts."""
    nonce = nonce or nonce_of(asked(http, person))
    answers = [http.get(ME, headers=answer(person, nonce, count)) for count in counts]
    return [(one.status_code, one.json().get("message", "")) for one in answers]


OK = (200, "")
REPLAYED = (401, "Nonce replayed")
ENDED = (401, "Nonce invalid")


def test_19_counts_may_have_gaps(http, alice):
    assert counted(http, alice, 1, 5, 6, 0xFFFFFFFF, 7) == [OK] * 4 + [REPLAYED]


@pytest.mark.parametrize("before", [(1,), (3,), (1, 4), (1, 0xFFFFFFFF)])
@pytest.mark.parametrize("back", [0, 1])
def test_19_a_count_that_does_not_grow_ends_the_nonce(http, alice, before, back):
    after = counted(http, alice, *before, back, back, 9, 0xFFFFFFFF)
    assert after == [OK] * len(before) + [REPLAYED] + [ENDED] * 3


def test_19_no_count_is_greater_than_zero_was(http, alice):
    assert counted(http, alice, 0, 1, 2) == [REPLAYED, ENDED, ENDED]


def test_19_other_nonces_go_on(http, alice):
    other = nonce_of(asked(http, alice))
    assert counted(http, alice, 1, 1) == [OK, REPLAYED]
    assert counted(http, alice, 1, 2, nonce=other) == [OK, OK]


@pytest.mark.parametrize(
    "uri", ["/api/accounts/me?x=1", "/api/accounts/1", "/api/accounts", "*", "http://elsewhere/api/accounts/1"]
)
def test_20_an_answer_for_another_uri_is_refused(http, alice, uri):
    assert http.get(ME, headers=answer(alice, nonce_of(asked(http, alice)), uri=uri)).status_code == 401


def test_20_the_query_is_part_of_what_is_signed(http, alice):
    nonce = nonce_of(asked(http, alice))
    assert http.get(f"{ME}?a=b", headers=answer(alice, nonce, 1)).status_code == 401
    assert http.get(f"{ME}?a=b", headers=answer(alice, nonce, 2, uri=f"{ME}?a=b")).status_code == 200


def test_20_the_method_is_part_of_what_is_signed(http, alice):
    assert http.delete(ME, headers=answer(alice, nonce_of(asked(http, alice)))).status_code == 401
    assert asked(http, alice).status_code == 401


@pytest.mark.parametrize("name", ["username", "realm", "nonce", "uri", "nc", "cnonce", "qop", "response", "opaque"])
def test_20_no_field_may_be_missing_or_wrong(http, alice, name):
    headers = answer(alice, nonce_of(asked(http, alice)))
    fields = headers["Authorization"]
    without = re.sub(rf'(?<=[ ,]){name}=("[^"]*"|[^,]*),?', "", fields)
    assert without != fields
    assert http.get(ME, headers={**headers, "Authorization": without}).status_code == 401
    if name != "cnonce":
        wrong = re.sub(rf'(?<=[ ,]){name}=("[^"]*"|[^,]*)', f'{name}="zz"', fields)
        assert http.get(ME, headers={**headers, "Authorization": wrong}).status_code == 401
    assert http.get(ME, headers=headers).status_code == 200


class TestWithoutMd5:
    @pytest.fixture
    def configure(self):
        return {"account": {"md5": False}}

    def test_21_md5_is_neither_offered_nor_taken(self, server, http):
        person = with_rows(server, "MD5", "SHA-256", username="two.rows")
        challenge = asked(http, person)
        assert algorithms(challenge) == ["SHA-256"]
        weak = answering(person, nonce_of(challenge), 1, "MD5", password=PASSWORD)
        assert http.get(ME, headers=weak).status_code == 401
        assert http.get(ME, headers=answer(person, nonce_of(challenge), 2)).status_code == 200

    def test_21_nor_from_a_clear_text(self, server, http):
        person = server.person("clear.text", passwords=(Password(Algorithm.CLRTXT, PASSWORD),))
        challenge = asked(http, person)
        assert algorithms(challenge) == ["SHA-256"]
        weak = answering(person, nonce_of(challenge), 1, "MD5", password=PASSWORD)
        assert http.get(ME, headers=weak).status_code == 401


def test_21_an_algorithm_that_is_not_offered_is_refused(http, alice):
    nonce = nonce_of(asked(http, alice))
    for name in ("MD5", "MD5-sess", "SHA-512-256", "CLRTXT", ""):
        headers = answer(alice, nonce)
        headers["Authorization"] = headers["Authorization"].replace("algorithm=SHA-256", f"algorithm={name}")
        assert http.get(ME, headers=headers).status_code == 401


def test_22_secrets_are_compared_in_constant_time():
    package = Path(flexiapi.__file__).parent
    for module in (
        "services/sign_in/http.py",
        "services/sign_in/passwords.py",
        "services/codes/activation.py",
        "crypto/codes.py",
        "crypto/nonces.py",
    ):
        text = (package / module).read_text()
        assert "hmac.compare_digest" in text, module
    for path in package.rglob("*.py"):
        assert not re.search(
            r"\b(ha1|response|pin|token|key|code|password)\b\s*[!=]=\s*(given|stored)\b", path.read_text()
        )


def test_19_a_replay_is_refused_also_by_a_server_whose_clock_is_behind_the_one_of_mongodb(server, http, alice):
    behind = 90  # minutes, longer than the life of a nonce
    server.later(minutes=-behind)
    headers = answer(alice, nonce_of(asked(http, alice)))
    assert http.get(ME, headers=headers).status_code == 200
    removed = server.run(remove_expired(server, datetime.now(UTC) - timedelta(minutes=1)))
    assert removed == 0
    replayed = http.get(ME, headers=headers)
    assert (replayed.status_code, replayed.json()["message"]) == (401, "Nonce replayed")


async def remove_expired(server, moment):
    """Remove what MongoDB's TTL index removes at a moment of MongoDB's clock."""
    uses = server.store._database["used_nonces"]
    return (await uses.delete_many({"expires_at": {"$lte": moment}})).deleted_count
