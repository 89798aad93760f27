"""Documents and keys that MongoDB examines to list accounts."""

import pytest

from flexiapi.model import Account, AccountSelection
from flexiapi.store.account_queries import beginnings, filters
from flexiapi.store.listings import MOST_OTHERS
from flexiapi.store.steps import STEPS, WORDS_WRITTEN
from tests.kit.server import serving

OTHERS = 300
MANY = 3000


def examined(server, query):
    """Return the numbers of documents and index keys that MongoDB examines for a page of matches."""

    async def explain():
        find = {"find": "accounts", "filter": query, "sort": {"_id": 1}, "limit": 20}
        return await server.store._database.command({"explain": find, "verbosity": "executionStats"})

    figures = server.run(explain())["executionStats"]
    return figures["totalDocsExamined"], figures["totalKeysExamined"]


@pytest.mark.parametrize("domain", ["sip.example.org", None])
def test_who_waits_for_activation_is_found_without_the_others(server, domain):
    async def fill():
        accounts = server.store._database["accounts"]
        made = server.clock.second()
        one = {"domain": "sip.example.org", "created_at": made, "updated_at": made}
        documents = [
            {**one, "_id": 1000 + n, "username": f"u{n}", "identifiers": [f"sip:u{n}"], "activated": n >= 3}
            for n in range(OTHERS)
        ]
        await accounts.insert_many(documents)

    server.run(fill())
    documents, keys = examined(server, filters(AccountSelection(domain, activated=False)))
    assert documents <= 3
    assert keys <= 4


@pytest.fixture(scope="module")
def filled(tmp_path_factory, mongod_uri):
    with serving({}, tmp_path_factory.mktemp("search"), mongod_uri) as server:
        server.run(fill(server))
        yield server


async def fill(server):
    made = server.clock.second()
    accounts = [
        Account(
            id=number,
            username=f"user{number:05}.of{number % 50}",
            domain="sip.example.org" if number % 10 else "other.example.org",
            created_at=made,
            updated_at=made,
            phone=f"+3360000{number:05}",
            display_name="Xaver Rare" if number % 1000 == 1 else f"Person {number}",
        )
        for number in range(1, MANY + 1)
    ]
    await server.store.bulk.put(accounts, server.actor)


