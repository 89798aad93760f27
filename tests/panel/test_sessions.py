"""The list of one's own sessions, and their end on all hosts at once."""

import asyncio
import contextlib
import re
import secrets
from collections import Counter
from urllib.parse import urlencode

import httpx
import pytest

from flexiapi.server.routes import ENDPOINTS
from flexiapi.web.operation import Access
from tests.kit.server import serving, shared_by_module
from tests.kit.visitor import Visitor

pytestmark = pytest.mark.security

TABLES = {
    "server": {"trusted_proxies": ["127.0.0.0/8"]},
    "limits": {"failed_sign_ins_per_account": 5},
    "mongodb": {"database": f"test_{secrets.token_hex(6)}"},
}
server = shared_by_module(TABLES)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"


@pytest.fixture
def browser(server):
    """Browsers that are signed in: (account, user agent, server) -> a visitor."""
    with contextlib.ExitStack() as opened:

        def made(person, agent=FIREFOX, at=server):
            visitor = Visitor(at.url, {"User-Agent": agent})
            opened.callback(visitor.close)
            assert visitor.sign_in(person).url.path == "/dashboard"
            return visitor

        yield made


@pytest.fixture(scope="module")
def hosts(server, tmp_path_factory, mongod_uri):
    """Two servers with one database."""
    with serving(TABLES, tmp_path_factory.mktemp("host"), mongod_uri) as another:
        yield server, another


@pytest.fixture
def person(server):
    return server.person(email="alice@example.com")


def is_signed_in(visitor):
    return visitor.open("/dashboard").url.path == "/dashboard"


def ends_of(page):
    return re.findall(r'href="(/sessions/end\?session=[0-9a-f]{64})"', page.text)


class TestTheList:
    def test_it_shows_each_session_in_words_that_of_the_browser_first(self, person, browser):
        browser(person, CHROME)
        mine = browser(person)
        browser(person, "<script>alert(1)</script>")
        page = mine.open("/sessions")
        names = re.findall(r"<td><strong>(.*?)</strong>(.*?)</td>", page.text)
        assert names[0] == ("Firefox on Linux", ' <span class="state ok">This browser</span>')
        assert sorted(names[1:]) == [("Chrome on Windows", ""), ("Unknown browser", "")]
        assert page.text.count("with the password") == 3
        assert page.text.count("127.0.0.1") >= 3
        assert "alert(1)" not in page.text
        assert len(ends_of(page)) == 2
        assert mine.http.cookies["flexiapi"] not in page.text

    def test_one_is_ended_after_a_confirmation(self, server, person, browser):
        mine, other = browser(person), browser(person, CHROME)
        (end,) = ends_of(mine.open("/sessions"))
        page = mine.open(end)
        assert "Chrome on Windows" in page.text
        assert is_signed_in(other)
        mine.open(end)
        answer = mine.send("/sessions/end")
        assert answer.url.path == "/sessions"
        assert "The session has ended." in answer.text
        assert (is_signed_in(other), is_signed_in(mine)) == (False, True)
        assert "One session of" in server.messages[-1]["text"]

    def test_all_others_are_ended_at_once(self, server, person, browser):
        mine, second, third = browser(person), browser(person), browser(person)
        stranger = browser(server.person())
        mine.open("/sessions/end_others")
        answer = mine.send("/sessions/end_others")
        assert (answer.url.path, "2 sessions have ended." in answer.text) == ("/sessions", True)
        assert [is_signed_in(one) for one in (mine, second, third, stranger)] == [True, False, False, True]
        assert "end_others" not in mine.open("/sessions").text

    def test_its_own_is_ended_like_a_sign_out(self, server, person, browser):
        mine = browser(person)
        (session,) = server.run(server.services.sign_in.sessions.of(server.account(person.id)))
        mine.open(f"/sessions/end?session={session.id_hash.hex()}")
        answer = mine.send("/sessions/end")
        assert (answer.url.path, "flexiapi" in mine.http.cookies) == ("/login", False)

    def test_one_of_another_account_is_unknown(self, server, person, browser):
        mine, theirs = browser(person), browser(server.person())
        (end,) = ends_of(browser(person, CHROME).open("/sessions"))
        assert theirs.open(end).status_code == 404
        theirs.open("/sessions/end_others")
        token = theirs.form("/sessions/end_others").fields["form_token"]
        answer = theirs.http.post(
            "/sessions/end", data={"session": end.partition("=")[2], "form_token": token, "next": "/"}
        )
        assert answer.status_code in (403, 404)
        assert is_signed_in(mine)

    def test_an_old_proof_is_asked_for_again(self, server, person, browser):
        mine, other = browser(person), browser(person, CHROME)
        server.later(minutes=11)
        assert mine.open("/sessions").url.path == "/sessions"
        page = mine.open("/sessions/end_others")
        assert page.url.path == "/confirm"
        assert is_signed_in(other)
        mine.open("/sessions/end_others")
        answer = mine.send("/confirm", password=person.password)
        assert answer.url.path == "/sessions/end_others"
        mine.send("/sessions/end_others")
        assert not is_signed_in(other)


