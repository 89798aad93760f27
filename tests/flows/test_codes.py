"""Requirements 1 to 6 of the security checklist: tokens, PINs, and how often they may be tried."""

import asyncio
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

import flexiapi
from flexiapi.crypto.codes import random_pin
from flexiapi.crypto.keys import opened, random_text
from flexiapi.model import Confirmation
from flexiapi.settings import Settings

pytestmark = pytest.mark.security

PHONE = "+33612345678"
KEY = "WatDmy0pTd4cO"
PARALLEL = 50


def pin_of(message):
    return re.search(r"\b([0-9]{4})\b", message["text"])[1]


def wrong(pin):
    return f"{(int(pin) + 1) % 10_000:04d}"


def at_once(server, requests):
    """The statuses of requests that are all under way together."""

    async def send():
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            return await asyncio.gather(*(client.request(*args, **kwargs) for args, kwargs in requests))

    return [answer.status_code for answer in asyncio.run(send())]


@pytest.fixture
def compared(server, monkeypatch):
    """The codes that were compared with the stored one, as far as those are hashed."""
    codes = server.services.codes.address_changes._codes
    seen, fits = [], codes.fits
    monkeypatch.setattr(type(codes), "fits", lambda self, code, *rest: seen.append(code) or fits(code, *rest))
    return seen


class TestRandomness:
    def test_asvs_11_5_1_tokens_are_long_enough_and_never_repeat(self):
        tokens = {random_text(13) for _ in range(100_000)}
        assert len(tokens) == 100_000
        assert all(re.fullmatch("[A-Za-z0-9]{13}", token) for token in tokens)
        assert len(set("".join(tokens))) == 62

    def test_asvs_11_5_1_no_other_source_of_randomness_is_used(self):
        sources = Path(flexiapi.__file__).parent.rglob("*.py")
        assert [path for path in sources if re.search(r"^(import|from) random\b", path.read_text(), re.MULTILINE)] == []

    def test_asvs_6_5_3_pins_are_uniform(self):
        """Chi-square over the 100 first and last halves: 99 degrees of freedom, one in a million exceeds 182."""
        pins = [random_pin() for _ in range(100_000)]
        assert all(re.fullmatch("[0-9]{4}", pin) for pin in pins)
        for half in (slice(0, 2), slice(2, 4)):
            counts = Counter(pin[half] for pin in pins)
            assert len(counts) == 100
            assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 182
        assert any(pin.startswith("0") for pin in pins)

    def test_nist_3_1_3_2_four_digits_are_bought_with_few_tries(self):
        defaults = Settings()
        assert defaults.account.pin_tries == 3
        assert defaults.limits.wrong_codes_per_day <= 20


class TestParallelTries:
    def test_asvs_6_6_3_at_most_three_wrong_pins_are_compared_for_an_address(self, server, alice, compared):
        server.http.post("/api/accounts/me/email/request", json={"email": "new@example.org"}, headers=alice.headers)
        pin = pin_of(server.messages[-1])
        request = ("POST", "/api/accounts/me/email"), {"json": {"code": wrong(pin)}, "headers": alice.headers}
        assert set(at_once(server, [request] * PARALLEL)) <= {403, 404, 429}
        assert len(compared) == 3
        again = server.http.post("/api/accounts/me/email", json={"code": pin}, headers=alice.headers)
        assert again.status_code in (404, 429)

    def test_asvs_6_6_3_at_most_three_wrong_pins_are_compared_for_a_number(self, server, alice, compared):
        server.http.post("/api/accounts/me/phone/request", json={"phone": PHONE}, headers=alice.headers)
        pin = pin_of(server.messages[-1])
        request = ("POST", "/api/accounts/me/phone"), {"json": {"code": wrong(pin)}, "headers": alice.headers}
        statuses = at_once(server, [request] * PARALLEL)
        assert statuses.count(403) == 3
        assert compared == [wrong(pin)] * 3
        assert server.account(alice.id).phone_change is None

    @pytest.mark.parametrize("path", ["recover/{code}", "activate/phone"])
    def test_asvs_6_6_3_at_most_three_wrong_pins_are_compared_for_an_account(self, server, compared, path):
        alice = server.person("alice.martin", phone=PHONE, activated=False)
        body = {"phone": PHONE, "account_creation_token": server.creation_token()}
        assert server.http.post("/api/accounts/recover-by-phone", json=body).json() == {}
        code = wrong(pin_of(server.messages[-1]))
        url = f"/api/accounts/{alice.sip}/{path.format(code=code)}"
        options = {"json": {"code": code}} if path.startswith("activate") else {}
        method = "POST" if options else "GET"
        statuses = at_once(server, [((method, url), options)] * PARALLEL)
        assert (statuses.count(404), statuses.count(429)) == (3, PARALLEL - 3)
        assert len(compared) / 2 == 3  # once for the number and once for the name
        assert server.account(alice.id).activated is False

    def test_asvs_2_3_3_a_right_code_is_good_for_one_of_many(self, server):
        alice = server.person("alice.martin", confirmation=Confirmation(key=KEY))
        request = ("GET", f"/api/accounts/{alice.sip}/recover/{KEY}"), {}
        assert at_once(server, [request] * PARALLEL).count(200) == 1

    def test_asvs_2_3_3_a_creation_token_sends_one_sms_of_many(self, server):
        server.person("alice.martin", phone=PHONE)
        body = {"phone": PHONE, "account_creation_token": server.creation_token()}
        request = ("POST", "/api/accounts/recover-by-phone"), {"json": body}
        assert sorted(set(at_once(server, [request] * PARALLEL))) == [200, 422]
        assert len(server.messages) == 1

    def test_asvs_2_3_4_a_number_goes_to_one_of_many(self, server):
        people = [server.person(f"person.{n:02d}") for n in range(10)]
        requests = []
        for person in people:
            server.http.post("/api/accounts/me/phone/request", json={"phone": PHONE}, headers=person.headers)
            code = {"code": pin_of(server.messages[-1])}
            requests.append((("POST", "/api/accounts/me/phone"), {"json": code, "headers": person.headers}))
        assert sorted(at_once(server, requests)) == [200] + [422] * 9


