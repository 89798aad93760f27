"""Failed sign-ins are bounded also in a burst, and a limit refuses no more than it must (D-61)."""

import asyncio
from collections import Counter
from datetime import timedelta

import httpx
import pytest

from flexiapi.errors import TooManyRequests
from flexiapi.services.limiter import Limiter
from flexiapi.services.remembered import Remembered
from flexiapi.services.sign_in import failed_sign_ins
from flexiapi.services.sign_in.failed_sign_ins import FailedSignIns
from flexiapi.settings import AccountSettings, LimitSettings
from tests.kit.digest import ME, answer, answering, asked, nonce_of

pytestmark = pytest.mark.security

MANY = 200
HERE, HOME = {"X-Forwarded-For": "192.0.2.66"}, {"X-Forwarded-For": "192.0.2.1"}


@pytest.fixture
def compared(server, monkeypatch):
    """The passwords that were compared, by account."""
    found, service = Counter(), type(server.services.sign_in.http)
    fits = service._fits

    def counting(self, account, given):
        found[account.id] += 1
        return fits(self, account, given)

    monkeypatch.setattr(service, "_fits", counting)
    return found


@pytest.fixture(autouse=True)
def _one_window(server, monkeypatch):
    now = server.clock.now()
    monkeypatch.setattr(server.clock, "now", lambda: now + server.clock.offset)


def sign_in(http, person, where=HERE):
    return http.get(ME, headers={**answer(person, nonce_of(asked(http, person))), **where})


def at_once(server, requests):
    async def run():
        limits = httpx.Limits(max_connections=MANY)
        async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as client:
            return await asyncio.gather(*(client.get(ME, headers=headers) for headers in requests))

    return Counter(one.status_code for one in asyncio.run(run()))


def wrong(http, people, number):
    nonces = {person.id: nonce_of(asked(http, person)) for person in people}
    each = [people[place % len(people)] for place in range(number)]
    return [{**answering(one, nonces[one.id], 1, "SHA-256", password="wrong"), **HERE} for one in each]


class TestOfOneAccount:
    @pytest.fixture
    def configure(self):
        limits = {"failed_sign_ins_per_minute": 1000, "failed_sign_ins_per_account": 60}
        return {"server": {"trusted_proxies": ["127.0.0.0/8"]}, "limits": limits}

    def test_of_200_wrong_passwords_at_once_no_more_than_the_limit_are_compared(self, server, http, alice, compared):
        assert at_once(server, wrong(http, [alice], MANY)) == {401: 60, 429: 140}
        assert compared[alice.id] == 60
        refused = sign_in(http, alice)
        assert refused.status_code == 429
        assert 60 < int(refused.headers["retry-after"]) <= 3601
        assert compared[alice.id] == 60
        assert http.get(ME, headers={**alice.headers, **HERE}).status_code == 200
        assert sign_in(http, alice, HOME).status_code == 200
        server.later(hours=1, seconds=1)
        assert sign_in(http, alice).status_code == 200

    def test_right_passwords_use_the_limit_up_neither_alone_nor_at_once(self, server, http, alice):
        assert at_once(server, wrong(http, [alice], 1)) == {401: 1}
        for _ in range(3):
            right = [{**answer(alice, nonce_of(asked(http, alice))), **HERE} for _ in range(25)]
            assert at_once(server, right) == {200: 25}

        async def counted():
            places = server.store._database["limits"].find({"_id": f"failed_sign_ins_account:{alice.id} 192.0.2.66"})
            return [each["count"] async for each in places]

        assert server.run(counted()) == [1]


class TestOfOneNetwork:
    @pytest.fixture
    def configure(self):
        limits = {"failed_sign_ins_per_minute": 5, "failed_sign_ins_per_account": 100}
        return {"server": {"trusted_proxies": ["127.0.0.0/8"]}, "limits": limits}

    def test_at_ten_times_its_limit_nothing_is_compared_any_more(self, server, http, alice, compared):
        people = [server.person() for _ in range(20)]
        assert at_once(server, wrong(http, people, 30)) == {401: 5, 429: 25}
        assert compared.total() == 30
        assert sign_in(http, alice).status_code == 200  # a right password passes the limit of its network
        assert at_once(server, wrong(http, people, MANY)) == {429: MANY}
        assert compared.total() == 30 + 1 + 20
        assert sign_in(http, alice).status_code == 429
        assert compared[alice.id] == 1
        assert http.get(ME, headers={**alice.headers, **HERE}).status_code == 200
        assert sign_in(http, alice, HOME).status_code == 200
        server.later(seconds=61)
        assert sign_in(http, alice).status_code == 200

    def test_a_right_key_always_passes_and_unknown_ones_are_refused(self, server, http, alice):
        assert at_once(server, [{"x-api-key": "k" * 40, **HERE}] * 60) == {401: 5, 429: 55}
        assert http.get(ME, headers={**alice.headers, **HERE}).status_code == 200
        assert server.clock.offset == timedelta(0)


class TestFlood:
    """More networks fail than a process remembers, all within one second."""

    MOST = 50
    LIMITS = LimitSettings(failed_sign_ins_per_minute=2, wrong_codes_per_hour=1)

    @pytest.fixture
    def passes(self, monkeypatch):
        """The sizes of what was passed through as a whole."""
        found, prune = [], Remembered._prune

        def counting(remembered, now):
            found.append(len(remembered))
            prune(remembered, now)

        monkeypatch.setattr(Remembered, "_prune", counting)
        monkeypatch.setattr("flexiapi.services.remembered.monotonic", lambda: 1000.0)
        monkeypatch.setattr(failed_sign_ins, "_MOST_REMEMBERED", self.MOST)
        monkeypatch.setattr("flexiapi.services.limiter._MOST_REMEMBERED", self.MOST)
        return found

    def test_of_failures_the_oldest_make_room_in_one_pass_and_the_counters_stay_exact(self, server, passes):
        failures = FailedSignIns(self.LIMITS, server.store, server.clock)

        async def flood():
            for number in range(4 * self.MOST):
                await failures.count_key(f"198.51.100.{number}")
            await failures.count_key("198.51.100.0")  # It was forgotten, but it is in the database.
            with pytest.raises(TooManyRequests):
                await failures.count_key("198.51.100.0")

        server.run(flood())
        assert passes == [self.MOST]
        assert len(failures._tallies) == self.MOST
        assert ("failed_sign_ins", f"198.51.100.{4 * self.MOST - 1}") in failures._tallies

    def test_of_wrong_codes_the_oldest_make_room_in_one_pass(self, server, passes):
        limiter = Limiter(self.LIMITS, AccountSettings(), server.store, server.clock)

        async def flood():
            for number in range(4 * self.MOST):
                await limiter.count_failure("wrong_codes", f"198.51.100.{number}")

        server.run(flood())
        assert passes == [self.MOST]
        assert len(limiter._refused) == self.MOST
        with pytest.raises(TooManyRequests):
            limiter.refuse_guesser("wrong_codes", f"198.51.100.{4 * self.MOST - 1}")

    def test_what_is_on_the_way_stays_and_what_has_ended_goes_first(self, server, passes):
        now = server.clock.now()
        held = Remembered[int](4, ends_at=lambda end: now + timedelta(seconds=end), is_in_use=lambda end: end == 7)
        for number, end in enumerate((7, 1, -1, 2)):
            held.add(("each", str(number)), end, now)
        held.add(("each", "new"), 3, now)
        assert sorted(held.values()) == [1, 2, 3, 7]
        held.add(("each", "newer"), 4, now)
        assert sorted(held.values()) == [2, 3, 4, 7]