class TestOnTwoHosts:
    """The end of a session at one host, and the next request at the other."""

    def test_a_session_of_one_is_known_to_the_other(self, hosts, browser):
        here, there = hosts
        person = here.person()
        visitor, other = browser(person, at=here), Visitor(there.url)
        other.http.cookies.update(dict(visitor.http.cookies))
        assert is_signed_in(other)
        visitor.open("/logout")
        visitor.send("/logout")
        assert not is_signed_in(other)
        other.close()

    @pytest.mark.parametrize("ending", ["password", "deactivate", "block", "remove", "list"])
    def test_it_ends_at_once(self, hosts, browser, ending):
        here, there = hosts
        person = here.person()
        visitors = [browser(person, at=host) for host in (here, there, there)]
        assert all(is_signed_in(one) for one in visitors)
        accounts, account = here.services.accounts, here.account(person.id)
        if ending == "password":
            here.http.post(
                "/api/accounts/me/password",
                json={"algorithm": "SHA-256", "password": "another-horse", "old_password": person.password},
                headers=person.headers,
            ).raise_for_status()
        elif ending == "remove":
            here.run(accounts.removal.remove(account, here.actor))
        elif ending == "list":
            visitors[0].open("/sessions/end_others")
            visitors[0].send("/sessions/end_others")
        else:
            here.run(getattr(accounts.administration, ending)(person.id, here.actor))
        left = [is_signed_in(one) for one in visitors]
        assert left == [ending == "list", False, False]


def test_a_sign_in_ends_the_session_that_the_browser_had(server, person, browser):
    visitor, other = browser(person), browser(person)
    before = visitor.http.cookies["flexiapi"]
    again = Visitor(server.url)
    again.open("/login")
    again.http.cookies.set("flexiapi", before)
    again.send("/authenticate", username=person.account.username, password=person.password)
    again.close()
    assert (is_signed_in(visitor), is_signed_in(other)) == (False, True)


def test_of_50_wrong_sign_ins_at_once_at_two_hosts_no_more_than_the_limit_are_compared(hosts, monkeypatch):
    person, kind = hosts[0].person(), type(hosts[0].services.sign_in.passwords)
    compared, fits = [], kind.fits
    monkeypatch.setattr(kind, "fits", lambda *given: compared.append(1) or fits(*given))
    forms = []
    for host in hosts:
        visitor = Visitor(host.url)
        visitor.open("/login")
        forms.append((host.url, dict(visitor.http.cookies), visitor.form("/authenticate").fields))
        visitor.close()
    given = {"username": person.account.username, "password": "wrong"}
    headers = {"X-Forwarded-For": "192.0.2.66", "Accept": "text/html"}

    async def at_once():
        async with contextlib.AsyncExitStack() as opened:
            clients = [
                (await opened.enter_async_context(httpx.AsyncClient(base_url=url, cookies=cookies, timeout=60)), fields)
                for url, cookies, fields in forms
            ]
            sent = (
                client.post("/authenticate", data={**fields, **given}, headers=headers)
                for _ in range(25)
                for client, fields in clients
            )
            return await asyncio.gather(*sent)

    answers = asyncio.run(at_once())
    assert Counter(one.status_code for one in answers) == {422: 5, 429: 45}
    assert len(compared) == 5
    assert not any("flexiapi=" in one.headers.get("set-cookie", "") for one in answers)


def pages(method):
    """The operations of pages that need a session, by path, with the examples of its parameters."""
    found = {one.path: one.plans[method].operation for one in ENDPOINTS if method in one.plans}
    return {
        re.sub(r"\{(\w+)\}", lambda name, of=operation: of.path[name[1]].segment.example, path): operation
        for path, operation in found.items()
        if operation.hidden and operation.access in (Access.USER, Access.ADMIN)
    }


PAGES, FORMS = pages("GET"), pages("POST")
NOT_LIMITED = [
    (method, path, operation.access is Access.ADMIN)
    for method, found in (("GET", PAGES), ("POST", FORMS))
    for path, operation in found.items()
    if not operation.limited
]


