"""Sign-in by a QR code on pages, in both directions."""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.kit.server import serving, shared_by_module
from tests.kit.visitor import Visitor

pytestmark = pytest.mark.security

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
server = shared_by_module({})


@pytest.fixture
def open_browser(server):
    opened = []

    def made(**headers):
        opened.append(Visitor(server.url, headers=headers))
        return opened[-1]

    yield made
    for visitor in opened:
        visitor.close()


@pytest.fixture
def alice(server):
    return server.person()


@pytest.fixture
def asking(open_browser):
    """A browser that shows a QR code."""
    visitor = open_browser(**{"User-Agent": AGENT})
    visitor.open("/authenticate/qrcode")
    visitor.send("/authenticate/qrcode")
    return visitor


@pytest.fixture
def phone(open_browser, alice):
    visitor = open_browser()
    visitor.sign_in(alice)
    return visitor


def token_of(visitor):
    return visitor.page.url.path.rpartition("/")[2]


def number_of(visitor):
    (number,) = re.findall(r'class="big">(\d\d)<', visitor.page.text)
    return number


def external(visitor):
    return f"/auth_tokens/auth/external/{token_of(visitor)}"


def sessions(server, person):
    return server.run(server.services.sign_in.sessions.of(server.account(person.id)))


class TestOfABrowser:
    def test_opening_the_page_makes_no_code(self, server, open_browser):
        page = open_browser().open("/authenticate/qrcode")
        assert page.status_code == 200
        assert "data:image/png" not in page.text

    def test_another_device_lets_it_in_by_the_number(self, server, asking, phone, alice):
        path = asking.page.url.path
        assert "data:image/png;base64," in asking.page.text
        assert asking.http.get(f"{path}/state").json() == {"attached": False}
        page = phone.open(external(asking))
        for text in ("Firefox", "Linux", "127.0.0.1", number_of(asking)):
            assert text in page.text
        assert asking.http.get(f"{path}/state").json() == {"attached": False}
        assert phone.send(external(asking), number=number_of(asking)).url.path == "/dashboard"
        assert asking.http.get(f"{path}/state").json() == {"attached": True}
        # A stranger who photographed the code could let the browser in to his account: the page names it.
        assert alice.sip in asking.open(path).text
        assert asking.send(path).url.path == "/dashboard"
        assert alice.sip in asking.page.text
        assert sorted(one.method for one in sessions(server, alice)) == ["password", "qr"]
        assert asking.open(path).status_code == 404

    def test_it_goes_on_without_a_script(self, asking, phone):
        path = asking.page.url.path
        assert '<noscript><meta http-equiv="refresh"' in asking.page.text
        page = asking.send(path)
        assert (page.status_code, "has not let this browser in yet" in page.text) == (403, True)
        phone.open(external(asking))
        phone.send(external(asking), number=number_of(asking))
        assert asking.send(path).url.path == "/dashboard"

    def test_a_photograph_of_the_code_gives_nothing(self, server, asking, phone, open_browser):
        path, thief = asking.page.url.path, open_browser()
        thief.open("/authenticate/qrcode")
        thief.send("/authenticate/qrcode")
        own = thief.form("/authenticate/qrcode/" + token_of(thief)).fields
        phone.open(external(asking))
        phone.send(external(asking), number=number_of(asking))
        assert thief.http.get(path, headers={"Accept": "text/html"}).status_code == 404
        assert thief.http.get(f"{path}/state").status_code == 404
        assert thief.http.post(path, data=own).status_code == 404
        assert thief.http.cookies.get("flexiapi") is None
        assert thief.open(f"/auth_tokens/auth/{token_of(asking)}").status_code == 404
        assert asking.send(path).url.path == "/dashboard"

    def test_a_wrong_number_and_a_refusal_let_nothing_in(self, asking, phone, open_browser):
        number = number_of(asking)
        phone.open(external(asking))
        choices = set(re.findall(r'value="(\d\d)"', phone.page.text))
        assert len(choices) == 3
        wrong = min(choices - {number})
        assert phone.send(external(asking), number=wrong).status_code == 403
        assert phone.open(external(asking)).status_code == 404
        again = open_browser()
        again.open("/authenticate/qrcode")
        again.send("/authenticate/qrcode")
        phone.open(external(again))
        assert phone.send("/refuse").url.path == "/dashboard"
        assert phone.open(external(again)).status_code == 404

    def test_the_app_lets_it_in_too(self, server, asking, alice):
        url = f"/api/accounts/auth_token/{token_of(asking)}/attach"
        assert server.http.get(url, headers=alice.headers).status_code == 200
        assert asking.send(asking.page.url.path).url.path == "/dashboard"

    def test_fifty_parallel_forms_sign_in_once(self, server, asking, phone, alice):
        path = asking.page.url.path
        phone.open(external(asking))
        phone.send(external(asking), number=number_of(asking))
        fields, before = asking.form(path).fields, len(sessions(server, alice))
        with ThreadPoolExecutor(25) as pool:
            statuses = list(pool.map(lambda _: asking.http.post(path, data=fields).status_code, range(50)))
        assert statuses.count(303) == 1
        assert len(sessions(server, alice)) == before + 1

    def test_forms_of_others_let_nothing_in(self, server, asking, phone):
        target, number = external(asking), number_of(asking)
        phone.open(target)
        fields = {**phone.form(target).fields, "number": number}
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.org"}):
            assert phone.http.post(target, data=fields, headers=headers).status_code == 403
        for token in ("", "0" * 64):
            assert phone.http.post(target, data={**fields, "form_token": token}).status_code == 403
        assert asking.http.get(f"{asking.page.url.path}/state").json() == {"attached": False}

    def test_a_signed_out_person_signs_in_first(self, asking, open_browser):
        page = open_browser().open(external(asking))
        assert (page.url.path, "external" in str(page.url)) == ("/login", True)

    def test_codes_are_counted_for_the_network(self, tmp_path, mongod_uri):
        with serving({"limits": {"anonymous_tokens_per_minute": 1}}, tmp_path, mongod_uri) as server:
            visitor = Visitor(server.url)
            visitor.open("/authenticate/qrcode")
            assert visitor.send("/authenticate/qrcode", follow=False).status_code == 303
            visitor.open("/authenticate/qrcode")
            assert visitor.send("/authenticate/qrcode").status_code == 429
            visitor.close()


