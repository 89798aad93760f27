"""MongoDB goes away and comes back."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

pytestmark = pytest.mark.faults

SIP_AUTH = "/sip/auth?method=REGISTER&domain=sip.example.org&username=a&nonce=b&uri=sip%3Asip.example.org&response=c"


def test_without_mongodb_callers_get_503_and_the_server_recovers_by_itself(serve, own_mongod):
    server = serve(MONGODB_URI=own_mongod.uri, FLEXISIP_EXTERNAL_AUTH="true")
    key = server.admin_key()
    http = httpx.Client(base_url=server.url, timeout=60, headers={"x-api-key": key})
    assert http.get("/api/accounts/me").status_code == 200
    requests = (
        ("GET", "/api/accounts/me", None),
        ("GET", "/api/accounts/the.admin@sip.example.org/info", None),
        ("POST", "/api/accounts/auth_token", None),
        ("POST", "/api/accounts", {"username": "somebody", "password": "correct-horse", "algorithm": "MD5"}),
        ("GET", "/provisioning/7Ma0JzRtWg3kP", None),
        ("GET", "/provisioning/me", None),
        ("GET", SIP_AUTH, None),
    )
    assert http.get(SIP_AUTH).text == "Status: 403\nPhrase: Forbidden"
    own_mongod.stop()
    # Each waits for the database as long as it may: together they wait no longer than one.
    with ThreadPoolExecutor(len(requests)) as threads:
        answers = list(threads.map(lambda asked: http.request(asked[0], asked[1], json=asked[2]), requests))
    for (_, path, _), answer in zip(requests, answers, strict=True):
        assert answer.status_code == 503, (path, answer.text)
        assert int(answer.headers["retry-after"]) > 0
        assert answer.headers["content-type"] == "application/json"
        assert "message" in answer.json()
    assert http.get("/api/ping").status_code == 200
    assert http.get("/provisioning").status_code == 200
    assert http.get("/health/live").status_code == 200
    assert http.get("/health/ready").json()["reasons"] == {"database": "The database does not answer."}
    own_mongod.start()
    until = time.monotonic() + 60
    while http.get("/api/accounts/me").status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert http.get("/health/ready").text == "ready"
    assert http.get(SIP_AUTH).text == "Status: 403\nPhrase: Forbidden"
    http.close()
    # While the database is there to take what is left to write.
    assert server.stop() == 0