class TestLifetimes:
    def test_asvs_6_5_5_a_recovery_pin_lives_ten_minutes(self, server, http):
        alice = server.person("alice.martin", phone=PHONE)
        for minutes, status in ((9.5, 200), (10.1, 403)):
            body = {"phone": PHONE, "account_creation_token": server.creation_token()}
            http.post("/api/accounts/recover-by-phone", json=body)
            path = f"/api/accounts/{alice.sip}/recover/{pin_of(server.messages[-1])}"
            server.later(minutes=minutes)
            assert http.get(path).status_code == status

    def test_asvs_6_5_1_a_mailed_key_lives_a_day(self, server, http):
        alice = server.person("alice.martin", email="alice@example.org")
        account = server.run(server.services.codes.recovery.send_mail(alice.account, server.actor))
        server.later(hours=24, seconds=1)
        assert http.get(f"/api/accounts/{alice.sip}/recover/{opened(account.confirmation.key)}").status_code == 403


class TestBinding:
    """ASVS 6.6.2: a code is good for the account, the channel and the address that it was sent for."""

    def test_asvs_6_6_2_a_code_of_one_account_is_not_good_for_another(self, server):
        codes = {}
        for name in ("alice.martin", "bob.martin"):
            person = server.person(name)
            body = {"email": f"{name}@example.org"}
            server.http.post("/api/accounts/me/email/request", json=body, headers=person.headers)
            codes[name] = person, server.account(person.id).email_change, pin_of(server.messages[-1])
        (alice, _, pin), (bob, _, _) = codes.values()
        stolen = server.account(alice.id).email_change
        server.set(bob.id, email_change=stolen)
        assert server.http.post("/api/accounts/me/email", json={"code": pin}, headers=bob.headers).status_code == 403
        assert server.http.post("/api/accounts/me/email", json={"code": pin}, headers=alice.headers).status_code == 200

    def test_asvs_6_6_2_a_code_for_one_channel_is_not_good_for_another(self, server, alice):
        server.http.post("/api/accounts/me/phone/request", json={"phone": PHONE}, headers=alice.headers)
        pin = pin_of(server.messages[-1])
        change = server.account(alice.id).phone_change
        server.set(alice.id, email_change=change)
        assert server.http.post("/api/accounts/me/email", json={"code": pin}, headers=alice.headers).status_code == 403
        server.set(alice.id, confirmation=Confirmation(pin_hash=change.pin_hash), phone=PHONE)
        assert server.http.get(f"/api/accounts/{alice.sip}/recover/{pin}").status_code == 404

    def test_asvs_6_6_2_a_code_for_one_address_is_not_good_for_another(self, server, alice):
        server.http.post("/api/accounts/me/email/request", json={"email": "a@example.org"}, headers=alice.headers)
        pin = pin_of(server.messages[-1])
        change = replace(server.account(alice.id).email_change, target="b@example.org")
        server.set(alice.id, email_change=change)
        assert server.http.post("/api/accounts/me/email", json={"code": pin}, headers=alice.headers).status_code == 403

    def test_asvs_6_6_2_a_recovery_pin_ends_with_the_number_that_it_was_sent_to(self, server):
        alice = server.person("alice.martin", phone=PHONE)
        body = {"phone": PHONE, "account_creation_token": server.creation_token()}
        server.http.post("/api/accounts/recover-by-phone", json=body)
        server.set(alice.id, phone="+33600000000")
        path = f"/api/accounts/{alice.sip}/recover/{pin_of(server.messages[-1])}"
        assert server.http.get(path).status_code == 404
