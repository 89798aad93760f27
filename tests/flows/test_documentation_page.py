"""The documentation page in a real browser, and what it says to people who write clients."""

import json
import re
import sys
from html import unescape
from importlib.metadata import entry_points

import pytest

from flexiapi.plugin import PushMessage
from tests.kit.browser import barriers

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 400)])
def test_nobody_is_barred_from_the_documentation_page(server, page, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{server.url}/api")
    assert page.locator("article").count() > 50
    assert barriers(page) == []


def test_axe_finds_what_bars_people(page):
    page.set_content("<html><title>x</title><img src='data:,'><p style='color:#ddd'>pale</p>")
    assert {found.partition(":")[0] for found in barriers(page)} >= {"image-alt", "color-contrast", "html-has-lang"}


def test_endpoints_are_found_by_words(server, page):
    page.goto(f"{server.url}/api")
    page.get_by_label("Filter endpoints").fill("vcard list authenticated")
    assert page.locator("article:visible").evaluate_all("found => found.map(one => one.id)") == ["getVCardList"]


def part_of(http, anchor):
    """Return the page from one headline to the next."""
    return http.get("/api").text.partition(f'<h2 id="{anchor}">')[2].partition("<h2")[0]


def text_of(html):
    return unescape(re.sub("<[^>]+>", "", html)).strip()


class TestWhatItSays:
    @pytest.fixture
    def configure(self):
        account = {"pin_minutes": 7, "activation_hours": 5, "provisioning_token_hours": 72, "creation_token_days": 3}
        return {"account": {**account, "nonce_minutes": 120}, "app": {"api_key_expiration_minutes": 45}}

    def test_lives_are_those_of_the_settings(self, http):
        rows = re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", part_of(http, "lives"), re.DOTALL)
        lives = {text_of(subject): text_of(life) for subject, life in rows}
        for subject, life in {
            "API key": "45 minutes",
            "DIGEST nonce": "2 hours",
            "auth_token": "5 minutes",
            "account_creation_request_token": "24 hours",
            "account_creation_token": "3 days",
            "PIN code": "7 minutes",
            "confirmation_key": "5 hours",
            "provisioning_token": "3 days",
        }.items():
            assert life in lives.pop(subject)
        assert lives == {}

    def test_times_have_the_form_that_it_says(self, http, admin):
        forms = text_of(part_of(http, "formats"))
        account = http.get("/api/accounts/me", headers=admin.headers).json()
        (stated,) = re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+Z", forms)
        assert re.sub(r"\d", "0", stated) == re.sub(r"\d", "0", account["created_at"])
        assert "Y-m-d H:i:s" in forms

    def test_the_push_payload_is_the_one_that_backends_send(self, http):
        told = text_of(part_of(http, "push"))
        data = {"token": "8tuVPTa9XcQ2k"}
        (backend,) = entry_points(group="flexiapi.push", name="fcm")
        payload = sys.modules[backend.load().__module__].payload
        sent = payload(PushMessage("fcm", "1", "x", data))["custom-payload"]
        assert json.dumps({"custom-payload": sent}).removesuffix("}") in told
        assert json.dumps({"aps": {"content-available": 1}, "customPayload": data}) in told
        assert json.dumps(data) in told.split("\n")[-1]
