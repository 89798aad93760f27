"""The page of accounts: search, filters, order, pages, and its table for spreadsheets."""

import csv
import html
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from flexiapi.model import AccountOrder, SortKey
from flexiapi.services.accounts.browsing import cursor_of
from tests.kit.server import serving
from tests.kit.visitor import Visitor

# The day and what borders on it.
UPDATED = [
    datetime(2023, 3, 4, 23, 59, 59, tzinfo=UTC),
    datetime(2023, 3, 5, tzinfo=UTC),
    datetime(2023, 3, 5, 12, tzinfo=UTC),
    datetime(2023, 3, 5, 23, 59, 59, tzinfo=UTC),
    datetime(2023, 3, 6, tzinfo=UTC),
]
SORTS = ["id", "username", "updated", "created"]


@pytest.fixture(scope="module")
def server(tmp_path_factory, mongod_uri):
    tables = {"spaces": {"b.example.org": {"host": "accounts.b.example.org"}}}
    with serving(tables, tmp_path_factory.mktemp("list"), mongod_uri) as running:
        now = running.clock.second()
        for number in range(44):
            running.person(
                f"person{number:02}",
                display_name=f"Person {number}",
                activated=number % 4 != 0,
                admin_since=now if number == 7 else None,
                type_ids=(1,) if number == 9 else (),
                contacts_list_ids=(1,) if number == 8 else (),
                created_at=now.replace(year=2020 + number % 2, month=1, day=1 + number % 28),
                updated_at=UPDATED[number] if number < len(UPDATED) else now,
            )
        running.person("elsewhere", domain="b.example.org")
        running.run(running.store.types.add("phone", running.actor))
        running.run(running.store.contacts_lists.add("Family <3", "", running.actor))
        yield running


@pytest.fixture(scope="module")
def reader(server):
    """The browser of an administrator, who only reads."""
    visitor = Visitor(server.url)
    visitor.sign_in(server.person("the.admin", admin_since=server.clock.second()))
    yield visitor
    visitor.close()


def shown(page):
    """The user names on a page, in order."""
    return re.findall(r'<a href="/admin/accounts/\d+"><bdi>([^@<]+)@', page.text)


def total(page):
    return re.sub(r"\s+", " ", re.search(r'<p id="total">(.*?)</p>', page.text, re.DOTALL)[1]).strip()


def link(page, text):
    found = re.search(rf'<a [^>]*href="([^"]+)"[^>]*>{text}</a>', page.text)
    return html.unescape(found[1]) if found else None


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_the_pages_of_every_order_have_each_account_once(reader, sort, direction):
    page = reader.open(f"/admin/accounts?sort={sort}&direction={direction}")
    pages = [shown(page)]
    while following := link(page, "Next page"):
        page = reader.open(following)
        pages.append(shown(page))
    assert [len(one) for one in pages] == [20, 20, 5]
    names = [name for one in pages for name in one]
    assert len(set(names)) == 45
    assert "elsewhere" not in names
    if sort == "username":
        assert names == sorted(names, reverse=direction == "desc")
    page = reader.open(link(page, "Previous page"))
    assert shown(page) == pages[1]
    last = reader.open(link(reader.open(link(page, "First page")), "Last page"))
    assert shown(last)[-1] == names[-1]


def test_a_heading_sorts_and_its_second_use_turns_the_order(reader):
    page = reader.open("/admin/accounts")
    assert 'aria-sort="descending"><a href="/admin/accounts?sort=updated&amp;direction=asc"' in page.text
    page = reader.open(re.search(r'href="([^"]+)">Address', page.text)[1].replace("&amp;", "&"))
    assert shown(page)[:2] == ["person00", "person01"]
    page = reader.open(html.unescape(re.search(r'aria-sort="ascending"><a href="([^"]+)"', page.text)[1]))
    assert shown(page)[0] == "the.admin"


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("search=person1", 10),
        ("search=person+12", 1),
        ("search=erson1", 10),
        ("activated=false", 11),
        ("activated=true", 34),
        ("admin=true", 2),
        ("admin=false&activated=false", 11),
        ("type=1", 1),
        ("contacts_list=1", 1),
        ("created_from=2021-01-01&created_to=2021-12-31", 22),
        ("created_from=2020-01-03&created_to=2020-01-03", 2),
        ("updated_date=2023-03-05", 3),
        ("updated_date=2023-03-05&activated=false", 0),
        ("updated_date=2023-03-05&search=person02&sort=username", 1),
        ("search=nothing", 0),
    ],
)
def test_filters(reader, query, number):
    page = reader.open(f"/admin/accounts?{query}")
    assert total(page) == ("1 account" if number == 1 else f"{number} accounts")
    assert len(shown(page)) == min(number, 20)
    if number > 20:
        following = link(page, "Next page")
        assert query.split("&")[0] in following
        assert len(shown(reader.open(following))) == min(number - 20, 20)


