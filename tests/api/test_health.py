"""Health checks: always answered, and saying what a process waits for."""

import pytest

from tests.kit.waiting import wait_for


def refusals(http):
    """The statuses of requests of many kinds."""
    paths = ("/api/ping", "/api/accounts/me", "/provisioning", "/nothing", "/metrics")
    return {http.get(path).status_code for path in paths} | {http.options("/api/ping").status_code}


def test_a_server_is_live_and_ready(http):
    assert http.get("/health/live").text == "live"
    assert http.get("/health/ready").text == "ready"
    assert http.head("/health/ready").status_code == 200


def test_health_checks_are_not_logged(server, http):
    for path in ("/health/live", "/health/ready", "/api/ping"):
        http.get(path)
    wait_for(lambda: "/api/ping" in server.log.getvalue())
    assert "/health/" not in server.log.getvalue()


def test_reasons_of_others_are_told_while_requests_are_answered(server, http):
    server.run(waiting(server, "spaces", "The table of b.example.org differs.", closes=False))
    answer = http.get("/health/ready")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json() == {
        "message": "The server is not ready. Try again later.",
        "reasons": {"spaces": "The table of b.example.org differs."},
    }
    assert http.get("/api/ping").status_code == 200


def test_a_closed_process_answers_health_checks_only(server, http):
    server.run(waiting(server, "release", "It is too old.", closes=True))
    assert refusals(http) == {503}
    answer = http.get("/api/ping")
    assert answer.json() == {"message": "The server is not ready. Try again later."}
    assert int(answer.headers["retry-after"]) > 0
    assert http.get("/health/live").status_code == 200
    assert http.get("/health/ready").json()["reasons"] == {"release": "It is too old."}
    assert http.options("/health/live").status_code == 200


def test_a_process_that_could_not_look_at_the_layout_for_long_is_closed(server, http):
    server.run(unconfirmed(server))
    assert refusals(http) == {503}
    assert list(http.get("/health/ready").json()["reasons"]) == ["layout"]


async def waiting(server, subject, reason, *, closes):
    server.readiness.wait_for(subject, reason, closes=closes)


async def unconfirmed(server):
    server.readiness.confirmed_until = 0


class TestMaintenance:
    @pytest.fixture
    def configure(self):
        return {"server": {"maintenance": True}}

    def test_it_is_a_reason(self, http):
        assert refusals(http) == {503}
        assert http.get("/health/live").status_code == 200
        assert http.get("/health/ready").json()["reasons"] == {"maintenance": "server.maintenance is on."}