class TestOfAnotherDevice:
    @pytest.fixture
    def path(self, phone):
        """The path in the QR code that a signed-in browser shows."""
        phone.open("/auth_tokens")
        page = phone.send("/auth_tokens")
        assert "data:image/png;base64," in page.text
        (path,) = re.findall(r"http://[^/]+(/auth_tokens/auth/\w+)", page.text)
        return path

    def test_it_signs_in_by_its_button_once(self, server, alice, path, open_browser):
        device, late = open_browser(), open_browser()
        for visitor in (device, late):
            assert alice.sip in visitor.open(path).text
        assert len(sessions(server, alice)) == 1
        assert device.send(path).url.path == "/dashboard"
        assert late.send(path).status_code == 404
        assert sorted(one.method for one in sessions(server, alice)) == ["password", "qr"]

    def test_fifty_parallel_devices_sign_in_once(self, server, alice, path, open_browser):
        device = open_browser()
        device.open(path)
        fields = device.form(path).fields
        with ThreadPoolExecutor(25) as pool:
            statuses = list(pool.map(lambda _: device.http.post(path, data=fields).status_code, range(50)))
        assert statuses.count(303) == 1
        assert len(sessions(server, alice)) == 2

    def test_a_session_by_code_must_prove_itself_before_it_makes_another(self, alice, path, open_browser):
        device = open_browser()
        device.open(path)
        device.send(path)
        device.open("/auth_tokens")
        page = device.send("/auth_tokens")
        assert "data:image/png" not in page.text
        page = device.send("/auth_tokens", current_password=alice.password)
        assert "data:image/png" in page.text

    def test_forms_of_others_sign_nothing_in(self, server, alice, path, open_browser):
        device = open_browser()
        device.open(path)
        fields = device.form(path).fields
        assert device.http.post(path, data={**fields, "form_token": "0" * 64}).status_code == 403
        assert device.http.post(path, data=fields, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert httpx.post(f"{server.url}{path}", data=fields).status_code == 403
        assert len(sessions(server, alice)) == 1