def test_a_search_is_kept_in_its_field_and_all_accounts_are_one_link_away(reader):
    page = reader.open("/admin/accounts?search=%22%3E%3Cscript%3E")
    assert 'name="search" value="&#34;&gt;&lt;script&gt;"' in page.text
    assert "No account matches." in page.text
    assert link(page, "All accounts") == "/admin/accounts"


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("created_from=yesterday", "must be a date"),
        ("updated_date=05/03/2023", "Updated on must be a date"),
        ("type=x", "must be a number"),
        ("sort=size", "must be"),
    ],
)
def test_a_wrong_filter_is_told_at_its_field_and_the_others_are_kept(reader, query, text):
    page = reader.open(f"/admin/accounts?{query}&search=person07")
    assert page.status_code == 422
    assert "There is a problem" in page.text
    assert text in page.text
    assert "<title>Error: " in page.text
    assert 'name="search" value="person07"' in page.text


def test_a_cursor_of_another_order_leads_to_the_first_page_and_says_so(reader):
    cursor = re.search(r"after=([^&]+)", link(reader.open("/admin/accounts?sort=username"), "Next page"))[1]
    for wrong in (f"sort=id&after={cursor}", "after=%00", "before=" + "x" * 500, "after=end"):
        page = reader.open(f"/admin/accounts?{wrong}")
        assert page.status_code == 200
        assert len(shown(page)) == 20
        assert "The page that you asked for could not be found" in page.text


def test_behind_the_last_page_is_an_empty_one_with_a_way_back(reader, server):
    page = reader.open("/admin/accounts?sort=id&direction=asc&before=end")
    last = shown(page)[-1]
    assert link(page, "Next page") is None
    account = server.run(server.store.accounts.by_address(last, "sip.example.org"))
    behind = cursor_of(account, AccountOrder(SortKey.ID))
    empty = reader.open(f"/admin/accounts?sort=id&direction=asc&after={behind}")
    assert empty.status_code == 200
    assert shown(empty) == []
    assert "There are no accounts any more on this page." in empty.text
    assert shown(reader.open(link(empty, "Previous page")))[-1] == last
    assert link(empty, "First page") == "/admin/accounts?sort=id&direction=asc"


def test_a_day_of_changes_is_kept_in_its_field_and_in_every_link(reader):
    page = reader.open("/admin/accounts?updated_date=2023-03-05")
    assert sorted(shown(page)) == ["person01", "person02", "person03"]
    assert len(re.findall(r'<input type="checkbox" id="choose-\d+" name="ids"', page.text)) == 3
    assert re.search(r'type="date" id="field-updated_date" name="updated_date" value="2023-03-05"', page.text)
    assert link(page, "All accounts") == "/admin/accounts"
    assert link(page, "Download as CSV") == "/admin/accounts.csv?updated_date=2023-03-05"
    assert "updated_date=2023-03-05" in re.search(r'href="([^"]+)">Address', page.text)[1]


def test_days_in_the_table_are_in_the_language_of_the_visitor(reader):
    for language, day in (("en", "5 Mar 2023"), ("fr", "5 mars 2023")):
        path = "/admin/accounts?updated_date=2023-03-05"
        page = reader.http.get(path, headers={"Accept": "text/html", "Accept-Language": language})
        assert page.text.count(f">{day}</td>") == 3