class TestSearch:
    """Searches over thousands of accounts."""

    def search(self, server, text, domain="sip.example.org", page=1, **filters):
        selection = AccountSelection(domain, text=text, **filters)
        found = server.run(server.store.listings.page(selection, (page - 1) * 20, 20))
        return found.total, [account.id for account in found.accounts], found.is_incomplete

    @pytest.mark.parametrize(
        ("text", "most"),
        [("xaver", 3), ("Xav rar", 3), ("user00042", 1), ("+336000000042", 1), ("user00042.of42@sip.ex", 1)],
    )
    def test_beginnings_are_found_by_the_index(self, filled, text, most):
        query = {**filters(AccountSelection("sip.example.org")), "$or": beginnings(text)}
        documents, keys = examined(filled, query)
        assert documents <= most * 3
        assert keys <= most * 3 + 10
        plan = str(filled.run(explained(filled, query)))
        assert "'words'" in plan
        assert "COLLSCAN" not in plan

    def test_all_pages_together_have_each_match_once(self, filled):
        found, number = [], 1
        while True:
            total, ids, is_incomplete = self.search(filled, "of7", page=number)
            assert (total, is_incomplete) == (MANY // 50, False)
            if not ids:
                break
            found += ids
            number += 1
        assert found == [number for number in range(1, MANY + 1) if number % 50 == 7]

    def test_other_parts_come_after_beginnings(self, filled):
        """`00042` begins no word, but is in one of the user name and of the number."""
        assert self.search(filled, "r00042") == (1, [42], False)
        total, ids, is_incomplete = self.search(filled, "12")
        assert ids[:20] == sorted(ids[:20])
        assert not is_incomplete
        assert total > 120
        beginnings = [n for n in range(1, MANY + 1) if str(n).startswith("12") and n % 10]
        assert ids == beginnings[:20]
        _, after, _ = self.search(filled, "12", page=1 + len(beginnings) // 20)
        assert set(beginnings[len(beginnings) // 20 * 20 :]) < set(after)

    def test_more_than_200_are_cut_and_that_is_told(self, filled):
        total, ids, is_incomplete = self.search(filled, "erson")
        assert (total, len(ids), is_incomplete) == (MOST_OTHERS, 20, True)
        assert self.search(filled, "erson", page=11) == (MOST_OTHERS, [], True)

    def test_a_scan_that_takes_too_long_is_cut_and_that_is_told(self, filled, monkeypatch):
        monkeypatch.setattr("flexiapi.store.listings.OTHERS_MILLISECONDS", 1)
        total, ids, is_incomplete = self.search(filled, "thing that is nowhere")
        assert (total, ids, is_incomplete) == (0, [], True)

    def test_accounts_of_other_domains_are_not_found(self, filled):
        assert self.search(filled, "user00040")[0] == 0
        assert self.search(filled, "user00040", domain=None)[1] == [40]
        assert self.search(filled, "ser00040")[0] == 0
        assert self.search(filled, "ser00040", domain="other.example.org")[1] == [40]
        assert self.search(filled, "ser00041", activated=True) == (0, [], False)


async def explained(server, query):
    find = {"find": "accounts", "filter": query, "sort": {"_id": 1}, "limit": 20}
    return (await server.store._database.command({"explain": find, "verbosity": "queryPlanner"}))["queryPlanner"][
        "winningPlan"
    ]


def test_words_follow_every_change_of_a_name(server, admin):
    alice = server.person("alice.martin", display_name="Alice")
    url = f"/api/accounts/{alice.id}"

    def found(text):
        page = server.http.get("/api/accounts", params={"search": text}, headers=admin.headers).json()
        return [account["id"] for account in page["data"]] == [alice.id]

    assert found("martin")
    assert server.http.patch(url, json={"display_name": "Zoe"}, headers=admin.headers).is_success
    assert server.http.patch(url, json={"email": "queen@example.org"}, headers=admin.headers).is_success
    assert found("zoe")
    assert found("queen")
    assert server.http.patch(url, json={"display_name": None, "email": None}, headers=admin.headers).is_success
    assert not found("zoe")
    assert not found("queen")
    assert found("martin")


def test_before_its_step_a_search_finds_beginnings_and_says_that_there_may_be_more(server, admin):
    alice = server.person("alice.martin", email="alice@example.org", display_name="Zoe")
    accounts = server.store._database["accounts"]

    async def older():
        await accounts.update_many({}, {"$unset": {"words": ""}})
        await server.store._database["meta"].update_one(
            {"_id": "layout"}, {"$set": {"version": WORDS_WRITTEN.number - 1}}, upsert=True
        )
        await server.store.layout()

    async def newer():
        await WORDS_WRITTEN.batch(server.store._database, None)
        await server.store._database["meta"].update_one({"_id": "layout"}, {"$set": {"version": len(STEPS)}})
        await server.store.layout()

    def search(text):
        page = server.http.get("/api/accounts", params={"search": text}, headers=admin.headers).json()
        return [account["id"] for account in page["data"]], page["search_incomplete"]

    server.run(older())
    assert search("alice.m") == search("ALICE@") == ([alice.id], True)
    assert search("zoe") == ([], True)
    server.run(newer())
    assert search("alice.m") == search("zoe") == search("martin") == ([alice.id], False)


def test_the_step_keeps_the_words_of_an_account_that_changes_meanwhile(server):
    server.person("alice.martin")
    store = server.store

    async def raced():
        read = await store._database["accounts"].find_one()
        await WORDS_WRITTEN.batch(store._database, None)
        again = await store._database["accounts"].find_one()
        return read["words"], again["words"]

    before, after = server.run(raced())
    assert before == after == ["alice.martin", "alice", "martin"]
