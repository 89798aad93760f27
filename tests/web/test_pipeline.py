"""The order of the steps, each of which decides before those after it, and HEAD, which takes the same ones."""

import io
from typing import Annotated

import httpx
import pytest

from flexiapi.errors import NoDtmfProtocol, RecordNotFound, ValidationFailed
from flexiapi.server.context import ServiceContext
from flexiapi.server.health import Health
from flexiapi.server.readiness import Readiness
from flexiapi.web import pipeline
from flexiapi.web.endpoint import Endpoint, endpoint
from flexiapi.web.operation import Access, Guard, Segment, Switch
from flexiapi.web.parameters import Params
from flexiapi.web.throttle import Throttle

PREFETCH = {"Sec-Purpose": "prefetch"}
CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}


class Sent:
    """A request that no web server carried."""

    def __init__(self, method="GET", target="/things/1", headers=None, body=b"", **changes):
        self.method = method
        self.target = target
        self.headers = httpx.Headers(headers)
        self.body = body
        self.is_too_large = False
        self.peer = "192.0.2.7"
        self.scheme = "http"
        vars(self).update(changes)


class Number(Params):
    number: int


CALLS = []


async def requires(_exchange, place):
    CALLS.append("requires")
    if place == 404:
        raise RecordNotFound


async def checks(exchange, values):
    CALLS.append("checks")
    return {"number": ["number is odd"]} if values.get("number", 0) % 2 else {}


Place = Annotated[int, Segment("[0-9]+", "1")]


class Things(Endpoint):
    """An endpoint on which every step may end a request."""

    path = "/things/{place}"
    is_on = True

    @endpoint(
        Access.ADMIN,
        raises=(NoDtmfProtocol,),
        effects=True,
        guard=Guard(limit="messages", guess=True),
        switch=Switch(lambda exchange: exchange.is_on),
        requires=requires,
        checks=checks,
    )
    async def get(self, place: Place, query: Number) -> None:
        """Do something."""
        CALLS.append("call")
        if query.number == 10:
            raise NoDtmfProtocol


@pytest.fixture
def configure():
    return {"limits": {"messages_per_minute": 1000}}


@pytest.fixture
def context(server):
    CALLS.clear()
    parts = server.parts
    replication, throttle, health = parts.replication, Throttle(0), Health(Readiness(), parts.store.ping)
    return ServiceContext(parts.services, parts.renderer, replication, throttle, health, io.StringIO())


@pytest.fixture
def answer(server, context):
    """The answer to a request, without Tornado."""

    def of(request, kind=Things, place="1"):
        exchange = kind(context, request, {"place": place})
        return server.run(pipeline.answer(exchange)), exchange

    return of


def test_each_step_comes_before_those_after_it(server, context, answer, admin, alice, monkeypatch):
    """A request that every step would refuse is refused by one after the other, as its faults are mended."""
    request = Sent(target="/things/404?number=x", is_too_large=True, headers={**PREFETCH, **CROSS_SITE})
    monkeypatch.setattr(Things, "is_on", False)
    monkeypatch.setattr(context, "maintenance", True)
    place = "404"

    def refusal():
        given, exchange = answer(request, place=place)
        assert exchange.failure is None or exchange.failure.status == given.status
        return "answered" if exchange.failure is None else type(exchange.failure).__name__

    assert refusal() == "Maintenance"
    monkeypatch.setattr(context, "maintenance", False)
    assert refusal() == "BodyTooLarge"
    request.is_too_large = False
    assert refusal() == "RecordNotFound"  # the switch
    monkeypatch.setattr(Things, "is_on", True)
    assert refusal() == "PrefetchRefused"
    del request.headers["Sec-Purpose"]
    assert refusal() == "ValidationFailed"  # on `from`
    request.headers["Cookie"] = f"x-api-key={alice.key}"
    assert refusal() == "AdminRequired"
    request.headers["Cookie"] = f"x-api-key={admin.key}"
    assert refusal() == "CrossSiteRequest"
    del request.headers["Sec-Fetch-Site"]
    assert refusal() == "CrossSiteRequest"
    request.headers["Sec-Fetch-Site"] = "same-origin"
    assert CALLS == []
    assert refusal() == "RecordNotFound"  # the requirement
    place = "1"
    request.body, request.headers["Content-Type"] = b"{", "application/json"
    assert refusal() == "MalformedRequest"
    request.body = b""
    assert CALLS == ["requires", "requires"]
    assert refusal() == "ValidationFailed"
    request.target = "/things/1?number=11"
    assert refusal() == "ValidationFailed"
    assert CALLS[-2:] == ["requires", "checks"]
    request.target = "/things/1?number=10"
    assert refusal() == "NoDtmfProtocol"
    request.target = "/things/1?number=12"
    assert refusal() == "answered"
    assert CALLS[-3:] == ["requires", "checks", "call"]


