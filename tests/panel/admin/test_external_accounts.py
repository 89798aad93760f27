"""The pool of external accounts in the administration."""

import asyncio
import re

import pytest

from flexiapi.crypto import digest
from flexiapi.errors import ExternalAccountUsed
from flexiapi.model import Algorithm
from flexiapi.services.accounts.external_accounts import POOL_AT_ONCE
from tests.kit.server import shared_by_module

POOL = "/admin/external_accounts"
ADDED = {"domain": "sip.example.com", "password": "pw of outside", "algorithm": "MD5", "group": "group-a"}


server = shared_by_module({})


@pytest.fixture(autouse=True)
def _empty_pool(server):
    """Begin each test with an empty pool."""

    async def empty():
        await server.store._database["external_accounts"].delete_many({})

    server.run(empty())


def fill(server, number):
    async def add():
        for n in range(number):
            await externals(server).add_one(f"outside{n}", "sip.example.com", "x", Algorithm.MD5, "", server.actor)

    server.run(add())


def externals(server):
    return server.services.accounts.external_accounts


def stored(server):
    async def read():
        return await server.store._database["external_accounts"].find().sort("_id").to_list(None)

    return server.run(read())


def test_one_is_added_by_its_password_of_which_only_the_hash_stays(server, browser):
    browser.open(f"{POOL}/create")
    page = browser.send("/create", username="outside", **ADDED)
    assert page.url.path == POOL
    assert "The external account is in the pool." in page.text
    assert "outside@sip.example.com" in page.text
    assert "pw of outside" not in repr(stored(server))
    alice = server.person("alice.outside")
    given = server.run(externals(server).attach(alice.account, server.actor)).external_account
    assert given.ha1 == digest.ha1("MD5", "outside", "sip.example.com", "pw of outside")
    assert (given.algorithm, given.group) == (Algorithm.MD5, "group-a")


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("username", "outside0", "User name is in the pool already"),
        ("username", "out side", "User name must be a user name without its domain"),
        ("username", "a@b", "User name must be a user name without its domain"),
        ("domain", "", "Domain is missing"),
        ("password", "", "Password is missing"),
        ("group", "A group", "Group must be lower-case letters"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(server, browser, field, value, text):
    fill(server, 1)
    browser.open(f"{POOL}/create")
    page = browser.send("/create", **{"username": "another", **ADDED, field: value})
    assert page.status_code == 422
    assert re.search(rf'<a href="#field-{field}">{text}', page.text), page.text
    assert "pw of outside" not in page.text
    assert len(stored(server)) == 1


def test_the_list_says_which_account_uses_which(server, browser):
    fill(server, 3)
    alice, gone = server.person("alice.user"), server.person("gone.user")
    for person in (alice, gone):
        server.run(externals(server).attach(person.account, server.actor))
    server.run(server.services.accounts.removal.remove(server.account(gone.id), server.actor))
    rows = dict(re.findall(r"<bdi>(outside\d)@sip\.example\.com</bdi>(.*?)</tr>", browser.open(POOL).text, re.DOTALL))
    assert f'<a href="/admin/accounts/{alice.id}"><bdi>{alice.sip}</bdi></a>' in rows["outside0"]
    assert "Used by an account that is gone" in rows["outside1"]
    assert "Free" in rows["outside2"]
    assert ["/delete" in rows[f"outside{n}"] for n in range(3)] == [False, False, True]
    shown = {state: browser.open(f"{POOL}?state={state}").text for state in ("used", "free")}
    assert [re.findall(r"outside\d", shown[state]) != [] for state in shown] == [True, True]
    assert "outside2" not in shown["used"]
    assert "outside0" not in shown["free"]
    assert re.search(r"<dt>Free</dt><dd>1</dd>\s*<dt>Used</dt><dd>2</dd>", shown["free"])


def test_a_long_pool_has_pages_that_keep_the_filter(server, browser):
    fill(server, POOL_AT_ONCE + 2)
    first = browser.open(f"{POOL}?state=free").text
    following = re.search(r'href="([^"]+)">Next page', first)[1].replace("&amp;", "&")
    assert "state=free" in following
    second = browser.open(following).text
    shown = [set(re.findall(r"<bdi>(outside\d+)@", page)) for page in (first, second)]
    assert [len(one) for one in shown] == [POOL_AT_ONCE, 2]
    assert not shown[0] & shown[1]


def test_a_free_one_is_removed_after_a_question_and_a_used_one_stays(server, browser):
    fill(server, 2)
    server.run(externals(server).attach(server.person("alice.keeps").account, server.actor))
    used, free = (one["_id"] for one in stored(server))
    assert "outside1@sip.example.com" in browser.open(f"{POOL}/{free}/delete").text
    assert len(stored(server)) == 2
    assert "is removed from the pool" in browser.send("/delete").text
    assert browser.open(f"{POOL}/{used}/delete").status_code == 403
    assert browser.open(f"{POOL}/{free}/delete").status_code == 404
    assert [one["_id"] for one in stored(server)] == [used]


def test_one_that_is_taken_while_it_is_removed_is_either_given_or_gone(server):
    people = [server.person(f"racer{n}") for n in range(5)]
    fill(server, len(people))
    numbers = [one["_id"] for one in stored(server)]

    async def race():
        taking = [externals(server).attach(person.account, server.actor) for person in people]
        removing = [externals(server).remove(number, server.actor) for number in numbers]
        return await asyncio.gather(*taking, *removing, return_exceptions=True)

    results = server.run(race())
    given, removed = (sum(not isinstance(one, Exception) for one in some) for some in (results[:5], results[5:]))
    assert given + removed == len(people)
    assert all(isinstance(one, ExternalAccountUsed) for one in results[5:] if isinstance(one, Exception))
    assert [one["used"] for one in stored(server)] == [True] * given
