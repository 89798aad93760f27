"""Limits per address: all addresses of an IPv6 /64 count as one."""

import itertools

import pytest

from flexiapi.limit_key import counted_as
from tests.kit.digest import ME, answering, nonce_of
from tests.kit.server import serving
from tests.kit.watched_log import LOG

pytestmark = pytest.mark.security

NEIGHBOUR = "2001:db8:0:2::1"


def addresses():
    """Yield different addresses of one /64."""
    return (f"2001:db8:0:1:{number:x}::1" for number in itertools.count(1))


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
        ("2001:DB8:0:1::", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("not:an:address", "not:an:address"),
    ],
)
def test_addresses_that_count_as_one(address, source):
    assert counted_as(address) == source


def wrong_key(http, _alice, headers):
    return http.get(ME, headers={**headers, "x-api-key": "k" * 40})


def wrong_password(http, alice, headers):
    nonce = nonce_of(http.get(ME, headers={"From": f"sip:{alice.sip}", **headers}))
    return http.get(ME, headers={**answering(alice, nonce, 1, "SHA-256", password="wrong"), **headers})


def wrong_code(http, alice, headers):
    return http.get(f"/api/accounts/{alice.sip}/recover/{'x' * 13}", headers=headers)


def wrong_provisioning_token(http, _alice, headers):
    return http.get(f"/provisioning/{'x' * 13}", headers=headers)


def token(http, _alice, headers):
    return http.post("/api/accounts/auth_token", headers=headers)


def anything(http, _alice, headers):
    return http.get("/api/ping", headers=headers)


@pytest.mark.parametrize(
    ("limit", "ask"),
    [
        ("failed_sign_ins_per_minute", wrong_key),
        ("failed_sign_ins_per_minute", wrong_password),
        ("failed_sign_ins_per_account", wrong_password),
        ("wrong_codes_per_hour", wrong_code),
        ("wrong_codes_per_hour", wrong_provisioning_token),
        ("anonymous_tokens_per_minute", token),
        ("requests_per_minute", anything),
    ],
)
def test_a_64_has_as_many_tries_as_one_address(tmp_path, mongod_uri, limit, ask):
    others = dict.fromkeys(("failed_sign_ins_per_minute", "failed_sign_ins_per_account"), 0)
    tables = {"server": {"trusted_proxies": ["127.0.0.0/8"]}, "limits": {**others, limit: 3}}
    with serving(tables, tmp_path, mongod_uri) as server:
        alice = server.person("alice.martin")

        def statuses_from(sources):
            return [ask(server.http, alice, {"X-Forwarded-For": address}).status_code for address in sources]

        # The window of the general limit may end once meanwhile.
        assert 429 in statuses_from(itertools.islice(addresses(), 8))
        assert statuses_from([NEIGHBOUR]) != [429]


class TestWhatIsKept:
    @pytest.fixture
    def configure(self):
        return {"server": {"trusted_proxies": ["127.0.0.0/8"]}}

    def test_the_log_and_the_account_have_the_whole_address(self, server, http):
        headers = {"X-Forwarded-For": "2001:db8:0:1::7"}
        wrong_key(http, None, headers)
        body = {"username": "somebody", "password": "correct-horse", "algorithm": "MD5"}
        body["account_creation_token"] = server.creation_token()
        made = http.post("/api/accounts/with-account-creation-token", json=body, headers=headers)
        assert made.json()["ip_address"] == "2001:db8:0:1::7"
        assert 'reason="unknown key" ip=2001:db8:0:1::7' in LOG.stream.getvalue()
