"""From the server to the pipeline and back: hosts, bodies, headers, and requests that do not end well."""

import asyncio
import socket

import pytest

from flexiapi.web.endpoint import Endpoint, endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import Cookie, PlainText
from flexiapi.web.routing import Routes
from tests.kit.server import KIND, shared_by_module
from tests.kit.waiting import wait_for

# With one place, a request that kept its place would have all later ones refused.
server = shared_by_module({"server": {"most_requests": 1}})


class Odd(Endpoint):
    """An endpoint that does what a test wants."""

    path = "/odd"

    @endpoint(Access.PUBLIC)
    async def get(self) -> PlainText:
        """Do what the test wants."""
        return await Odd.does(self)

    post = get


@pytest.fixture
def odd(monkeypatch, server):
    """Set what the endpoint of every path does: a coroutine function that gets the exchange."""
    monkeypatch.setattr(Routes, "find", lambda *_: (Odd, {}))
    yield lambda does: monkeypatch.setattr(Odd, "does", staticmethod(does), raising=False)
    server.declared.surprises.clear()


async def well(_exchange):
    return PlainText(b"well")


def connection(server):
    return socket.create_connection(server.sockets[0].getsockname(), timeout=60)


def sent(server, *lines):
    """Sends a head as it stands, and returns the status and the whole answer."""
    with connection(server) as client:
        client.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    return int(answer.split()[1]), answer


# Tornado's server leaves absolute targets to the application.
TARGETS = ["/api/ping"] if KIND == "tornado" else ["/api/ping", "http://x/api/ping"]


class TestHosts:
    @pytest.mark.parametrize("host", ["x", "x:80", "[::1]:8080", "", "a_b~c!", "x%41", "127.0.0.1"])
    @pytest.mark.parametrize("target", TARGETS)
    def test_a_valid_one(self, server, host, target):
        for version in ("1.0", "1.1"):
            assert sent(server, f"GET {target} HTTP/{version}", f"Host: {host}")[0] == 200

    @pytest.mark.parametrize("host", ["a,b", "a b", "a/b", "<x>", "x@y", "x?y", "x%4", "x%zz", "\xe9", "x#"])
    @pytest.mark.parametrize("target", TARGETS)
    def test_an_invalid_one_is_refused(self, server, host, target):
        for version in ("1.0", "1.1"):
            assert sent(server, f"GET {target} HTTP/{version}", f"Host: {host}")[0] == 400

    @pytest.mark.parametrize("second", ["x", "y"])
    def test_two_are_refused(self, server, second):
        assert sent(server, "GET /api/ping HTTP/1.1", "Host: x", f"Host: {second}")[0] == 400

    def test_only_http_1_0_may_leave_it_out(self, server):
        assert sent(server, "GET /api/ping HTTP/1.0")[0] == 200
        assert sent(server, "GET /api/ping HTTP/1.1")[0] == 400