def test_pages_that_need_a_session_are_found():
    assert {"/dashboard", "/sessions", "/sessions/end", "/logout"} <= PAGES.keys()
    assert {"/sessions/end", "/sessions/end_others", "/confirm"} <= FORMS.keys()
    assert ("GET", "/dashboard", False) in NOT_LIMITED
    assert ("GET", "/logout", False) not in NOT_LIMITED


def test_without_a_session_a_page_leads_to_the_sign_in_and_back(server):
    for path in PAGES:
        expected = (303, "no-store", "/login?" + urlencode({"next": f"{path}?a=1"}))
        for cookie in ({}, {"Cookie": "flexiapi=" + "A" * 43}):
            answer = server.http.get(f"{path}?a=1", headers={"Accept": "text/html", **cookie})
            assert (answer.status_code, answer.headers["cache-control"], answer.headers["location"]) == expected


def test_without_a_session_a_form_leads_to_the_sign_in(server):
    for path in FORMS:
        answer = server.http.post(path, data={"form_token": "x"}, headers={"Accept": "text/html"})
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login"), path


def test_a_limited_session_may_only_confirm_its_account(server):
    new, visitor = server.person(activated=False), Visitor(server.url)
    visitor.open("/login")
    visitor.send("/authenticate", follow=False, username=new.account.username, password=new.password)
    wrong = []
    for method, path, is_for_admins in NOT_LIMITED:
        answer = visitor.http.request(method, path, headers={"Accept": "text/html", "Sec-Fetch-Site": "same-origin"})
        told = (answer.status_code, answer.headers.get("location", "").partition("?")[0])
        if told != ((403, "") if is_for_admins else (303, "/activate")):
            wrong.append((method, path, told))
    assert wrong == []
    server.run(server.services.accounts.administration.activate(new.id, server.actor))
    assert visitor.open("/dashboard").url.path == "/login"
    visitor.close()


def test_a_page_of_a_session_is_never_stored(server, browser):
    visitor = browser(server.person(admin_since=server.clock.second()))
    for path in PAGES:
        answer = visitor.http.get(path, headers={"Accept": "text/html"})
        assert answer.headers["cache-control"] == "no-store", path


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\nSet-Cookie: a=b",
        "\t//evil.example",
        " //evil.example",
        "/dash board",
        "/é",
        "evil.example",
        "@evil.example",
        "",
        "/" + "a" * 1100,
    ],
)
def test_a_sign_in_and_a_proof_lead_to_paths_of_this_site_alone(server, browser, person, path):
    mine = browser(person)
    mine.open("/confirm")
    answer = mine.send("/confirm", follow=False, password=person.password, next=path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    answer = mine.http.get("/login", params={"next": path}, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")
    mine.http.cookies.clear()
    mine.open("/login")
    answer = mine.send(
        "/authenticate", follow=False, username=person.account.username, password=person.password, next=path
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")


def test_the_cookie_of_a_session_is_for_this_host_and_for_no_script(server, person):
    visitor = Visitor(server.url)
    visitor.open("/login")
    answer = visitor.send("/authenticate", follow=False, username=person.account.username, password=person.password)
    (cookie,) = (one for one in answer.headers.get_list("set-cookie") if one.startswith("flexiapi="))
    assert {part.strip() for part in cookie.split(";")[1:]} == {"Path=/", "HttpOnly", "SameSite=Lax"}
    visitor.open("/login")
    visitor.http.cookies.clear()
    visitor.open("/login")
    answer = visitor.send(
        "/authenticate", follow=False, username=person.account.username, password=person.password, stay="true"
    )
    (cookie,) = (one for one in answer.headers.get_list("set-cookie") if one.startswith("flexiapi="))
    assert re.search(r"Max-Age=25(91|92)\d{3}", cookie)
    visitor.close()


def test_over_tls_its_cookie_has_the_prefix_that_binds_it_to_the_host(server, person):
    visitor = Visitor(server.url, {"X-Forwarded-Proto": "https"})
    visitor.open("/login")
    own, form = visitor.page.headers["set-cookie"].partition(";")[0], visitor.form("/authenticate").fields
    # The client sends no secure cookie to a server without TLS.
    answer = visitor.http.post(
        "/authenticate",
        data={**form, "username": person.account.username, "password": person.password},
        headers={"Cookie": own, "Sec-Fetch-Site": "same-origin"},
    )
    visitor.close()
    (cookie,) = (one for one in answer.headers.get_list("set-cookie") if "flexiapi=" in one)
    assert cookie.startswith("__Host-flexiapi=")
    assert {part.strip() for part in cookie.split(";")[1:]} == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
