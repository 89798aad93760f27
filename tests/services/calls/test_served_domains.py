"""The age of the list of SIP domains, and its completeness."""

import asyncio

import pytest

from flexiapi.errors import StoreUnavailable
from flexiapi.model import EVERYWHERE
from flexiapi.services.calls.served_domains import LIFE
from tests.kit.server import shared_by_module

server = shared_by_module({})


class Counted:
    """The queries of a server, counted, of which some fail."""

    def __init__(self, inner):
        self.inner = inner
        self.number = 0
        self.fails = False

    async def __call__(self):
        self.number += 1
        if self.fails:
            raise StoreUnavailable
        return await self.inner()


@pytest.fixture
def asked(server, monkeypatch):
    counted = Counted(server.store.listings.domains_in_use)
    monkeypatch.setattr(server.store.listings, "domains_in_use", counted)
    return counted


def answers(server, service, number=1):
    async def together():
        return await asyncio.gather(*(service.all(EVERYWHERE) for _ in range(number)))

    return server.run(together())


def test_fifty_questions_at_once_are_one_query_and_so_are_those_of_a_minute(server, asked):
    service = server.services.calls.served_domains
    server.later(seconds=LIFE.total_seconds())
    assert len({tuple(answer) for answer in answers(server, service, 50)}) == 1
    assert asked.number == 1
    server.later(seconds=LIFE.total_seconds() / 2)
    answers(server, service)
    assert asked.number == 1


def test_an_answer_is_never_older_than_a_minute(server, asked):
    service = server.services.calls.served_domains
    server.later(seconds=LIFE.total_seconds())
    before = answers(server, service)[0]
    server.person(domain="late.example.org")
    server.later(seconds=LIFE.total_seconds())
    assert answers(server, service)[0] == sorted([*before, "late.example.org"])


def test_without_the_database_there_is_a_failure_and_no_shorter_list(server, http, admin, asked):
    server.later(seconds=LIFE.total_seconds())
    asked.fails = True
    answer = http.get("/api/spaces", headers=admin.headers)
    assert answer.status_code == 503
    assert http.get("/api/spaces/sip.example.org", headers=admin.headers).status_code == 503
    asked.fails = False
    assert http.get("/api/spaces", headers=admin.headers).json() != []
