"""Provisioning links in a browser: a page that uses nothing up, where phones get the document."""

import asyncio
import re
from base64 import b64decode
from io import BytesIO

import httpx
import pytest
from PIL import Image

from tests.kit.browser import barriers
from tests.kit.server import serving

TOKEN = "7Ma0JzRtWg3kP"
HTML = "text/html; charset=UTF-8"
ACCEPT = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
NAVIGATION = {"Accept": "*/*", "Sec-Fetch-Dest": "document"}
PHONE = {"Accept": "*/*", "X-Linphone-Provisioning": "1"}
VARY = "Accept, Sec-Fetch-Dest, X-Linphone-Provisioning"
B = "b.example.org"


@pytest.fixture(scope="module")
def shared(tmp_path_factory, mongod_uri):
    settings = {"spaces": {B: {"name": "Bee"}}, "limits": {"wrong_codes_per_hour": 0}}
    with serving(settings, tmp_path_factory.mktemp("setup"), mongod_uri) as server:
        yield server


@pytest.fixture
def person(shared):
    made = shared.person(activated=False, provisioning_token=TOKEN, provisioning_token_at=shared.clock.second())
    yield made
    shared.apply(shared.account(made.id).remove())


def assert_page(answer, status, *texts):
    assert (answer.status_code, answer.headers["content-type"]) == (status, HTML)
    assert answer.headers["cache-control"] == "no-store"
    assert "script-src 'nonce-" in answer.headers["content-security-policy"]
    assert not re.search(r"<script|style=|onclick", answer.text)
    for text in texts:
        assert text in answer.text


@pytest.mark.parametrize("headers", [ACCEPT, NAVIGATION, {**ACCEPT, "Sec-Purpose": "prefetch"}])
@pytest.mark.parametrize("path", [f"/provisioning/{TOKEN}", f"/setup/{TOKEN}"])
@pytest.mark.parametrize("query", ["", "?reset_password", "?reset_password=1"])
def test_a_browser_gets_a_page_and_uses_nothing_up(shared, person, headers, path, query):
    before = shared.account(person.id)
    for method in ("GET", "GET", "HEAD"):
        answer = shared.http.request(method, path + query, headers=headers)
        assert answer.status_code == 200
    answer = shared.http.get(path + query, headers=headers)
    assert_page(answer, 200, person.sip, f'href="linphone-config:{shared.url}/provisioning/{TOKEN}')
    assert ("new password" in answer.text) is bool(query)
    assert (f"{TOKEN}?reset_password=1" in answer.text) is bool(query)
    assert shared.account(person.id) == before


@pytest.mark.parametrize(
    "headers",
    [
        PHONE,
        {**ACCEPT, **PHONE},
        {**ACCEPT, **NAVIGATION, "X-Linphone-Provisioning": ""},
        {"Accept": "*/*"},
        {"Accept": "application/xml, text/htmlx"},
        {"Accept": "application/xml, text/html;q=0"},
        {"Accept": "*/*", "Sec-Fetch-Dest": "empty"},
    ],
)
def test_a_phone_gets_the_document_once(shared, person, headers):
    first = shared.http.get(f"/provisioning/{TOKEN}", headers=headers)
    assert (first.status_code, first.headers["content-type"]) == (200, "application/xml")
    assert person.account.username in first.text
    assert shared.account(person.id).activated
    assert person.account.username not in shared.http.get(f"/provisioning/{TOKEN}", headers=headers).text


def test_both_answers_say_on_what_they_depend(shared, person):
    page = shared.http.get(f"/provisioning/{TOKEN}", headers=ACCEPT)
    document = shared.http.get(f"/provisioning/{TOKEN}", headers=PHONE)
    assert document.headers["vary"] == VARY
    assert {*page.headers["vary"].split(", ")} == {*VARY.split(", "), "Accept-Language", "Cookie"}
    assert "vary" not in shared.http.get("/api/ping", headers=ACCEPT).headers


def test_the_qr_code_holds_the_provisioning_url(shared, person):
    page = shared.http.get(f"/setup/{TOKEN}?reset_password=1", headers=ACCEPT)
    image = b64decode(re.search(r'src="data:image/png;base64,([^"]+)"', page.text)[1])
    asked = shared.http.get(f"/provisioning/qrcode/{TOKEN}?reset_password=1")
    assert asked.headers["x-qrcode-url"] == f"{shared.url}/provisioning/{TOKEN}?reset_password=1"
    assert image == asked.content
    assert Image.open(BytesIO(image)).size == (320, 320)