class TestAnswers:
    @pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=c", "a\nb", "a\rb", "a\0b", "a\x1bb", "a\x7f"])
    @pytest.mark.parametrize("is_of_pipeline", [True, False])
    def test_no_value_begins_another_header(self, server, http, odd, value, is_of_pipeline):
        async def forged(exchange):
            if is_of_pipeline:
                exchange.headers.append(("X-Odd", value))
                return PlainText(b"odd")
            return PlainText(b"odd", headers=[("X-Odd", value)])

        odd(forged)
        server.expect_errors("request failed")
        answer = http.get("/odd")
        assert (answer.status_code, list(answer.json())) == (500, ["message"])
        assert "set-cookie" not in answer.headers
        assert "x-odd" not in answer.headers

    def test_values_are_sent_as_utf_8(self, server, odd):
        async def named(_exchange):
            return PlainText(b"", headers=[("X-Odd", "Zoé \u20ac")])

        odd(named)
        assert "X-Odd: Zoé \u20ac\r\n".encode() in sent(server, "GET /odd HTTP/1.1", "Host: x")[1]

    def test_headers_of_the_pipeline_may_stand_twice_and_those_of_a_reply_replace_ours(self, http, odd):
        async def several(exchange):
            exchange.headers += [("X-Odd", "1"), ("X-Odd", "2")]
            return PlainText(b"", headers=[("Content-Security-Policy", "default-src 'self'")])

        odd(several)
        headers = http.get("/odd").headers
        assert headers.get_list("x-odd") == ["1", "2"]
        assert headers.get_list("content-security-policy") == ["default-src 'self'"]

    @pytest.mark.parametrize("status", [204, 304])
    def test_a_status_without_body_has_neither_length_nor_media_type(self, http, odd, monkeypatch, status):
        odd(well)
        monkeypatch.setattr(PlainText, "status", status, raising=False)
        answer = http.get("/odd")
        assert answer.status_code == status
        assert not {"content-length", "content-type", "transfer-encoding"} & set(answer.headers)
        assert answer.content == b""

    def test_cookies(self):
        kept, gone = Cookie("x-api-key", "abc", 60), Cookie("x-api-key", "", 0)
        form = "x-api-key=abc; HttpOnly; Max-Age=60; Path=/; SameSite=Strict"
        assert kept.header(is_secure=False) == form
        assert kept.header(is_secure=True) == f"{form}; Secure"
        past = 'x-api-key=""; expires=Thu, 01 Jan 1970 00:00:01 GMT; HttpOnly; Path=/; SameSite=Strict'
        assert gone.header(is_secure=False) == past

    def test_each_has_the_time_and_no_name_of_a_library(self, server):
        for path in ("/api/ping", "/api/nothing"):
            answer = sent(server, f"GET {path} HTTP/1.1", "Host: x")[1]
            assert answer.count(b"\r\nDate: ") == 1
            assert answer.count(b"\r\nServer: flexiapi\r\n") == 1


class TestUnhappyEnds:
    @pytest.mark.parametrize("error", [RuntimeError("hunter2"), asyncio.CancelledError(), LookupError("\r\n")])
    def test_a_failure_is_logged_with_its_request_and_gives_its_place_back(self, server, http, odd, error, capsys):
        async def failing(_exchange):
            raise error

        odd(failing)
        server.expect_errors("request failed")
        for _ in range(2):
            answer = http.get("/odd?secret=hunter2")
            assert (answer.status_code, answer.json()) == (500, {"message": "The server failed. Try again later."})
        wait_for(lambda: server.log.getvalue().count("route=/odd status=500") >= 2)
        odd(well)
        assert http.get("/odd").text == "well"

    def test_a_client_that_goes_before_its_body_is_complete(self, server, http, odd):
        calls = []

        async def counted(_exchange):
            calls.append(1)
            return PlainText(b"well")

        odd(counted)
        for _ in range(3):
            with connection(server) as client:
                client.sendall(b"POST /odd HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        assert http.get("/odd").text == "well"
        assert len(calls) == 1

    def test_a_client_that_goes_before_its_answer(self, server, http, odd):
        begun, may_end = asyncio.Event(), asyncio.Event()

        async def slow(_exchange):
            begun.set()
            await may_end.wait()
            return PlainText(b"x" * 1_000_000)

        odd(slow)
        answered = server.log.getvalue().count("route=/odd status=200")
        with connection(server) as client:
            client.sendall(b"GET /odd HTTP/1.1\r\nHost: x\r\n\r\n")
            wait_for(begun.is_set)
            assert http.get("/odd").status_code == 503
        server.loop.call_soon_threadsafe(may_end.set)
        wait_for(lambda: server.log.getvalue().count("route=/odd status=200") > answered)
        odd(well)
        assert http.get("/odd").text == "well"

    def test_of_a_body_that_is_too_large_nothing_is_left(self, http, odd):
        seen = []

        async def looking(exchange):
            seen.append(exchange.request.body)
            return PlainText(b"well")

        odd(looking)
        limit = 64 * 1024
        pieces = [b"x" * 1000] * 66
        assert http.post("/odd", content=iter(pieces)).status_code == 413
        assert http.post("/odd", content=iter(pieces[:65])).text == "well"
        assert http.post("/odd", content=b"x" * limit).text == "well"
        assert [len(body) for body in seen] == [65_000, limit]
