"""Totals and pages stay exact, and cost the same for every page."""

import asyncio
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from flexiapi.crypto.keys import ApplicationKey
from flexiapi.model import Account, AccountSelection
from flexiapi.store import Store, account_ranges, listings
from tests.kit import changes

DOMAIN = "sip.example.org"
AN_HOUR = timedelta(hours=1)


def document(account_id, domain=DOMAIN):
    made = datetime(2026, 1, 1, tzinfo=UTC)
    name = f"u{account_id}"
    return {
        "_id": account_id,
        "username": name,
        "domain": domain,
        "identifiers": [f"sip:{name}@{domain}"],
        "activated": True,
        "created_at": made,
        "updated_at": made,
    }


@pytest.fixture
def small(server, monkeypatch):
    """The server, with ranges of ten ids that settle at once."""
    for module in (account_ranges, listings):
        monkeypatch.setattr(module, "RANGE", 10)
    server.store.account_ranges.settling = timedelta()
    return server


def accounts_of(server):
    return server.store._database["accounts"]


def fill(server, ids):
    """Write these accounts as if their ids had been handed out."""

    async def write():
        await server.store.counters.raise_to("accounts", max(ids))
        await accounts_of(server).insert_many([document(account_id) for account_id in ids])

    server.run(write())


def remove_by_hand(server, ids):
    async def remove():
        await accounts_of(server).delete_many({"_id": {"$in": list(ids)}})

    server.run(remove())


def counts(server, domain=DOMAIN):
    return server.run(server.store.account_ranges.counts(domain))


async def removal(store, account_id):
    """Remove an account as a service does."""
    assert await changes.remove(store, await store.accounts.by_id(account_id))


def remove(server, account_id):
    server.run(removal(server.store, account_id))


def is_remembered(server, account_id):
    """Remove the account from its range. Return whether the range is not counted again."""
    before = counts(server)
    remove_by_hand(server, [account_id])
    return counts(server) == before


@contextmanager
def profile(server):
    """Yield a dict that has the keys and documents that MongoDB looked at meanwhile, in accounts and counters."""
    database = server.store._database
    seen = {}

    async def set_level(level):
        await database.command("profile", level)

    server.run(set_level(2))
    try:
        yield seen
    finally:
        server.run(set_level(0))

    async def read():
        namespaces = [f"{database.name}.{name}" for name in ("accounts", "counters")]
        operations = await database["system.profile"].find({"ns": {"$in": namespaces}}).to_list(None)
        await database.drop_collection("system.profile")
        return operations

    operations = server.run(read())
    seen["keys"] = sum(one.get("keysExamined", 0) for one in operations)
    seen["documents"] = sum(one.get("docsExamined", 0) for one in operations)
    seen["operations"] = len(operations)


class TestCost:
    TOTAL = 100_100

    def page(self, server, number, total):
        """A page of the domain, and what MongoDB looked at for it."""
        with profile(server) as seen:
            found = server.run(server.store.listings.page(AccountSelection(DOMAIN), (number - 1) * 20, 20))
        assert found.total == total
        return [account.id for account in found.accounts], seen

    def test_page_5000_looks_at_hardly_more_than_page_1(self, server):
        fill(server, range(1, self.TOTAL + 1))
        removed = {7, 5_000, 50_123, 99_000}
        for account_id in removed:
            remove(server, account_id)
        server.store.account_ranges.settling = timedelta()
        total = self.TOTAL - len(removed)
        self.page(server, 1, total)
        first_ids, first = self.page(server, 1, total)
        last_ids, last = self.page(server, 5000, total)
        assert first_ids == [*range(1, 7), *range(8, 22)]
        assert last_ids == list(range(99_985, 100_005))
        assert last["documents"] == first["documents"]
        assert last["operations"] == first["operations"]
        assert last["keys"] <= first["keys"] + account_ranges.RANGE
        assert last["keys"] + last["documents"] <= 3 * (first["keys"] + first["documents"])


