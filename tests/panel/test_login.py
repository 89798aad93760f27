"""Sign-in to the panel, its sessions, and its forms."""

import re

import pytest

from tests.kit.server import shared_by_module
from tests.kit.visitor import Visitor

server = shared_by_module({})


@pytest.fixture
def visitor(server):
    made = Visitor(server.url)
    yield made
    made.close()


@pytest.fixture
def person(server):
    return server.person()


def problems(answer):
    summary = re.search(r'<div class="summary".*?</div>', answer.text, re.DOTALL)
    return re.findall(r"<li>(?:<a href=\"#([\w-]+)\">)?(.*?)(?:</a>)?</li>", summary[0]) if summary else []


class TestSignIn:
    def test_it_leads_to_the_account(self, visitor, person):
        answer = visitor.sign_in(person)
        assert (answer.status_code, answer.url.path) == (200, "/dashboard")
        assert person.sip in answer.text

    def test_a_page_that_needs_a_session_is_where_it_leads(self, visitor, person):
        assert visitor.open("/dashboard?x=1").url.path == "/login"
        visitor.send("/authenticate", username=person.account.username, password=person.password)
        assert str(visitor.page.url).endswith("/dashboard?x=1")

    @pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil", "x", ""])
    def test_it_never_leads_to_another_site(self, visitor, person, path):
        visitor.open("/login")
        given = {"username": person.account.username, "password": person.password, "next": path}
        answer = visitor.send("/authenticate", follow=False, **given)
        assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")

    def test_a_wrong_one_is_told_at_the_field_and_keeps_the_name(self, visitor, person):
        answer = visitor.sign_in(person, "wrong-donkey-battery")
        assert answer.status_code == 422
        assert problems(answer) == [("field-username", "The user name or the password is wrong.")]
        assert answer.text.count("The user name or the password is wrong.") == 2
        assert f'value="{person.account.username}"' in answer.text
        assert "<title>Error: Sign in" in answer.text
        assert "wrong-donkey-battery" not in answer.text

    def test_an_empty_form_names_the_fields_by_their_labels(self, visitor):
        visitor.open("/login")
        answer = visitor.send("/authenticate", username="", password="")
        assert problems(answer) == [
            ("field-username", "User name is missing"),
            ("field-password", "Password is missing"),
        ]

    def test_a_name_that_is_markup_stays_text(self, visitor):
        visitor.open("/login")
        answer = visitor.send("/authenticate", username='"><script>alert(1)</script>', password="x")
        assert "<script>alert" not in answer.text


class TestSignOut:
    def test_it_ends_the_session(self, server, visitor, person):
        visitor.sign_in(person)
        stolen = dict(visitor.http.cookies)
        answer = visitor.send("/logout")
        assert (answer.url.path, "You are signed out." in answer.text) == ("/login", True)
        assert "You are signed out." not in visitor.open("/login").text
        visitor.http.cookies.update(stolen)
        assert visitor.open("/dashboard").url.path == "/login"

    def test_opening_its_address_changes_nothing(self, visitor, person):
        visitor.sign_in(person)
        assert visitor.open("/logout").status_code == 200
        assert visitor.open("/dashboard").url.path == "/dashboard"


class TestForms:
    def test_without_the_token_of_the_page_nothing_happens(self, visitor, person):
        visitor.open("/login")
        answer = visitor.http.post(
            "/authenticate", data={"username": person.account.username, "password": person.password}
        )
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        assert person.account.username in answer.text

    @pytest.mark.parametrize("path", ["/login", "/recover/email"])
    def test_a_browser_without_cookies_is_told_what_is_missing(self, visitor, path):
        visitor.open(path)
        visitor.http.cookies.clear()
        answer = visitor.send("/authenticate" if path == "/login" else "/recover", username="x", password="x")
        assert answer.status_code == 403
        assert "Allow cookies" in problems(answer)[0][1]

    def test_the_token_of_another_browser_is_refused(self, server, visitor, person):
        other = Visitor(server.url)
        other.open("/login")
        visitor.open("/login")
        token = other.form("/authenticate").fields["form_token"]
        other.close()
        answer = visitor.send("/authenticate", username=person.account.username, form_token=token, password="x")
        assert answer.status_code == 403
        assert problems(answer)[0][1].startswith("This page was open for too long")

    def test_one_sent_again_works(self, visitor, person):
        visitor.open("/login")
        given = {"username": person.account.username, "password": person.password}
        assert visitor.send("/authenticate", form_token="old", **given).status_code == 403
        assert visitor.send("/authenticate", **given).url.path == "/dashboard"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
        ],
    )
    def test_one_of_another_site_is_refused(self, visitor, person, headers):
        visitor.open("/login")
        form = visitor.form("/authenticate").fields
        data = {**form, "username": person.account.username, "password": person.password}
        answer = visitor.http.post("/authenticate", data=data, headers=headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


class TestPage:
    def test_the_first_view_is_two_requests_and_small(self, visitor):
        page = visitor.open("/login")
        loaded = re.findall(r'(?:src|href)="([^"]+\.(?:css|js)[^"]*)"', page.text)
        assert len(loaded) == 1
        script = visitor.http.get(loaded[0])
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert len(page.content) + len(script.content) < 30_000

    def test_a_page_of_a_session_has_its_stylesheet_beside_it(self, visitor, person):
        page = visitor.sign_in(person)
        path = re.search(r'<link rel="stylesheet" href="([^"]+)"', page.text)[1]
        style = visitor.http.get(path)
        assert style.headers["content-type"] == "text/css; charset=UTF-8"
        assert "prefers-color-scheme" in style.text

    def test_its_headers(self, visitor, person):
        for answer in (visitor.open("/login"), visitor.sign_in(person)):
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'self'; ")
            assert "form-action 'self'; frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"

    def test_the_command_for_the_first_administrator_is_shown_until_there_is_one(self, server, visitor):
        assert "accounts create-admin" in visitor.open("/login").text
        server.person(admin_since=server.clock.second())
        assert "accounts create-admin" not in visitor.open("/login").text
