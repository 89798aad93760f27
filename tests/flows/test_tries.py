"""D-58: tries of codes and SMS, counted for networks, before they are compared, so that no one locks an owner out."""

import asyncio
import re
from collections import Counter

import httpx
import pytest

from flexiapi.model import Confirmation
from tests.kit.server import shared_by_module
from tests.kit.stranger import DOMAIN, Stranger, key_of, pin_of

pytestmark = pytest.mark.security

OWNER, OTHER, THIRD = "192.0.2.1", "198.51.100.1", "203.0.113.1"
PARALLEL = 50
LIMITS = {"sms_per_day": 10, "sms_per_number_and_network": 4, "sms_per_network": 30, "wrong_codes_per_hour": 0}


server = shared_by_module({"server": {"trusted_proxies": ["127.0.0.0/8"]}, "limits": LIMITS | {"codes_per_account": 0}})


def of(network):
    return {"X-Forwarded-For": network}


class Owner:
    """An account with a number, and what its owner and others do to it."""

    made = 0

    def __init__(self, server):
        Owner.made += 1
        self.server, self.phone = server, f"+336{Owner.made:08}"
        self.person = server.person(phone=self.phone)
        self.network = f"192.0.2.{Owner.made}"

    def ask(self, network=None):
        """Ask for a recovery PIN."""
        body = {"phone": self.phone, "account_creation_token": self.server.creation_token()}
        answer = self.server.http.post("/api/accounts/recover-by-phone", json=body, headers=of(network or self.network))
        if answer.is_success:
            self.pin = re.search(r"\b([0-9]{4})\b", self.server.messages[-1]["text"])[1]
        return answer.status_code

    @property
    def wrong(self):
        return f"{(int(self.pin) + 1) % 10_000:04d}"

    def path(self, code):
        return f"/api/accounts/{self.person.sip}/recover/{code}"

    def tried(self, network, code=None, times=1):
        """The statuses of tries, by default of a wrong PIN, one after the other."""
        path = self.path(code or self.wrong)
        return [self.server.http.get(path, headers=of(network)).status_code for _ in range(times)]

    def at_once(self, networks):
        """The statuses of tries of the wrong PIN that are all under way together."""

        async def send():
            async with httpx.AsyncClient(base_url=self.server.url, timeout=60) as client:
                tries = [client.get(self.path(self.wrong), headers=of(network)) for network in networks]
                return await asyncio.gather(*tries)

        return Counter(answer.status_code for answer in asyncio.run(send()))


@pytest.fixture
def owner(server):
    person = Owner(server)
    assert person.ask() == 200
    return person


class TestShares:
    def test_strangers_use_up_their_share_and_the_network_that_asked_keeps_its_own(self, owner):
        assert owner.tried(OTHER, times=2) + owner.tried(THIRD, times=2) == [404, 404, 404, 429]
        assert owner.tried("198.51.100.200", owner.pin) == [429]
        assert owner.tried(owner.network, times=2) == [404, 404]
        assert owner.tried(owner.network, owner.pin) == [200]

    def test_the_network_that_asked_uses_up_its_share_and_the_others_keep_theirs(self, owner):
        assert owner.tried(owner.network, times=4) == [404, 404, 404, 429]
        assert owner.tried(OTHER, owner.pin) == [200]

    def test_of_fifty_at_once_three_are_compared_for_each_share(self, owner):
        others = [f"198.51.100.{number}" for number in range(PARALLEL)]
        assert owner.at_once(others) == {404: 3, 429: PARALLEL - 3}
        assert owner.at_once([owner.network] * PARALLEL) == {404: 3, 429: PARALLEL - 3}

    def test_who_asks_after_the_owner_takes_no_share_of_his(self, server, owner):
        server.later(minutes=1, seconds=1)
        assert owner.ask(OTHER) == 200
        assert owner.tried(THIRD, times=4) == [404, 404, 404, 429]
        assert owner.tried(OTHER, times=4) == [404, 404, 404, 429]
        assert owner.tried(owner.network, times=2) == [404, 404]
        assert owner.tried(owner.network, owner.pin) == [200]

    def test_the_first_four_networks_that_ask_have_a_share_while_their_pin_is_valid(self, server, owner):
        for number in range(1, 5):
            server.later(minutes=1, seconds=1)
            assert owner.ask(f"198.51.100.{number}") == 200
        networks = server.account(owner.person.id).confirmation.networks
        assert networks == (owner.network, "198.51.100.1", "198.51.100.2", "198.51.100.3")
        server.later(hours=1)
        assert owner.ask(OTHER) == 200
        assert server.account(owner.person.id).confirmation.networks == (OTHER,)

    def test_what_is_no_pin_is_not_compared_and_costs_no_try(self, owner):
        assert owner.tried(owner.network, "x" * 13, times=9) == [404] * 9
        assert owner.tried(owner.network, owner.pin) == [200]

    def test_a_pin_that_nobody_is_known_to_have_asked_for_has_three_tries(self, server, owner):
        pending = server.account(owner.person.id).confirmation
        server.set(owner.person.id, confirmation=Confirmation(pin_hash=pending.pin_hash, expires_at=pending.expires_at))
        assert owner.tried(owner.network, times=4) == [404, 404, 404, 429]


