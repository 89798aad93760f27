"""Wrong guesses at secrets, and requests that are none."""

import asyncio
from collections import Counter

import httpx
import pytest

pytestmark = pytest.mark.security

PREFETCH = {"Sec-Purpose": "prefetch"}
WRONG = "x" * 32
MANY = 50
LIMIT = 3


@pytest.fixture
def configure():
    return {"limits": {"wrong_codes_per_hour": LIMIT}}


def guesses(server):
    """The wrong guesses that are counted for the address of the tests."""

    async def counted():
        document = await server.store._database["limits"].find_one({"_id": "wrong_codes:127.0.0.1"})
        return 0 if document is None else document["count"]

    return server.run(counted())


def is_refused(http):
    return http.get(f"/api/accounts/me/api_key/{WRONG}").status_code == 429


class TestRefusedBeforeTheCall:
    """Requests that end before the call compare no secret, so they must not lock an address out."""

    def assert_not_counted(self, server, ask, status):
        assert [ask().status_code for _ in range(LIMIT + 1)] == [status] * (LIMIT + 1)
        assert guesses(server) == 0
        assert not is_refused(server.http)

    @pytest.mark.parametrize(
        "path",
        [
            f"/api/accounts/me/api_key/{WRONG}",
            f"/provisioning/auth_token/{WRONG}",
            f"/provisioning/{WRONG}",
            "/api/accounts/somebody@sip.example.org/recover/0427",
        ],
    )
    def test_a_prefetch(self, server, http, path):
        self.assert_not_counted(server, lambda: http.get(path, headers=PREFETCH), 403)

    @pytest.mark.parametrize(
        "configure", [{"app": {"dangerous_endpoints": False}, "limits": {"wrong_codes_per_hour": 3}}]
    )
    def test_an_endpoint_that_is_switched_off(self, server, http):
        self.assert_not_counted(server, lambda: http.get("/api/accounts/a@sip.example.org/recover/0427"), 404)

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({}, 422),
            ({"From": "sip:nobody@sip.example.org"}, 404),
            ({"x-api-key": "k" * 40}, 401),
        ],
    )
    def test_a_request_without_a_sign_in(self, server, http, headers, status):
        path = f"/api/accounts/auth_token/{WRONG}/attach"
        self.assert_not_counted(server, lambda: http.get(path, headers=headers), status)

    def test_a_request_of_another_site(self, server, http, alice):
        headers = {"Cookie": f"x-api-key={alice.key}", "Sec-Fetch-Site": "cross-site"}
        path = f"/api/accounts/auth_token/{WRONG}/attach"
        self.assert_not_counted(server, lambda: http.get(path, headers=headers), 403)

    def test_malformed_parameters(self, server, http, alice):
        path = f"/api/accounts/{alice.sip}/activate/phone"
        self.assert_not_counted(server, lambda: http.post(path, json={"code": "nonsense"}), 422)

    def test_a_head(self, server, http):
        self.assert_not_counted(server, lambda: http.head(f"/api/accounts/me/api_key/{WRONG}"), 200)

    def test_an_admin_operation_of_a_user(self, server, http, alice):
        self.assert_not_counted(server, lambda: http.get("/api/accounts/1", headers=alice.headers), 403)

    @pytest.mark.parametrize(
        "configure", [{"account": {"provisioning_header_required": True}, "limits": {"wrong_codes_per_hour": 3}}]
    )
    def test_a_provisioning_token_without_the_header_that_must_come_with_it(self, server, http):
        base = http.get("/provisioning").content
        self.assert_not_counted(server, lambda: http.get(f"/provisioning/{WRONG}"), 200)
        presented = {"X-Linphone-Provisioning": "1"}
        answers = [http.get(f"/provisioning/{WRONG}", headers=presented) for _ in range(LIMIT)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert http.get(f"/provisioning/{WRONG}").content == base


class TestWrongSecrets:
    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("GET", f"/api/accounts/me/api_key/{WRONG}", None, 404),
            ("GET", f"/provisioning/auth_token/{WRONG}", None, 404),
            ("GET", f"/provisioning/qrcode/{WRONG}", None, 404),
            ("GET", f"/provisioning/{WRONG}", None, 200),
            ("GET", "/api/accounts/alice.martin@sip.example.org/recover/0427", None, 404),
            ("POST", "/api/accounts/alice.martin@sip.example.org/activate/phone", {"code": "0427"}, 404),
            ("POST", "/api/accounts/alice.martin@sip.example.org/activate/email", {"code": "x" * 13}, 404),
            (
                "POST",
                "/api/account_creation_tokens/using-account-creation-request-token",
                {"account_creation_request_token": "x" * 13},
                404,
            ),
        ],
    )
    @pytest.mark.usefixtures("alice")
    def test_a_wrong_secret_counts(self, server, http, method, path, body, status):
        for number in range(1, LIMIT + 1):
            assert http.request(method, path, json=body).status_code == status
            assert guesses(server) == number
        assert http.request(method, path, json=body).status_code == 429
        assert is_refused(http)
        assert guesses(server) == LIMIT

    def test_a_wrong_pin_of_ones_own_counts(self, server, http, alice):
        http.post("/api/accounts/me/phone/request", json={"phone": "+33612345678"}, headers=alice.headers)
        sent = server.messages[-1]["text"]
        wrong = next(pin for pin in ("0427", "0428") if pin not in sent)
        answer = http.post("/api/accounts/me/phone", json={"code": wrong}, headers=alice.headers)
        assert answer.status_code == 403
        assert guesses(server) == 1

    def test_a_wrong_creation_token_does_not_count(self, server, http):
        body = {"username": "bob.builder", "password": "correct-horse", "algorithm": "MD5"}
        body["account_creation_token"] = "x" * 13
        for _ in range(LIMIT + 1):
            assert http.post("/api/accounts/with-account-creation-token", json=body).status_code == 422
        assert guesses(server) == 0

    @pytest.mark.parametrize("configure", [{"limits": {"wrong_codes_per_hour": 2 * MANY}}])
    def test_parallel_wrong_guesses_are_counted_exactly(self, server):
        async def at_once():
            limits = httpx.Limits(max_connections=MANY)
            async with httpx.AsyncClient(base_url=server.url, timeout=50, limits=limits) as client:
                paths = [f"/api/accounts/me/api_key/{number:032}" for number in range(MANY)]
                return await asyncio.gather(*(client.get(path) for path in paths))

        assert Counter(answer.status_code for answer in asyncio.run(at_once())) == {404: MANY}
        assert guesses(server) == MANY
