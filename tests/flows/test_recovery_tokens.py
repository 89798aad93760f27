"""Recovery by an app: a token that is pushed to its device opens the page, once, in place of the human check."""

import asyncio
import itertools
import json
from datetime import timedelta

import httpx
import pytest

from flexiapi.testing import Gateway, reply
from tests.kit.server import serving
from tests.kit.visitor import Visitor

PATH = "/api/account_recovery_tokens/send-by-push"
CAPTCHA = {"sitekey": "the-site-key", "secret": "the-secret", "script_url": "https://captcha.example.org/api.js"}
PHONE, UNKNOWN = "+33612345678", "+33612345679"
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def gateway():
    """A captcha that no one solves, and a push service."""
    with Gateway() as running:
        yield running


@pytest.fixture(scope="module")
def server(gateway, mongod_uri, tmp_path_factory):
    tables = {
        "nocaptcha": {**CAPTCHA, "verify_url": f"{gateway.url}/verify"},
        "push": {"unified": {"backend": "unified", "hosts": [f"127.0.0.1:{gateway.port}"], "allow_http": True}},
        "delivery": {"tries": 1},
        "spaces": {"b.example.org": {}},
    }
    with serving(tables, tmp_path_factory.mktemp("recovery"), mongod_uri) as running:
        running.person("known.person", phone=PHONE)
        yield running


@pytest.fixture(autouse=True)
def answers(gateway):
    gateway.answer(reply(200, {"success": False}))
    gateway.sends.clear()


@pytest.fixture
def device(gateway):
    """The push parameters of a device of its own."""
    prid = f"{gateway.url}/device{next(NUMBERS)}"
    return {"pn_provider": "unifiedpush", "pn_param": "org.example.phone", "pn_prid": prid}


@pytest.fixture
def token(server, gateway, device):
    gateway.answer(reply(201))
    assert server.http.post(PATH, json=device).text == "{}"
    (pushed,) = gateway.sends
    gateway.answer(reply(200, {"success": False}))
    gateway.sends.clear()
    payload = pushed.json()
    assert payload.keys() == {"token"}
    return payload["token"]


@pytest.fixture
def browser(server):
    visitor = Visitor(server.url)
    yield visitor
    visitor.close()


def page_of(browser, token, phone=PHONE):
    return browser.open(f"/recovery/phone/{token}?phone=%2B{phone[1:]}")


def texts(server):
    server.run(server.services.codes.web_recovery.finished())
    return [one["text"] for one in server.messages if one["kind"] == "account.recovery"]


def test_the_page_sends_the_code_without_the_human_check_and_once(server, browser, gateway, token):
    assert (len(token), token.isalnum()) == (13, True)
    before = len(texts(server))
    for _ in range(3):  # previews of the link use nothing
        page = page_of(browser, token)
    assert (page.status_code, "data-sitekey" in page.text) == (200, False)
    assert f'value="{PHONE}"' in page.text
    assert browser.send("/recover").status_code == 200
    assert len(texts(server)) == before + 1
    assert not gateway.sends  # the captcha's server was not asked
    page = page_of(browser, token)
    assert "data-sitekey" in page.text
    assert browser.send("/recover").status_code == 422
    assert len(texts(server)) == before + 1


def test_a_known_and_an_unknown_number_are_answered_alike(server, browser, gateway, device):
    told = []
    for number, phone in enumerate((PHONE, UNKNOWN)):
        gateway.answer(reply(201))
        server.http.post(PATH, json={**device, "pn_prid": f"{device['pn_prid']}-{number}"})
        token = gateway.sends[-1].json()["token"]
        shown = page_of(browser, token, phone)
        sent = browser.send("/recover")
        pages = [answer.text.replace(phone, "NUMBER").replace(token, "TOKEN") for answer in (shown, sent)]
        told.append([(len(page), page.count("NUMBER")) for page in pages] + [shown.status_code, sent.status_code])
    assert told[0] == told[1]


@pytest.mark.parametrize("wrong", ["unknownTok3n0", "x", "a" * 300, "%00", "{$gt: 1}"])
def test_an_unknown_token_leaves_the_human_check(browser, wrong):
    page = page_of(browser, wrong)
    assert (page.status_code, "data-sitekey" in page.text) == (200, True)
    assert browser.send("/recover").status_code == 422


def test_a_token_of_another_space_or_an_expired_one_is_unknown(server, browser, token):
    other = Visitor(server.url, {"Host": "b.example.org"})
    assert "data-sitekey" in page_of(other, token).text
    other.close()
    server.later(minutes=61)
    assert "data-sitekey" in page_of(browser, token).text
    server.clock.offset = timedelta(0)


def test_one_token_of_fifty_uses_at_once_counts_once(server, browser, token):
    before = len(texts(server))
    page_of(browser, token)
    answers = browser.send_at_once("/recover", 50)
    assert sorted(one.status_code for one in answers) == [200] + [422] * 49
    assert len(texts(server)) == before + 1


def test_a_device_gets_one_at_a_time_and_is_told_when_the_next(server, gateway, device):
    gateway.answer(reply(201))

    async def at_once():
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            return await asyncio.gather(*(client.post(PATH, json=device) for _ in range(50)))

    answers = asyncio.run(at_once())
    assert sorted(one.status_code for one in answers) == [200] + [429] * 49
    refused = next(one for one in answers if one.status_code == 429)
    assert refused.json() == {"message": "Last token requested too recently"}
    assert 0 < int(refused.headers["Retry-After"]) <= 601
    assert len(gateway.sends) == 1
    server.later(seconds=int(refused.headers["Retry-After"]))
    assert server.http.post(PATH, json=device).status_code == 200
    server.clock.offset = timedelta(0)


def test_a_push_that_is_not_accepted_counts_for_nothing(server, gateway, device):
    gateway.answer(reply(500))
    assert server.http.post(PATH, json=device).status_code == 503
    gateway.answer(reply(201))
    assert server.http.post(PATH, json=device).status_code == 200


def test_what_is_no_device_is_refused_by_field(server, gateway, device):
    for field, value in (("pn_provider", "no such"), ("pn_param", "a b"), ("pn_prid", "x" * 1001), ("pn_prid", None)):
        refused = server.http.post(PATH, json={**device, field: value})
        assert (refused.status_code, list(refused.json()["errors"])) == (422, [field])
    assert not gateway.sends


def test_nothing_of_it_stays_in_clear_text(server, token):
    async def stored():
        return [one async for one in server.store._database["recovery_tokens"].find({})]

    assert token not in json.dumps(server.run(stored()), default=str)
