"""Pages of accounts in every order: complete, stable, and read along an index."""

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flexiapi.model import (
    Account,
    AccountOrder,
    AccountSelection,
    AccountsTotal,
    Change,
    SortKey,
)
from flexiapi.store import account_pages
from tests.kit.server import serving

DOMAIN = "sip.example.org"
MANY = 120
LIMIT = 9
ORDERS = [AccountOrder(key, descending) for key in SortKey for descending in (False, True)]
DOMAINS = [DOMAIN, None]


def named(order):
    return f"{order.key}-{'down' if order.descending else 'up'}"


every_order = pytest.mark.parametrize("order", ORDERS, ids=named)
every_domain = pytest.mark.parametrize("domain", DOMAINS, ids=["domain", "all"])


@pytest.fixture(scope="module")
def filled(tmp_path_factory, mongod_uri):
    with serving({}, tmp_path_factory.mktemp("pages"), mongod_uri) as server:
        server.run(fill(server))
        yield server


async def fill(server):
    """Accounts of three domains, many with the same name or the same second."""
    made = server.clock.second()
    accounts = [
        Account(
            id=number,
            username=f"user{number // 3:03}",
            domain=(DOMAIN, "a.example.org", "z.example.org")[number % 3],
            created_at=made.replace(second=number % 4),
            updated_at=made.replace(second=number % 5),
            activated=bool(number % 6),
            admin_since=made if number % 25 == 0 else None,
            type_ids=(7,) if number % 11 == 0 else (),
            contacts_list_ids=(9,) if number % 13 == 0 else (),
        )
        for number in random.Random(1).sample(range(1, MANY + 1), MANY)
    ]
    await server.store.bulk.put(accounts, server.actor)
    await server.store.counters.raise_to("accounts", MANY)


def page(server, wanted, order, place=None, limit=LIMIT, *, backwards=False):
    async def read():
        pages = server.store.account_pages
        return await pages.page(await pages.matching(wanted), order, place, limit, backwards=backwards)

    return server.run(read())


def walk(server, wanted, order, *, backwards=False, meanwhile=lambda _page: None):
    """The ids on all pages, in the order of the walk."""
    place, ids = None, []
    while True:
        found = page(server, wanted, order, place, backwards=backwards)
        accounts = found.accounts[::-1] if backwards else found.accounts
        ids += [account.id for account in accounts]
        if not (found.has_before if backwards else found.has_after):
            return ids
        place = order.place_of(accounts[-1])
        meanwhile(found)


def expected(server, wanted, order):
    async def read():
        return [account async for account in all_accounts(server)]

    found = [one for one in server.run(read()) if wanted.domain in (None, one.domain)]
    key = {"id": "id", "username": "username", "updated": "updated_at", "created": "created_at"}[order.key]
    found.sort(key=lambda account: (getattr(account, key), account.id), reverse=order.descending)
    return [account.id for account in found]


async def all_accounts(server):
    for account in await server.store.accounts.after(0, 10 * MANY):
        yield account