class TestWhatIsRemembered:
    def test_the_ranges_that_the_counter_has_passed_and_not_the_last(self, small):
        fill(small, range(1, 36))
        assert counts(small) == counts(small) == [9, 10, 10, 6]
        remove_by_hand(small, [5, 15, 35])
        assert counts(small) == [9, 10, 10, 5]

    def test_a_range_with_gaps_once_it_has_settled(self, small):
        fill(small, [*range(1, 15), *range(17, 26)])
        small.store.account_ranges.settling = AN_HOUR
        assert counts(small) == [9, 8, 6]
        assert not is_remembered(small, 12)
        small.store.account_ranges.settling = timedelta()
        assert counts(small) == [9, 7, 6]
        assert is_remembered(small, 13)

    def test_a_full_range_at_once(self, small):
        fill(small, range(1, 26))
        small.store.account_ranges.settling = AN_HOUR
        assert counts(small) == [9, 10, 6]
        assert is_remembered(small, 12)

    def test_not_a_full_range_whose_accounts_were_announced_to_go(self, small):
        fill(small, range(1, 26))
        small.store.account_ranges.settling = AN_HOUR
        small.run(small.store.account_ranges.announce([12]))
        assert counts(small) == [9, 10, 6]
        assert not is_remembered(small, 12)

    def test_no_range_for_longer_than_an_hour(self, small, monkeypatch):
        fill(small, range(1, 26))
        counts(small)
        monkeypatch.setattr(account_ranges, "_RECOUNT_SECONDS", 0.0)
        remove(small, 3)
        assert counts(small) == [8, 10, 6]
        assert not is_remembered(small, 4)

    def test_few_domains(self, small):
        fill(small, range(1, 26))
        assert counts(small) == [9, 10, 6]
        for number in range(2 * account_ranges._MOST_DOMAINS):
            assert counts(small, f"{number}.example.org") == [0, 0, 0]
        assert len(small.store.account_ranges._ranges) <= account_ranges._MOST_DOMAINS
        assert counts(small) == [9, 10, 6]

    def test_neighbouring_ranges_are_counted_together_but_not_too_many(self):
        assert list(account_ranges._runs([0, 1, 2, 7, 9, 10])) == [(0, 3), (7, 8), (9, 11)]
        assert list(account_ranges._runs(range(2500))) == [(0, 1000), (1000, 2000), (2000, 2500)]


class TestChanges:
    def test_a_removal(self, small):
        fill(small, range(1, 26))
        counts(small)
        remove(small, 12)
        assert counts(small) == [9, 9, 6]
        assert is_remembered(small, 13), "the range settles again"

    def test_a_removal_by_another_process(self, small):
        fill(small, range(1, 26))
        counts(small)

        async def remove_elsewhere():
            other = Store(small.settings, ApplicationKey("k" * 40), small.uri)
            try:
                await removal(other, 12)
            finally:
                await other.close()

        small.run(remove_elsewhere())
        assert counts(small) == [9, 9, 6]

    def test_a_change_of_domain(self, small):
        fill(small, range(1, 26))
        assert counts(small) == [9, 10, 6]
        assert counts(small, "other.example.org") == [0, 0, 0]
        small.set(12, domain="other.example.org")
        assert counts(small) == [9, 9, 6]
        assert counts(small, "other.example.org") == [0, 1, 0]
        assert counts(small, None) == [9, 10, 6]

    def test_accounts_that_a_command_writes_with_their_ids(self, small):
        fill(small, [*range(1, 15), *range(17, 26)])
        assert counts(small) == counts(small) == [9, 8, 6]
        one = small.account(14)
        late = [replace(one, id=account_id, username=f"u{account_id}") for account_id in (14, 15, 47)]

        async def seed():
            await small.store.counters.raise_to("accounts", 47)
            await small.store.bulk.put(late, small.actor)

        small.run(seed())
        assert counts(small) == counts(small) == [9, 9, 6, 0, 1]

    def test_an_insertion_that_comes_late(self, small):
        fill(small, range(1, 15))
        small.store.account_ranges.settling = AN_HOUR
        given = small.run(small.store.counters.next("accounts"))
        small.run(small.store.counters.raise_to("accounts", 25))
        assert counts(small) == [9, 5, 0]

        async def insert():
            await accounts_of(small).insert_one(document(given))

        small.run(insert())
        assert counts(small) == [9, 6, 0]

    def test_a_crash_between_announcement_and_removal(self, small):
        fill(small, range(1, 26))
        counts(small)
        small.run(small.store.account_ranges.announce([12]))
        assert counts(small) == [9, 10, 6]
        assert is_remembered(small, 13), "the range settles again"