def test_50_visits_and_one_phone_use_it_once(shared, person):
    async def at_once():
        async with httpx.AsyncClient(base_url=shared.url, timeout=60) as client:
            headers = [ACCEPT] * 40 + [PHONE] * 10
            return await asyncio.gather(*(client.get(f"/provisioning/{TOKEN}", headers=one) for one in headers))

    answers = asyncio.run(at_once())
    documents = [answer for answer in answers if answer.headers["content-type"] == "application/xml"]
    assert len(documents) == 10
    assert sum(person.account.username in document.text for document in documents) == 1


@pytest.mark.parametrize("path", ["/setup/nothing", "/provisioning/nothing", "/provisioning/auth_token/nothing"])
def test_a_dead_link_is_a_page(shared, path):
    assert_page(shared.http.get(path, headers=ACCEPT), 404, "This link does not work any more")


def test_a_used_token_is_a_dead_link(shared, person):
    shared.apply(shared.account(person.id).use_provisioning_token(shared.clock.second()))
    assert_page(shared.http.get(f"/setup/{TOKEN}", headers=ACCEPT), 404, "This link does not work any more")


def test_a_token_of_another_space_is_a_dead_link_and_pages_have_the_name_of_theirs(shared, person):
    there = {**ACCEPT, "Host": B}
    assert_page(shared.http.get(f"/setup/{TOKEN}", headers=there), 404, "Bee")
    assert_page(shared.http.get(f"/provisioning/{TOKEN}", headers=there), 404, "Bee")
    bee = shared.person(domain=B, provisioning_token="8Ma0JzRtWg3kP")
    page = shared.http.get("/setup/8Ma0JzRtWg3kP", headers=there)
    assert_page(page, 200, "Bee", bee.sip, "/provisioning/8Ma0JzRtWg3kP")


def test_an_auth_token_is_not_used_up_by_a_browser(shared):
    alice = shared.person()
    token = shared.http.post("/api/accounts/auth_token").json()["token"]
    path = f"/provisioning/auth_token/{token}"
    assert_page(shared.http.get(path, headers=ACCEPT), 404)
    assert shared.http.get(f"/api/accounts/auth_token/{token}/attach", headers=alice.headers).is_success
    for _ in range(2):
        assert_page(shared.http.get(path, headers=ACCEPT), 200, alice.sip, f"linphone-config:{shared.url}{path}")
    assert alice.account.username in shared.http.get(path, headers=PHONE).text
    assert_page(shared.http.get(path, headers=ACCEPT), 404)


def test_unknown_paths_are_pages_for_browsers_and_json_for_programs(shared):
    for method in ("GET", "POST"):
        answer = shared.http.request(method, "/no/where", headers=ACCEPT)
        assert (answer.status_code, answer.headers["content-type"]) == (404, HTML)
        assert "This page does not exist" in answer.text
    for path in ("/no/where", "/api/nothing"):
        headers = ACCEPT if path.startswith("/api") else {"Accept": "application/json"}
        answer = shared.http.get(path, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/json")


class TestWrongTokens:
    @pytest.fixture
    def configure(self):
        return {"limits": {"wrong_codes_per_hour": 2}}

    def test_wrong_tokens_are_limited_on_pages_too(self, http):
        paths = ["/setup/nothing", "/provisioning/nothing", "/setup/nothing"]
        assert [http.get(path, headers=ACCEPT).status_code for path in paths] == [404, 404, 429]


class TestButton:
    @pytest.fixture
    def configure(self):
        return {"account": {"app_link_prefix": ""}}

    def test_without_a_scheme_there_is_no_button(self, server, http):
        server.person(provisioning_token=TOKEN)
        page = http.get(f"/setup/{TOKEN}", headers=ACCEPT)
        assert_page(page, 200, "In the app")
        assert "Open in the app" not in page.text


@pytest.mark.browser
class TestInABrowser:
    """The pages as chromium shows them."""

    @pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 320), ("dark", 1280)])
    def test_nobody_is_barred_from_the_pages(self, shared, person, page, scheme, width):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        for path in (f"/setup/{TOKEN}?reset_password=1", "/setup/nothing", "/"):
            page.goto(shared.url + path)
            assert page.locator("h1").count() == 1
            assert barriers(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path

    def test_a_link_opened_in_a_browser_harms_nobody(self, shared, person, page):
        before = shared.account(person.id)
        page.goto(f"{shared.url}/provisioning/{TOKEN}?reset_password=1")
        assert page.get_by_text(person.sip).is_visible()
        button = page.get_by_role("link", name="Open in the app")
        assert button.get_attribute("href") == f"linphone-config:{shared.url}/provisioning/{TOKEN}?reset_password=1"
        image = page.get_by_role("img", name="QR code")
        assert image.evaluate("shown => shown.complete && shown.naturalWidth") == 320
        page.reload()
        assert shared.account(person.id) == before
