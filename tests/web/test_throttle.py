"""The general limit per IP address: what is counted, where, and that a count cannot be undone."""

import types

import pytest

from flexiapi.server.routes import ENDPOINTS
from flexiapi.web import throttle
from flexiapi.web.throttle import Throttle, shared_table
from tests.kit.server import serving

NEVER = {
    "/sip/auth",
    "/metrics",
    "/health/live",
    "/health/ready",
    "/contacts/vcard",
    "/contacts/vcard/{sip}",
    "/vcards-storage",
    "/vcards-storage/{uuid}",
    "/provisioning/me",
}


def left(table, address):
    return table.count(address)[0]


class TestTable:
    @pytest.fixture(autouse=True)
    def _clock(self, monkeypatch):
        self.now = 1_700_000_000.0
        monkeypatch.setattr(throttle, "time", types.SimpleNamespace(time=lambda: self.now))

    def test_nobody_resets_the_count_of_another_in_the_same_slots(self, monkeypatch):
        monkeypatch.setattr(throttle, "_SLOTS", 1)
        monkeypatch.setattr(throttle, "_SIZE", throttle._SALT_BYTES + throttle._SLOT.size)
        table = Throttle(10)
        counts = [left(table, address) for _ in range(3) for address in ("192.0.2.1", "192.0.2.2")]
        assert counts == [9, 8, 7, 6, 5, 4]
        self.now += throttle.WINDOW_SECONDS
        assert left(table, "192.0.2.2") == 9
        table.close()

    def test_addresses_that_share_a_slot_are_counted_apart_while_there_is_another(self, monkeypatch):
        monkeypatch.setattr(throttle, "_SLOTS", throttle._PROBES)
        table = Throttle(10)
        for expected in (9, 8, 7):
            counts = [left(table, f"192.0.2.{number}") for number in range(throttle._PROBES)]
            assert counts == [expected] * throttle._PROBES
        table.close()

    def test_the_salt_is_random_and_shared_by_the_processes(self):
        descriptors = [shared_table() for _ in range(2)]
        first, second = (Throttle(10, descriptors[0]) for _ in range(2))
        other, alone = Throttle(10, descriptors[1]), Throttle(10)
        assert first._salt == second._salt
        assert len({table._salt for table in (first, other, alone)}) == 3
        assert all(any(table._salt) for table in (first, other, alone))
        assert [left(table, "192.0.2.1") for table in (first, second, first)] == [9, 8, 7]
        for table in (first, second, other, alone):
            table.close()


@pytest.fixture(scope="module")
def limited(tmp_path_factory, mongod_uri):
    tables = {"limits": {"requests_per_minute": 1}, "flexisip": {"external_auth": True}}
    with serving(tables, tmp_path_factory.mktemp("limited"), mongod_uri) as server:
        yield server.http


class TestRequests:
    def test_what_answers_without_a_sign_in_is_counted_and_what_phones_and_servers_need_is_not(self, limited):
        """Phones take any answer for their contacts, so a refusal would remove them."""
        switched_off = {"/api/messages"}
        assert {handler.path for handler in ENDPOINTS if not self.is_refused(limited, handler)} == NEVER | switched_off

    def is_refused(self, http, handler):
        """Return whether the second of three requests at the latest is refused: a window may end once."""
        path = handler.path
        for name, parameter in handler.path_parameters().items():
            path = path.replace(f"{{{name}}}", parameter.segment.example)
        verb = next(iter(handler.operations)).upper()
        return any(http.request(verb, path).status_code == 429 for _ in range(3))

    @pytest.mark.parametrize("word", ["live", "ready"])
    def test_health_checks_are_open_one_word_and_under_no_limit(self, limited, word):
        answers = [limited.get(f"/health/{word}") for _ in range(3)]
        assert {(answer.status_code, answer.text) for answer in answers} == {(200, word)}


class TestExempt:
    @pytest.fixture
    def configure(self):
        limits = {"requests_per_minute": 1, "exempt_networks": ["127.0.0.0/8"]}
        return {"limits": limits}

    def test_exempt_networks_are_under_no_general_limit(self, http):
        answers = [http.get("/api/ping") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200] * 3
        assert "x-ratelimit-limit" not in answers[0].headers

    def test_an_unlisted_front_server_makes_nobody_exempt(self, http):
        answers = [http.get("/api/ping", headers={"X-Forwarded-For": "203.0.113.9"}) for _ in range(3)]
        assert 429 in {answer.status_code for answer in answers}


def test_a_count_that_is_given_back_is_free_again_and_never_below_none():
    throttle = Throttle(2)
    throttle.give_back("192.0.2.1")
    for _ in range(5):
        assert throttle.count("192.0.2.1")[0] == 1
        throttle.give_back("192.0.2.1")
    throttle.close()
