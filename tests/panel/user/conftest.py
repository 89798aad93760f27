"""A server with a registrar for all tests of this folder, and a browser of a person, without scripts."""

import re

import pytest

from tests.kit.server import serving
from tests.kit.visitor import Visitor

_LIMITS = {"codes_per_account": 0, "wrong_codes_per_hour": 0, "tests_per_hour": 2, "exports_per_hour": 2}


@pytest.fixture(scope="package")
def server(tmp_path_factory, mongod_uri, session_redis):
    tables = {
        "redis": {"url": f"unix://:{session_redis.password}@{session_redis.unix_socket}"},
        "app": {"api_key_max_days": 90},
        "limits": {**_LIMITS, "wrong_codes_per_day": 0},
    }
    with serving(tables, tmp_path_factory.mktemp("user"), mongod_uri) as running_server:
        yield running_server


@pytest.fixture
def person(server):
    return server.person(email=f"u{server.clock.now().timestamp():.6f}@example.org".replace(".", "", 1))


@pytest.fixture
def visitor(server):
    made = Visitor(server.url)
    yield made
    made.close()


@pytest.fixture
def me(visitor, person):
    """The browser, signed in."""
    visitor.sign_in(person)
    return visitor


@pytest.fixture
def stale(server, me):
    """The same browser half an hour later, when it has to prove who it is."""
    server.later(minutes=30)
    return me


def problems(answer):
    """The lines of the error summary, each with the field to which it leads."""
    summary = re.search(r'<div class="summary".*?</div>', answer.text, re.DOTALL)
    return re.findall(r"<li>(?:<a href=\"#([\w-]+)\">)?(.*?)(?:</a>)?</li>", summary[0]) if summary else []


def mails_to(server, address):
    """The kinds of the mails to an address, in order."""
    return [message["kind"] for message in server.messages if message.get("to") == address]
