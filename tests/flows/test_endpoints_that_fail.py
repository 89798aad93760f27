"""Endpoints that fail, given by anonymous callers, and sign-ups of others at the same push server."""

import sys
from importlib.metadata import entry_points

import pytest

from flexiapi.testing import RESET, SILENCE, reply
from flexiapi.testing.profiles import Ntfy

_OF_ONE_KIND = 3
FAILURES = {"/upSilent": SILENCE, "/upBreaks": RESET, "/upFails": reply(500), "/upDown": reply(503)}


@pytest.fixture(scope="module")
def push_server():
    with Ntfy() as gateway, pytest.MonkeyPatch.context() as patch:
        # A busy machine takes longer to say that it lives than the host of a push server.
        (found,) = entry_points(group="flexiapi.push", name="unified")
        patch.setattr(sys.modules[found.load().__module__], "_SIGN_OF_LIFE_SECONDS", 5)
        for path, answer in FAILURES.items():
            gateway.answer(answer, path=path)
        gateway.dead = {f"upDead{number}" for number in range(_OF_ONE_KIND)}
        yield gateway


@pytest.fixture(scope="module")
def configure(push_server):
    host = f"127.0.0.1:{push_server.port}"
    unified = {"backend": "unified", "hosts": [host], "allow_http": True, "answer_seconds": 3}
    # A rest after the first failure would be an hour.
    delivery = {"tries": 1, "circuit_failures": 1, "circuit_seconds": 3600}
    return {"push": {"unified": unified}, "delivery": delivery}


def ask(http, endpoint):
    push = {"pn_provider": "unifiedpush", "pn_param": "org.example.phone", "pn_prid": endpoint}
    return http.post("/api/account_creation_tokens/send-by-push", json=push).status_code


def test_bad_endpoints_of_anonymous_callers_switch_the_backend_off_for_no_other(http, push_server):
    bad = [f"{push_server.url}{path}?up=1" for path in FAILURES] + [
        push_server.endpoint(name) for name in push_server.dead
    ]
    for number, endpoint in enumerate(bad):
        assert ask(http, endpoint) == 503
        assert ask(http, push_server.endpoint(f"upGood{number}")) == 200
    assert push_server.delivered == {f"upGood{number}": 1 for number in range(len(bad))}
