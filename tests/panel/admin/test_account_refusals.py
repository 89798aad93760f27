"""Refusals of the pages about accounts: to users, strangers and other spaces."""

import httpx
import pytest

from flexiapi.panel.admin.account_routes import ACCOUNT_PAGES
from tests.kit.server import serving
from tests.kit.visitor import FORM, Visitor

OTHER = "b.example.org"
VALUES = {"{id}": "1", "{item}": "1", "{action}": "activate", "{uuid}": "x", "{session}": "0" * 64}


@pytest.fixture(scope="module")
def server(tmp_path_factory, mongod_uri):
    tables = {"spaces": {OTHER: {"host": "accounts.b.example.org"}}}
    with serving(tables, tmp_path_factory.mktemp("refusals"), mongod_uri) as running:
        running.person("first", domain=OTHER, type_ids=(1,), dtmf_protocol="sipinfo")
        yield running


def paths():
    for page in ACCOUNT_PAGES:
        path = page.path
        for name, value in VALUES.items():
            path = path.replace(name, value)
        for verb in page.operations:
            yield pytest.param(verb.upper(), path, id=f"{verb} {page.path}")


@pytest.fixture(scope="module")
def user(server):
    visitor = Visitor(server.url)
    visitor.sign_in(server.person())
    yield visitor
    visitor.close()


@pytest.fixture(scope="module")
def manager(server):
    visitor = Visitor(server.url)
    visitor.sign_in(server.person(admin_since=server.clock.second()))
    yield visitor
    visitor.close()


@pytest.fixture(scope="module")
def stranger(server):
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.mark.parametrize(("method", "path"), list(paths()))
def test_users_are_refused_and_strangers_are_sent_to_the_sign_in(user, stranger, method, path):
    assert user.http.request(method, path, headers={"Accept": "text/html"}).status_code == 403
    answer = stranger.request(method, path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/login")


@pytest.mark.parametrize(("method", "path"), [one for one in paths() if one.values[0] == "GET"])
def test_an_account_of_another_space_does_not_exist(manager, method, path):
    answer = manager.http.request(method, path, headers={"Accept": "text/html"})
    assert answer.status_code == (404 if "/1" in path else 200), path


def test_changes_of_an_account_of_another_space_do_not_exist_either(manager, server):
    before = server.account(1)
    manager.open("/admin/accounts/create")
    own = server.person()
    for path in ("activate", "deactivate", "block", "unlock", "provision", "delete", "types/1/delete"):
        manager.open(f"/admin/accounts/{own.id}/{path}")
        forms = manager.page.text
        token = forms.split('name="form_token" value="')[-1].split('"')[0]
        answer = manager.http.post(f"/admin/accounts/1/{path}", data={"form_token": token})
        assert answer.status_code == 404
    assert server.account(1) == before


def test_an_administrator_proves_who_it_is_every_hour(server):
    visitor = Visitor(server.url)
    person = server.person(admin_since=server.clock.second())
    visitor.sign_in(person)
    assert visitor.open("/admin/accounts").url.path == "/admin/accounts"
    server.later(minutes=61)
    assert visitor.open("/admin/accounts?search=x").url.path == "/confirm"
    page = visitor.send("/confirm", password=person.password)
    assert (page.url.path, page.url.query) == ("/admin/accounts", b"search=x")
    visitor.close()


def test_a_search_is_not_lost_by_a_proof_or_a_sign_in_in_between(server):
    visitor, person = Visitor(server.url), server.person(admin_since=server.clock.second())
    visitor.sign_in(person)
    visitor.open("/admin/accounts")
    server.later(minutes=61)
    assert visitor.send("/admin/accounts/search", search="x y", updated_date="?").url.path == "/confirm"
    page = visitor.send("/confirm", password=person.password)
    assert (page.status_code, page.url.path) == (422, "/admin/accounts")
    assert dict(page.url.params) == {"search": "x y", "updated_date": "?", "sort": "updated"}
    del visitor.http.cookies["flexiapi"]
    page = visitor.send("/admin/accounts/search", search="&" * 50, updated_date="")
    assert page.url.path == "/login"
    page = visitor.send("/authenticate", username=person.account.username, password=person.password)
    assert page.url.path == "/admin/accounts"
    assert dict(page.url.params) == {"search": "&" * 50, "sort": "updated"}
    visitor.close()


@pytest.mark.parametrize(
    "fault", [{"form_token": "0" * 64}, {"current_password": "wrong-donkey-battery"}], ids=["token", "password"]
)
def test_a_search_that_fails_before_the_proof_shows_no_accounts(server, fault):
    visitor, person = Visitor(server.url), server.person(admin_since=server.clock.second())
    visitor.sign_in(person)
    visitor.open("/admin/accounts")
    server.later(minutes=61)
    answer = visitor.send("/admin/accounts/search", follow=False, search="x", **fault)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/confirm")
    assert person.account.username not in answer.text
    visitor.close()


@pytest.mark.parametrize(
    "content", [b"search=" + b"x" * 900, b"next=//x.test&other=1", b"a=b&" * 2000, b"search", b"search=%ff%fe"]
)
def test_the_way_back_to_a_search_that_cannot_be_kept_is_that_to_all_accounts(server, content):
    visitor = Visitor(server.url)
    answer = visitor.http.post("/admin/accounts/search", content=content, headers=FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=%2Fadmin%2Faccounts")
    visitor.close()
