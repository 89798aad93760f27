"""A browser of a person, without scripts."""

import re

import pytest

from tests.kit.visitor import Visitor


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