@pytest.mark.parametrize("configure", [{"limits": {"messages_per_minute": 1}}])
def test_the_limit_counts_who_may_call_and_comes_before_the_requirement(answer, admin, alice):
    for headers in (PREFETCH, {}, {"x-api-key": alice.key}):
        for _ in range(2):
            assert answer(Sent(headers=headers))[0].status in (403, 422)
    mine = {"x-api-key": admin.key}
    assert answer(Sent(headers=mine), place="404")[0].status == 404
    assert answer(Sent(headers=mine), place="404")[0].status == 429
    assert CALLS == ["requires"]


def test_all_that_is_wrong_with_parameters_is_told_at_once(answer, admin):
    class Two(Params):
        number: int
        other: int

    class Pair(Endpoint):
        path = "/pairs"

        @endpoint(Access.PUBLIC, checks=checks)
        async def post(self, body: Two) -> None:
            """Do nothing."""

    _, exchange = answer(Sent("POST", "/pairs?number=3"), kind=Pair)
    assert isinstance(exchange.failure, ValidationFailed)
    assert exchange.failure.errors == {"number": ["number is odd"], "other": ["other is missing"]}


class TestHead:
    """HEAD of a GET with effects takes the same steps, up to the parameters."""

    def test_it_ends_before_the_parameters(self, answer, admin):
        given, _ = answer(Sent("HEAD", "/things/1?number=x", {"x-api-key": admin.key}))
        assert (given.status, given.reply.body) == (200, b"")
        assert CALLS == ["requires"]

    @pytest.mark.parametrize(
        ("headers", "status"), [(PREFETCH, 403), ({}, 422), ({"From": "sip:the.admin@sip.example.org"}, 401)]
    )
    @pytest.mark.usefixtures("admin")
    def test_it_is_refused_as_get_is(self, answer, headers, status):
        for method in ("HEAD", "GET"):
            assert answer(Sent(method, headers=headers))[0].status == status

    def test_a_prefetch_by_head_is_refused_over_http_too(self, http):
        path = "/api/accounts/me/api_key/unknown"
        assert http.head(path).status_code == 200
        assert http.head(path, headers=PREFETCH).status_code == 403

    def test_of_a_get_without_effects_it_is_the_same_list(self):
        class Plain(Endpoint):
            path = "/plain"

            @endpoint(Access.PUBLIC)
            async def get(self) -> None:
                """Do nothing."""

        assert Plain.plans["HEAD"] is Plain.plans["GET"]


@pytest.mark.parametrize("configure", [{"limits": {"requests_per_minute": 1}}])
def test_a_path_that_is_switched_off_is_one_that_does_not_exist(server, http, admin):
    """It is answered before the general limit counts it, whatever the method, and with nothing that tells it apart."""
    for method in ("GET", "POST", "PUT", "OPTIONS"):
        off = http.request(method, "/api/messages", headers=admin.headers)
        unknown = http.request(method, "/api/nothing", headers=admin.headers)
        assert (off.status_code, off.content) == (unknown.status_code, unknown.content) == (404, unknown.content)
        assert off.headers.keys() == unknown.headers.keys()
