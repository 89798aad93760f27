"""Requests that no form of ours sends: refused before the sign-in, too large, in other formats, of absurd values."""

import json
import socket

import pytest

from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.panel.routes import PANEL_ENDPOINTS
from flexiapi.web.operation import Access
from tests.kit.server import shared_by_module
from tests.kit.visitor import FORM, Visitor

server = shared_by_module({"panel": {"registration": "open"}})
pytestmark = pytest.mark.security

POSTS = [
    pytest.param(endpoint, id=endpoint.path)
    for endpoint in PANEL_ENDPOINTS
    if issubclass(endpoint, PanelEndpoint)
    and "post" in endpoint.operations
    and endpoint.operations["post"].access is not Access.PUBLIC
]
TOO_LARGE = b"x" * (64 * 1024 + 1)
ODD = (5, None, [None], {"$ne": 1}, [[]], True)


@pytest.fixture(scope="module")
def admin(server):
    return server.person("admin.unsent", admin_since=server.clock.second())


@pytest.fixture(scope="module")
def office(server, admin):
    visitor = Visitor(server.url)
    visitor.sign_in(admin)
    yield visitor
    visitor.close()


@pytest.fixture
def visitor(server):
    made = Visitor(server.url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def places(server, office, admin):
    """The values for paths, with what stands behind them."""
    office.open("/admin/contacts_lists/create")
    office.send("/create", title="Secret list", description="Secret description")
    office.open("/admin/accounts/types/create")
    office.send("/create", key="secrettype")
    return {"id": str(admin.id), "item": "1", "action": "block", "period": "day"}


def path_of(endpoint, places):
    path = endpoint.path
    for name, parameter in endpoint.operations["post"].path.items():
        path = path.replace(f"{{{name}}}", places.get(name, parameter.segment.example))
    return path


class TestRefusedBeforeTheSignIn:
    @pytest.mark.parametrize("endpoint", POSTS)
    def test_nothing_of_the_page_is_shown(self, server, admin, places, endpoint):
        """A prefetch and a large body are refused before anything asks who it is."""
        path = path_of(endpoint, places)
        for answer in (
            server.http.post(path, headers={"Sec-Purpose": "prefetch"}),
            server.http.post(path, content=TOO_LARGE, headers=FORM),
        ):
            assert answer.status_code in (403, 413)
            assert admin.account.username not in answer.text
            assert "ecret" not in answer.text
            assert f'action="{path}"' not in answer.text


class TestOtherFormats:
    @pytest.mark.parametrize("action", ["/admin/accounts/bulk", "/admin/accounts/accounts", "/password", "/confirm"])
    def test_json_is_no_form(self, office, action):
        page = {"/admin/accounts/bulk": "/admin/accounts", "/admin/accounts/accounts": "/admin/accounts/create"}
        office.open(page.get(action, action))
        fields = office.form(action).fields
        for odd in ODD:
            body = {**dict.fromkeys(fields, odd), "form_token": fields["form_token"]}
            answer = office.http.post(action, content=json.dumps(body), headers={"Content-Type": "application/json"})
            assert answer.status_code == 403

    def test_a_body_that_is_no_form_is_refused_where_a_captcha_may_be(self, visitor):
        visitor.open("/recover/email")
        fields = visitor.form("/recover").fields
        given = {**fields, "username": "alice", "email": "alice@example.org"}
        headers = {"Content-Type": "text/plain"}
        answer = visitor.http.post("/recover", params=given, content=b"&" * 300, headers=headers)
        assert answer.status_code == 400


class TestAbsurdValues:
    @pytest.mark.parametrize("path", ["/admin/accounts", "/admin/accounts.csv"])
    def test_the_last_day_of_the_calendar(self, office, path):
        assert office.http.get(path, params={"created_to": "9999-12-31"}).status_code == 422
        assert office.http.get(path, params={"created_to": "9999-12-30"}).status_code == 200

    def test_an_account_that_expires_on_the_last_day_of_the_calendar(self, office):
        office.open("/admin/accounts/create")
        answer = office.send("/admin/accounts/accounts", username="long.lived", expires="9999-12-31")
        assert answer.status_code == 422

    @pytest.mark.parametrize("ids", ["9" * 30, "9" * 5000, "-5", "x"])
    def test_ids_that_no_account_has(self, office, ids):
        office.open("/admin/accounts")
        assert office.send("/admin/accounts/bulk", ids=ids, change="bad").status_code == 422

    def test_a_number_that_no_browser_shows(self, server, office, visitor):
        visitor.open("/authenticate/qrcode")
        token = visitor.send("/authenticate/qrcode").url.path.rpartition("/")[2]
        office.open(f"/auth_tokens/auth/external/{token}")
        assert office.send(f"/auth_tokens/auth/external/{token}", number="9" * 5000).status_code == 403

    @pytest.mark.parametrize("name", ["flexiapi", "flexiapi-form", "flexiapi-done", "flexiapi-qr"])
    @pytest.mark.parametrize("value", [b"\xff" * 32, b"a" * 31 + b"\x7f", b'"' + b"\\012" * 32 + b'"'])
    def test_cookies_that_are_no_text(self, server, name, value):
        for path in (b"/login", b"/dashboard", b"/authenticate/qrcode/abc/state"):
            assert sent(server, path, b"Cookie: " + name.encode() + b"=" + value) < 500


def sent(server, path, header):
    """The status of the answer to a request with a header as these bytes."""
    head = b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n"
    with socket.create_connection(server.sockets[0].getsockname()) as connection:
        connection.sendall(head + header + b"\r\n\r\n")
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return int(answer.split()[1])


class TestPasswordInALink:
    def test_it_is_not_compared(self, server):
        boss = server.person(admin_since=server.clock.second())
        visitor = Visitor(server.url)
        visitor.sign_in(boss)
        try:
            server.later(hours=1.5)
            query = {"current_password": boss.password}
            answer = visitor.http.get("/admin/accounts", params=query)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/confirm")
            assert visitor.http.get("/admin/accounts").status_code == 303
        finally:
            server.clock.offset *= 0
            visitor.close()