class TestSearch:
    """The form of the filters, which is sent and leads to the page of what matches."""

    def sent(self, reader, path="/admin/accounts", **values):
        reader.open(path)
        return reader.send("/admin/accounts/search", follow=False, **values)

    def test_it_leads_to_the_page_of_what_was_filled_in_alone(self, reader):
        answer = self.sent(reader, search="person1", activated="true", updated_date="")
        assert (answer.status_code, answer.content) == (303, b"")
        assert answer.headers["Location"] == "/admin/accounts?search=person1&activated=true"
        assert total(reader.open(answer.headers["Location"])) == "8 accounts"
        assert self.sent(reader).headers["Location"] == "/admin/accounts"

    def test_the_order_stays_and_the_place_does_not(self, reader):
        following = link(reader.open("/admin/accounts?sort=username&direction=desc"), "Next page")
        answer = self.sent(reader, following, search="person")
        assert answer.headers["Location"] == "/admin/accounts?search=person&sort=username&direction=desc"

    @pytest.mark.parametrize(
        "text", ["a&admin=true#x", "https://x.test/", "//x.test", "\\x.test", "é %2F+", "x\r\nSet-Cookie: a=b"]
    )
    def test_values_are_encoded_and_nothing_but_a_path_of_the_site_results(self, reader, text):
        answer = self.sent(reader, search=text)
        if "\r" in text:
            assert answer.status_code == 422
            return
        place = urlsplit(answer.headers["Location"])
        assert (place.scheme, place.netloc, place.path, place.fragment) == ("", "", "/admin/accounts", "")
        assert parse_qs(place.query) == {"search": [text]}

    def test_unknown_fields_are_dropped(self, reader):
        answer = self.sent(reader, search="x", next="//x.test", form="1", after="abc", before="end", _token="t")
        assert answer.headers["Location"] == "/admin/accounts?search=x"

    def test_a_wrong_filter_is_told_at_its_field_and_the_others_are_kept(self, reader):
        page = self.sent(reader, updated_date="yesterday", search="person07")
        assert page.status_code == 422
        assert "Updated on must be a date, such as 2026-11-30" in page.text
        assert 'name="search" value="person07"' in page.text
        page = reader.send("/admin/accounts/search", updated_date="2023-03-05", search="person")
        assert (page.url.path, page.url.query) == ("/admin/accounts", b"search=person&updated_date=2023-03-05")


class TestTable:
    """The accounts as CSV."""

    def rows(self, answer):
        return list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines(keepends=True)))

    def test_it_has_what_the_page_shows_in_the_same_order(self, reader):
        page = reader.open("/admin/accounts?search=person1&sort=username&direction=desc")
        answer = reader.open(link(page, "Download as CSV"))
        assert answer.headers["Content-Type"] == "text/csv; charset=UTF-8"
        assert re.fullmatch(r'attachment; filename="accounts-[\d-]+\.csv"', answer.headers["Content-Disposition"])
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.content.startswith(b"\xef\xbb\xbfid,username,domain,")
        assert [row["username"] for row in self.rows(answer)] == shown(page)

    def test_it_has_the_accounts_of_a_day_of_changes(self, reader):
        rows = self.rows(reader.open("/admin/accounts.csv?updated_date=2023-03-05"))
        assert {row["updated_at"][:10] for row in rows} == {"2023-03-05"}
        assert len(rows) == 3

    def test_a_wrong_filter_is_a_page_that_says_so(self, reader):
        page = reader.open("/admin/accounts.csv?created_from=yesterday")
        assert (page.status_code, page.headers["Content-Type"]) == (422, "text/html; charset=UTF-8")

    def test_it_has_more_than_a_page(self, reader):
        assert len(self.rows(reader.open("/admin/accounts.csv"))) == 45

    def test_no_cell_is_a_formula(self, reader, server):
        names = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", '"=1"', " =2", 'a,"b"\u200b']
        people = [server.person(display_name=name, phone=f"+3361234567{n}") for n, name in enumerate(names)]
        rows = {row["id"]: row for row in self.rows(reader.open("/admin/accounts.csv"))}
        shown_names = [rows[str(person.id)]["display_name"] for person in people]
        assert shown_names == [f"'{name}" if n not in (4, 6) else name for n, name in enumerate(names)]
        assert rows[str(people[0].id)]["phone"] == "'+33612345670"
        for person in people:
            server.apply(server.account(person.id).remove())

    def test_it_is_not_for_users(self, server):
        visitor, person = Visitor(server.url), server.person()
        visitor.sign_in(person)
        assert visitor.open("/admin/accounts.csv").status_code == 403
        visitor.close()
        server.apply(server.account(person.id).remove())
