"""Cursors, pages and exports of the accounts that administrators browse."""

import json
from base64 import urlsafe_b64encode

import pytest

from flexiapi.model import Account, AccountOrder, AccountSelection, SortKey
from flexiapi.services.accounts import browsing
from flexiapi.services.accounts.browsing import LAST, CursorInvalid, cursor_of, place_of
from tests.kit.server import serving

ORDERS = [AccountOrder(key, descending) for key in SortKey for descending in (False, True)]
DOMAIN = "sip.example.org"
OTHER = "b.example.org"
ALL = AccountSelection(None)


@pytest.fixture(scope="module")
def server(tmp_path_factory, mongod_uri):
    tables = {"spaces": {OTHER: {"host": "accounts.b.example.org"}}}
    with serving(tables, tmp_path_factory.mktemp("browsing"), mongod_uri) as running:
        made = running.clock.second()
        accounts = [
            Account(n, f"user+{n % 7}.{n}", DOMAIN if n % 4 else OTHER, made, made, activated=bool(n % 2))
            for n in range(1, 81)
        ]
        running.run(running.store.bulk.put(accounts, running.actor))
        yield running


def page(server, order, wanted=ALL, space=None, **cursors):
    space = space or server.store.spaces.default
    return server.run(server.services.accounts.browsing.page(wanted, order, space, **cursors))


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_cursors_lead_through_all_accounts_of_the_space_and_back(server, order):
    pages = [page(server, order)]
    while pages[-1].following:
        pages.append(page(server, order, after=pages[-1].following))
    assert [len(one.accounts) for one in pages] == [20, 20, 20]
    assert sorted(account.id for one in pages for account in one.accounts) == [n for n in range(1, 81) if n % 4]
    back = [page(server, order, before=LAST)]
    while back[-1].previous:
        back.append(page(server, order, before=back[-1].previous))
    assert [one.accounts for one in back[::-1]] == [one.accounts for one in pages]
    assert pages[0].previous is None
    assert {one.total.number for one in pages} == {60}


def test_a_page_behind_the_end_is_empty_and_leads_back(server):
    order = AccountOrder(SortKey.ID)
    last = page(server, order, before=LAST)
    beyond = page(server, order, after=cursor_of(last.accounts[-1], order))
    assert (list(beyond.accounts), beyond.previous, beyond.following) == ([], LAST, None)


def test_before_the_first_account_is_the_first_page(server):
    order = AccountOrder(SortKey.ID)
    first = page(server, order)
    assert page(server, order, before=cursor_of(first.accounts[0], order)) == first


def test_accounts_of_another_space_are_not_shown(server):
    wanted = AccountSelection(OTHER)
    assert page(server, ORDERS[0], wanted).total.number == 0
    other = server.store.spaces.by_domain[OTHER]
    assert page(server, ORDERS[0], space=other).total.number == 20


def encoded(value):
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "\u00e9",
        "x" * 300,
        encoded({}),
        encoded(["username", "a"]),
        encoded(["id", 1, 1]),
        encoded(["username", {"$gt": ""}, 1]),
        encoded(["username", "a", {"$gt": 0}]),
        encoded(["username", "a", True]),
        encoded(["username", "a", 2**60]),
        encoded(["username", "a\u0000", 1]),
        encoded(["username", "a" * 65, 1]),
        encoded(["username", "a", -1]),
        "W" * 199,
    ],
    ids=repr,
)
def test_a_cursor_that_is_not_one_of_the_order_is_refused(cursor):
    with pytest.raises(CursorInvalid):
        place_of(cursor, AccountOrder(SortKey.USERNAME))


@pytest.mark.parametrize("value", ["a", -1, 10**15, 1.5, None, True])
def test_a_time_in_a_cursor_is_one_that_can_be(value):
    with pytest.raises(CursorInvalid):
        place_of(encoded(["created", value, 1]), AccountOrder(SortKey.CREATED))


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_a_cursor_keeps_its_place_to_the_millisecond(server, order):
    account = server.account(7)
    assert place_of(cursor_of(account, order), order) == order.place_of(account)


def test_an_export_has_the_first_accounts_in_order_up_to_its_bound(server, monkeypatch):
    order = AccountOrder(SortKey.USERNAME, True)

    async def first(wanted):
        found = server.services.accounts.browsing.first(wanted, order, server.store.spaces.default)
        return [account.username async for account in found]

    monkeypatch.setattr(browsing, "_EXPORTED_AT_ONCE", 7)
    names = server.run(first(ALL))
    assert len(names) == 60
    assert names == sorted(names, reverse=True)
    assert server.run(first(AccountSelection(OTHER))) == []
    monkeypatch.setattr(browsing, "MOST_EXPORTED", 25)
    assert server.run(first(ALL)) == names[:25]