class TestChangesMeanwhile:
    """A change comes between two steps of counting."""

    @pytest.fixture
    def interrupt(self, small, monkeypatch):
        def at(step, change):
            """Let a change happen after the step, once."""
            ranges = small.store.account_ranges
            original = getattr(ranges, step)

            async def interrupted(*arguments):
                result = await original(*arguments)
                monkeypatch.setattr(ranges, step, original)
                await change()
                return result

            monkeypatch.setattr(ranges, step, interrupted)

        return at

    @pytest.mark.parametrize("step", ["_current", "_counted"])
    @pytest.mark.parametrize("settling", [timedelta(), AN_HOUR])
    def test_a_removal(self, small, interrupt, step, settling):
        fill(small, range(1, 26))
        small.store.account_ranges.settling = settling
        interrupt(step, lambda: removal(small.store, 12))
        assert counts(small)[1] in (9, 10)
        assert counts(small) == [9, 9, 6]

    def test_a_removal_that_was_announced_before(self, small, interrupt):
        fill(small, range(1, 26))
        small.store.account_ranges.settling = AN_HOUR
        small.run(small.store.account_ranges.announce([12]))

        async def delete():
            await accounts_of(small).delete_one({"_id": 12})

        interrupt("_counted", delete)
        assert counts(small) == [9, 10, 6]
        assert counts(small) == [9, 9, 6]

    def test_another_page_that_has_seen_the_new_revision(self, small, interrupt):
        fill(small, range(1, 26))

        async def remove_and_look():
            await removal(small.store, 12)
            assert await small.store.account_ranges.counts(DOMAIN) == [9, 9, 6]

        interrupt("_current", remove_and_look)
        counts(small)
        assert counts(small) == [9, 9, 6]

    def test_many_removals_creations_and_pages_at_once(self, small, admin):
        # Pages come between the announcement of a removal and the removal, as often as the machine is slow.
        small.store.account_ranges.settling = AN_HOUR
        people = [small.person() for _ in range(40)]
        body = {"password": "another-horse", "algorithm": "SHA-256"}

        async def at_once():
            async with httpx.AsyncClient(base_url=small.url, headers=admin.headers, timeout=30) as client:
                return await asyncio.gather(
                    *(client.post("/api/accounts", json={**body, "username": f"late.comer{n}"}) for n in range(20)),
                    *(client.delete(f"/api/accounts/{person.id}") for person in people[:20]),
                    *(client.get("/api/accounts", params={"page": number}) for number in (1, 2, 3) * 5),
                )

        answers = asyncio.run(at_once())
        assert {answer.status_code for answer in answers} == {200}
        created = sorted(answer.json()["id"] for answer in answers[:20])
        assert self.listed(small, admin) == [admin.id, *(person.id for person in people[20:]), *created]

    def listed(self, server, admin):
        """The ids of all pages, which agree on the total."""
        pages = [server.http.get(f"/api/accounts?page={n}", headers=admin.headers).json() for n in (1, 2, 3, 4)]
        assert [(page["total"], page["last_page"]) for page in pages] == [(41, 3)] * 4
        return [account["id"] for page in pages for account in page["data"]]


class TestBesideOlderServers:
    """Servers of releases before step 1 of the layout, which announce changes in the collection `census`."""

    def test_a_removal_that_an_older_server_made_counts_at_once(self, small):
        fill(small, range(1, 40))
        small.store.account_ranges.has_older_servers = True
        assert sum(counts(small)) == 39
        remove_by_hand(small, [12])
        assert sum(counts(small)) == 38

    def test_what_older_servers_remember_is_invalidated(self, small):
        fill(small, range(1, 40))
        remembered = {"_id": DOMAIN, "figures": {"0": 39, "1": 7}}

        async def removed():
            await small.store._database["census"].insert_one(remembered)
            await small.store.account_ranges.announce([12])
            return await small.store._database["census"].find_one()

        small.store.account_ranges.has_older_servers = True
        census = small.run(removed())
        assert census["figures"] == {"1": 7}
        assert list(census["settling"]) == ["0"]


def test_accounts_above_the_counter_are_counted(small):
    async def write():
        await accounts_of(small).insert_many([document(account_id) for account_id in (3, 47, 123)])

    small.run(write())
    assert counts(small) == [3]
    assert isinstance(small.account(123), Account)


class TestPages:
    """Pages without filters."""

    @pytest.mark.parametrize("domain", [DOMAIN, "other.example.org", None])
    def test_one_is_right_with_few_and_with_many_accounts_skipped(self, small, domain):
        fill(small, [*range(1, 48), *range(61, 75)])
        for account_id in (2, 21, 35):
            small.set(account_id, domain="other.example.org")
        remove(small, 23)
        everything = [account_id for account_id in (*range(1, 48), *range(61, 75)) if account_id != 23]
        moved = {None: set(everything), DOMAIN: set(everything) - {2, 21, 35}}.get(domain, {2, 21, 35})
        expected = [account_id for account_id in everything if account_id in moved]
        for skip in range(len(expected) + 2):
            for limit in (1, 7, 100):
                found = small.run(small.store.listings.page(AccountSelection(domain), skip, limit))
                assert found.total == len(expected)
                assert [account.id for account in found.accounts] == expected[skip : skip + limit]

    def test_equal_ones_at_once_share_their_reads_and_have_what_was_written_before(self, small):
        fill(small, range(1, 26))
        small.run(small.store.listings.page(AccountSelection(DOMAIN), 0, 100))
        wanted = AccountSelection(DOMAIN)

        async def read_and_write():
            page = small.store.listings.page
            early = [asyncio.ensure_future(page(wanted, 0, 100)) for _ in range(20)]
            await asyncio.sleep(0)
            await accounts_of(small).insert_one(document(26))
            late = await asyncio.gather(*(page(wanted, 0, 100) for _ in range(20)), page(wanted, 20, 100))
            return await asyncio.gather(*early), late

        with profile(small) as seen:
            early, late = small.run(read_and_write())
        assert {found.total for found in early} <= {25, 26}
        *late, second = late
        assert {(found.total, len(found.accounts)) for found in late} == {(26, 26)}
        assert [account.id for account in second.accounts] == list(range(21, 27))
        assert seen["operations"] <= 15, (
            "41 pages in at most four batches of three reads, the second page, and the write"
        )
