"""The human check of the forms that people send without a session."""

import pytest

from flexiapi.testing import Gateway, reply
from tests.kit.visitor import Visitor

CAPTCHA = {"sitekey": "the-site-key", "secret": "the-secret", "script_url": "https://captcha.example.org/api.js"}
PASSWORD = "correct-horse-battery"


@pytest.fixture
def gateway():
    with Gateway() as running:
        yield running


@pytest.fixture
def configure(gateway):
    return {
        "panel": {"registration": "open"},
        "account": {"email_unique": True},
        "nocaptcha": {**CAPTCHA, "verify_url": f"{gateway.url}/verify"},
    }


@pytest.fixture
def browser(server):
    visitor = Visitor(server.url)
    yield visitor
    visitor.close()


SIGN_UP = {"username": "alice.martin", "email": "alice@example.org"}
SIGN_UP |= {"password": PASSWORD, "password_confirmation": PASSWORD}
FORMS = [("/register/email", "/accounts", SIGN_UP), ("/recover/email", "/recover", {"email": "alice@example.org"})]


@pytest.mark.parametrize(("page", "action", "values"), FORMS)
def test_nothing_happens_before_it_is_solved(server, browser, gateway, page, action, values):
    person = server.person("bob.miller", email="alice@example.org") if action == "/recover" else None
    shown = browser.open(page)
    assert 'data-sitekey="the-site-key"' in shown.text
    policy = shown.headers["content-security-policy"]
    assert "'strict-dynamic'" in policy
    assert "frame-src https:" in policy
    gateway.answer(reply(200, {"success": False}))
    answer = browser.send(action, **values, **{"g-recaptcha-response": "wrong"})
    assert (answer.status_code, "Please solve the check first." in answer.text) == (422, True)
    gateway.answer(reply(500))
    assert browser.send(action, **values).status_code == 503
    server.run(server.services.codes.web_recovery.finished())
    assert server.messages == []
    assert server.run(server.store.accounts.by_address("alice.martin", "sip.example.org")) is None
    gateway.answer(reply(200, {"success": True}))
    answer = browser.send(action, **values, **{"g-recaptcha-response": "solved"})
    assert answer.status_code == 200
    assert gateway.requests[-1].form()["response"] == "solved"
    server.run(server.services.codes.web_recovery.finished())
    assert len(server.messages) == 1
    assert person is None or server.account(person.id).confirmation is not None


def test_pages_without_it_allow_no_other_site(browser):
    policy = browser.open("/login").headers["content-security-policy"]
    assert "https:" not in policy