class TestBesideAMailedKey:
    """A PIN that anyone may ask for does not end a key that an administrator had mailed."""

    @pytest.fixture
    def mailed(self, server, owner):
        """The key in the mail, before a stranger asks for a PIN."""
        admin = server.person(admin_since=server.clock.second())
        server.set(owner.person.id, email="owner@example.org", confirmation=None)
        path = f"/api/accounts/{owner.person.id}/recover-by-email"
        assert server.http.post(path, headers=admin.headers).status_code == 200
        key = key_of(server.messages[-1])
        server.later(minutes=1, seconds=1)
        assert owner.ask(OTHER) == 200
        return key

    def test_the_key_stays_good_also_when_the_tries_of_the_pin_are_used_up_and_it_has_ended(
        self, server, owner, mailed
    ):
        assert owner.tried(OTHER, times=4) == [404, 404, 404, 429]
        server.later(minutes=30)
        assert owner.tried(owner.network, "x" * 13) == [404]
        assert owner.tried(owner.network, mailed) == [200]
        assert owner.tried(owner.network, mailed) == [404]
        assert server.account(owner.person.id).confirmation is None

    def test_the_pin_recovers_the_account_too_once_and_ends_the_key(self, owner, mailed):
        assert owner.tried(owner.network, owner.pin) == [200]
        assert owner.tried(owner.network, mailed) == [404]

    def test_the_pin_ends_at_its_own_time(self, server, owner, mailed):
        server.later(minutes=11)
        assert owner.tried(owner.network, owner.pin) == [403]

    def test_of_key_and_pin_at_once_one_recovers_the_account(self, server, owner, mailed):
        async def send():
            async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
                codes = [mailed] * 25 + [owner.pin] * 3
                return await asyncio.gather(*(client.get(owner.path(code), headers=of(OTHER)) for code in codes))

        assert Counter(answer.status_code for answer in asyncio.run(send()))[200] == 1

    def test_another_mail_ends_both(self, server, owner, mailed):
        server.set(owner.person.id, confirmation=Confirmation(key="WatDmy0pTd4cO"))
        assert owner.tried(owner.network, mailed) + owner.tried(owner.network, owner.pin) == [404, 404]


