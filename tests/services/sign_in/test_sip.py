"""Answers to Flexisip: only wrong ones wait, within bounds, and they are logged with account and reason (D-61)."""

import asyncio
import types

import pytest
from structlog.testing import capture_logs

from flexiapi.services.sign_in import sip
from tests.api.test_sip_auth import query

pytestmark = pytest.mark.security


@pytest.fixture
def ask(server):
    """The answers to queries that come at once, in the order in which they are given."""
    service, space = server.services.sign_in.sip, server.store.spaces.default

    async def all_of(queries, given):
        await asyncio.gather(*(one(text, given) for text in queries))

    async def one(text, given):
        given.append(int((await service.answer(text, space)).split()[1]))

    def run(*queries, given=None):
        given = [] if given is None else given
        server.run(all_of(queries, given))
        return given

    run.later = lambda *queries, given: asyncio.run_coroutine_threadsafe(all_of(queries, given), server.loop)
    return run


def sleeping(monkeypatch, sleep):
    monkeypatch.setattr(sip, "asyncio", types.SimpleNamespace(sleep=sleep, gather=asyncio.gather))


def test_only_wrong_answers_wait_and_at_most_two_seconds(ask, alice, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    sleeping(monkeypatch, sleep)
    for _ in range(9):
        assert ask(query(alice, password="wrong")) == [403]
    assert slept == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]
    assert ask(query(alice)) == [200]
    assert ask(query(alice)) == [401]  # a replay is challenged again at once
    assert ask("nonsense") == [403]
    assert len(slept) == 9
    ask(query(alice, password="wrong"))
    assert slept[9:] == [0.05]


def test_no_more_than_100_wait_at_once_and_a_right_answer_never_does(server, ask, alice, monkeypatch):
    done, given = asyncio.Event(), []

    async def sleep(_seconds):
        await done.wait()

    sleeping(monkeypatch, sleep)
    waiting = ask.later(*[query(alice, password=f"wrong{number}") for number in range(130)], given=given)
    while len(given) < 30:
        assert not waiting.done()
    assert ask(query(alice)) == [200]
    assert ask(query(alice, password="wrong")) == [403]  # the 101st is answered at once
    assert given == [403] * 30
    server.loop.call_soon_threadsafe(done.set)
    waiting.result(60)
    assert given == [403] * 130


def test_wrong_answers_are_logged_with_account_and_reason(server, ask, alice):
    clear = server.person("carol.jones")
    server.set(clear.id, activated=False)
    unknown = query(alice).replace("username=alice.martin", "username=no.body")
    with capture_logs() as captured:
        ask(query(alice, password="wrong"))
        ask(query(alice, sender="<sip:bob@sip.example.org>"))
        ask(query(alice).replace("algorithm=SHA-256", "algorithm=MD5"))
        ask(query(clear))
        ask(unknown)
        ask("nonsense")
        ask(query(alice))
    assert {(one["event"], one["log_level"]) for one in captured} == {("SIP sign-in failed", "warning")}
    assert [(one["reason"], one.get("account")) for one in captured] == [
        ("wrong password", alice.sip),
        ("another sender", alice.sip),
        ("no password for MD5", alice.sip),
        ("not activated", clear.sip),
        ("unknown account", "no.body@sip.example.org"),
        ("malformed question", None),
    ]
    assert "response" not in repr(captured)