class TestWalks:
    """Walks over all pages."""

    @every_order
    @every_domain
    def test_forward_and_back_give_each_account_once_and_in_order(self, filled, order, domain):
        wanted = AccountSelection(domain)
        ids = expected(filled, wanted, order)
        assert len(ids) == (MANY if domain is None else MANY // 3)
        assert walk(filled, wanted, order) == ids
        assert walk(filled, wanted, order, backwards=True) == ids[::-1]

    @every_order
    def test_the_page_before_a_page_is_the_one_that_was_seen(self, filled, order):
        wanted = AccountSelection(None)
        first = page(filled, wanted, order)
        second = page(filled, wanted, order, order.place_of(first.accounts[-1]))
        back = page(filled, wanted, order, order.place_of(second.accounts[0]), backwards=True)
        assert [account.id for account in back.accounts] == [account.id for account in first.accounts]
        assert (first.has_before, first.has_after) == (False, True)
        assert (second.has_before, second.has_after) == (True, True)
        assert (back.has_before, back.has_after) == (False, True)

    def test_behind_the_last_account_is_an_empty_page_after_which_the_way_back_works(self, filled):
        order = AccountOrder(SortKey.USERNAME)
        wanted = AccountSelection(DOMAIN)
        last = page(filled, wanted, order, backwards=True)
        assert not last.has_after
        beyond = page(filled, wanted, order, order.place_of(last.accounts[-1]))
        assert (list(beyond.accounts), beyond.has_before, beyond.has_after) == ([], True, False)

    @pytest.mark.parametrize("backwards", [False, True], ids=["forward", "back"])
    def test_accounts_that_do_not_change_are_seen_once_while_others_come_go_and_change(self, server, backwards):
        server.run(fill(server))
        for order in ORDERS:
            chance = random.Random(named(order))
            steady = {account.id for account in server.run(in_order(server))}

            def meanwhile(_page, chance=chance, steady=steady):
                changed, removed = (server.account(number) for number in chance.sample(sorted(steady), 2))
                steady.difference_update((changed.id, removed.id))
                again = replace(changed, display_name="Other", updated_at=server.clock.second())
                server.apply(Change("x", changed, again, frozenset({"display_name", "updated_at"})))
                server.apply(removed.remove())
                new = Account.new(server.clock.second(), username=f"new{removed.id}", domain=DOMAIN, passwords=())
                server.apply(new)

            ids = walk(server, AccountSelection(None), order, backwards=backwards, meanwhile=meanwhile)
            assert sorted(one for one in ids if one in steady) == sorted(steady)
            assert len(steady) < MANY - 10

    def test_more_domains_than_one_query_merges_are_in_one_order(self, filled, monkeypatch):
        monkeypatch.setattr(account_pages, "_DOMAINS_AT_ONCE", 2)
        for order in ORDERS:
            wanted = AccountSelection(None)
            assert walk(filled, wanted, order) == expected(filled, wanted, order)
            assert walk(filled, wanted, order, backwards=True) == expected(filled, wanted, order)[::-1]


class TestFilters:
    """Filters, and how many accounts match."""

    @pytest.mark.parametrize(
        ("filters", "right"),
        [
            ({"activated": False}, lambda n: n % 6 == 0),
            ({"activated": True}, lambda n: n % 6 != 0),
            ({"admin": True}, lambda n: n % 25 == 0),
            ({"admin": False}, lambda n: n % 25 != 0),
            ({"type_id": 7}, lambda n: n % 11 == 0),
            ({"contacts_list_id": 9}, lambda n: n % 13 == 0),
            ({"activated": True, "type_id": 7}, lambda n: n % 6 and n % 11 == 0),
            ({"text": "user01"}, lambda n: 10 <= n // 3 < 20),
            ({"text": "ser01"}, lambda n: 10 <= n // 3 < 20),
        ],
        ids=lambda value: str(value) if isinstance(value, dict) else "",
    )
    def test_pages_have_what_matches_and_the_total_is_their_number(self, filled, filters, right):
        wanted = AccountSelection(None, **filters)
        ids = {number for number in range(1, MANY + 1) if right(number)}
        for order in (AccountOrder(SortKey.UPDATED, True), AccountOrder(SortKey.USERNAME)):
            assert sorted(walk(filled, wanted, order)) == sorted(ids)
        assert total(filled, wanted) == AccountsTotal(len(ids))

    def test_the_time_of_creation_has_a_beginning_and_an_end(self, filled):
        first = min(account.created_at for account in filled.run(in_order(filled)))
        second = first.replace(second=first.second + 1)
        wanted = AccountSelection(DOMAIN, created_from=first, created_until=second)
        ids = walk(filled, wanted, AccountOrder(SortKey.CREATED, True))
        assert ids == sorted((n for n in range(1, MANY + 1) if n % 4 == 0 and n % 3 == 0), reverse=True)

    @every_domain
    def test_the_time_of_the_last_change_has_a_beginning_and_an_end(self, filled, domain):
        first = min(account.updated_at for account in filled.run(in_order(filled)))
        wanted = AccountSelection(domain, updated_from=first, updated_until=first.replace(second=first.second + 1))
        ids = sorted(n for n in range(1, MANY + 1) if n % 5 == 0 and (domain is None or n % 3 == 0))
        assert not wanted.is_whole_domain
        for order in (AccountOrder(SortKey.UPDATED, True), AccountOrder(SortKey.USERNAME)):
            assert sorted(walk(filled, wanted, order)) == ids
        assert total(filled, wanted) == AccountsTotal(len(ids))
        assert total(filled, replace(wanted, text="user0", activated=True)).number < len(ids)

    def test_a_total_beyond_the_most_counted_is_said_to_be_more(self, filled, monkeypatch):
        monkeypatch.setattr(account_pages, "MOST_COUNTED", 10)
        assert total(filled, AccountSelection(None, activated=True)) == AccountsTotal(10, is_more=True)
        assert total(filled, AccountSelection(None, admin=False)) == AccountsTotal(MANY - MANY // 25)
        assert total(filled, AccountSelection(None)) == AccountsTotal(MANY)

    def test_a_count_that_takes_too_long_is_given_up(self, filled, monkeypatch):
        monkeypatch.setattr(account_pages, "_COUNT_MILLISECONDS", 1)

        async def count():
            pages = filled.store.account_pages
            numbers = {"$filter": {"input": {"$range": [0, 50_000]}, "cond": {"$gt": ["$$this", "$_id"]}}}
            slow = {"$gt": [{"$size": numbers}, 0]}
            return await pages._counted({"$expr": slow})

        assert filled.run(count()) == AccountsTotal(None, is_more=True)


def total(server, wanted):
    async def count():
        pages = server.store.account_pages
        return await pages.total(await pages.matching(wanted))

    return server.run(count())


async def in_order(server):
    return [account async for account in all_accounts(server)]


class TestPlans:
    """Queries follow an index: what they examine does not depend on the number of accounts."""

    @every_order
    @every_domain
    @pytest.mark.parametrize("backwards", [False, True], ids=["forward", "back"])
    def test_a_page_in_the_middle_reads_only_its_own_keys_and_does_not_sort(self, filled, order, domain, backwards):
        wanted = AccountSelection(domain)
        half = page(filled, wanted, order, limit=MANY // 6)
        place = order.place_of(half.accounts[-1])
        for plan in filled.run(plans(filled, wanted, order, place, backwards=backwards)):
            stages = str(plan["queryPlanner"]["winningPlan"])
            figures = plan["executionStats"]
            assert "IXSCAN" in stages
            assert "COLLSCAN" not in stages
            assert "'SORT'" not in stages
            assert figures["totalDocsExamined"] <= LIMIT + 1
            # A merge of several domains looks at one key more in each.
            assert figures["totalKeysExamined"] <= LIMIT + 1 + 2 * 3

    def test_the_domains_are_found_without_reading_their_accounts(self, filled):
        distinct = {"distinct": "accounts", "key": "domain", "query": {}}
        explain = {"explain": distinct, "verbosity": "executionStats"}
        plan = filled.run(explained(filled, explain))
        assert "DISTINCT_SCAN" in str(plan["queryPlanner"]["winningPlan"])
        assert plan["executionStats"]["totalKeysExamined"] <= 3 + 1
        assert plan["executionStats"]["totalDocsExamined"] == 0

    @pytest.mark.parametrize(
        "filters",
        [
            *({"activated": False}, {"admin": True}, {"type_id": 7}, {"contacts_list_id": 9}, {"text": "user01"}),
            {"updated_from": datetime(2020, 1, 1, tzinfo=UTC), "updated_until": datetime(2020, 1, 2, tzinfo=UTC)},
        ],
        ids=lambda value: str(value) if isinstance(value, dict) else "",
    )
    @every_order
    def test_filters_never_read_the_whole_collection(self, filled, order, filters):
        wanted = AccountSelection(DOMAIN, **filters)
        for plan in filled.run(plans(filled, wanted, order, None, backwards=False)):
            assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])

    @every_domain
    def test_a_day_of_changes_is_read_and_counted_along_the_index_of_changes(self, filled, domain):
        """The count has no need of the accounts themselves."""
        order = AccountOrder(SortKey.UPDATED, True)
        second = min(account.updated_at for account in filled.run(in_order(filled)))
        wanted = AccountSelection(domain, updated_from=second, updated_until=second.replace(second=second.second + 1))
        matching = filled.run(filled.store.account_pages.matching(wanted))
        number = total(filled, wanted).number
        for plan in filled.run(plans(filled, wanted, order, None, backwards=False)):
            assert "domain_1_updated_at_1__id_1" in str(plan["queryPlanner"]["winningPlan"])
            assert plan["executionStats"]["totalDocsExamined"] <= number
        count = {"count": "accounts", "query": filled.run(filled.store.account_pages.counting(matching))}
        plan = filled.run(explained(filled, {"explain": count, "verbosity": "executionStats"}))
        assert "domain_1_updated_at_1__id_1" in str(plan["queryPlanner"]["winningPlan"])
        assert plan["executionStats"]["totalDocsExamined"] == 0
        assert plan["executionStats"]["totalKeysExamined"] <= number + 2 * 3


async def explained(server, command):
    return await server.store._database.command(command)


async def plans(server, wanted, order, place, *, backwards):
    """Return the plan of each query of a page."""
    found = []
    pages = server.store.account_pages
    matching = await pages.matching(wanted)
    descending = order.descending is not backwards
    for query, hint in await pages._queries(matching, order.key):
        for span, sort in account_pages.spans(AccountOrder(order.key, descending), place):
            find = {
                "find": "accounts",
                "filter": {"$and": [query, span]} if span else query,
                "sort": dict(sort),
                "limit": LIMIT + 1,
                **({"hint": dict(hint)} if query.keys() <= {"domain"} else {}),
            }
            found.append(await server.store._database.command({"explain": find, "verbosity": "executionStats"}))
    return found


def test_the_index_of_older_releases_is_removed_and_others_stay(server):
    async def restarted():
        accounts = server.store._database["accounts"]
        await accounts.create_index([("domain", 1), ("created_at", 1)])
        await server.store.prepare()
        return await accounts.index_information()

    names = server.run(restarted())
    assert "domain_1_created_at_1" not in names
    assert "domain_1_created_at_1__id_1" in names