class TestDay:
    def again(self, server, owner):
        """Send another PIN as the owner's network does, on the same day."""
        server.set(owner.person.id, confirmation=None)
        assert owner.ask() == 200

    def test_one_network_has_eight_tries_and_the_day_twenty_whatever_the_number_of_pins(self, server):
        owner = Owner(server)
        found = []
        for _ in range(3):
            assert owner.ask() == 200
            found += owner.tried(owner.network, times=3)
        assert found == [404] * 8 + [429]
        for number in range(4):
            assert owner.ask(f"198.51.100.{number + 1}") == 200
            found += owner.tried(f"203.0.113.{number + 1}", times=3)
        assert found.count(404) == 20
        assert found[-1] == 404
        assert owner.ask("198.51.100.9") == 200
        refused = server.http.get(owner.path(owner.pin), headers=of("203.0.113.9"))
        assert refused.status_code == 429
        assert 3600 < int(refused.headers["retry-after"]) <= 24 * 3600

    @pytest.mark.parametrize("named", [False, True])
    def test_beginning_a_sign_up_again_begins_no_new_day_for_its_number(self, server, named):
        phone = "+33655500001" if named else "+33655500002"
        names = {"username": "begin.ner", "phone": phone} if named else {"phone": phone}
        found = []
        for number in range(4):
            headers = of(f"198.51.100.{10 + number}")
            body = Stranger(server).body(**names)
            made = server.http.post("/api/accounts/public", json=body, headers=headers)
            assert made.status_code == 200, made.text
            sip, pin = f"{names.get('username', phone)}@{DOMAIN}", pin_of(server.messages[-1])
            wrong = {"confirmation_key": f"{(int(pin) + 1) % 10_000:04d}"}
            path = f"/api/accounts/{sip}/activate/phone"
            for tried in (headers, of(f"203.0.113.{10 + number}")):
                found += [server.http.post(path, json=wrong, headers=tried).status_code for _ in range(3)]
            server.later(minutes=16)
        assert found == [404] * 20 + [429] * 4

    def test_tries_that_were_not_compared_do_not_count(self, server, owner):
        """Those over a share, for a person without a code, and those that were refused before."""
        owner.tried(OTHER, times=30)
        server.http.get(owner.path(owner.wrong), headers={**of(owner.network), "Sec-Purpose": "prefetch"})
        body = {"confirmation_key": "wrong"}
        path = f"/api/accounts/{owner.person.sip}/activate/phone"
        assert server.http.post(path, json=body, headers=of(owner.network)).status_code == 422
        assert self.counted(server, owner) == 3
        server.set(owner.person.id, confirmation=None)
        assert owner.tried(owner.network, times=3) == [404] * 3
        assert self.counted(server, owner) == 3

    def counted(self, server, owner):
        async def count():
            found = await server.store._database["limits"].find_one({"_id": f"code_tries:{owner.person.id}"})
            return found["count"] if found else 0

        return server.run(count())

    @pytest.mark.parametrize(("channel", "value"), [("email", "new@example.org"), ("phone", "+33199999999")])
    def test_the_signed_in_owner_has_three_tries_for_each_code_and_no_day(self, server, owner, channel, value):
        path, options = f"/api/accounts/me/{channel}", {"headers": {**owner.person.headers, **of(owner.network)}}
        for number in range(8):
            asked = {"headers": {**owner.person.headers, **of(f"192.0.2.{100 + number // 4}")}}
            target = {channel: value.replace("1999", f"1{number}99")}
            assert server.http.post(f"{path}/request", json=target, **asked).status_code == 200
            pin = re.search(r"\b([0-9]{4})\b", server.messages[-1]["text"])[1]
            wrong = {"code": f"{(int(pin) + 1) % 10_000:04d}"}
            assert [server.http.post(path, json=wrong, **options).status_code for _ in range(3)] == [403] * 3
        assert self.counted(server, owner) == 0
        assert server.http.post(f"{path}/request", json={channel: value}, **options).status_code == 200
        pin = re.search(r"\b([0-9]{4})\b", server.messages[-1]["text"])[1]
        assert server.http.post(path, json={"code": pin}, **options).status_code == 200


class TestSms:
    def test_a_number_has_ten_a_day_of_which_one_network_asks_for_four(self, server):
        owner = Owner(server)
        assert [owner.ask("198.51.100.70") for _ in range(5)] == [200] * 4 + [429]
        assert [owner.ask("198.51.100.71") for _ in range(5)] == [200] * 4 + [429]
        assert [owner.ask("198.51.100.72") for _ in range(3)] == [200, 200, 429]

    def test_a_network_asks_for_thirty_a_day_over_all_numbers(self, server):
        assert [Owner(server).ask("198.51.100.80") for _ in range(31)] == [200] * 30 + [429]
        assert Owner(server).ask("198.51.100.81") == 200

    def test_of_fifty_at_once_four_are_sent_and_refused_ones_do_not_count(self, server):
        owner = Owner(server)
        tokens = [server.creation_token() for _ in range(PARALLEL)]

        async def send():
            async with httpx.AsyncClient(base_url=server.url, timeout=60, headers=of("198.51.100.90")) as client:
                bodies = [{"phone": owner.phone, "account_creation_token": token} for token in tokens]
                path = "/api/accounts/recover-by-phone"
                return await asyncio.gather(*(client.post(path, json=body) for body in bodies))

        statuses = Counter(answer.status_code for answer in asyncio.run(send()))
        assert statuses == {200: 4, 429: PARALLEL - 4}
        assert [owner.ask("198.51.100.91") for _ in range(4)] == [200] * 4
