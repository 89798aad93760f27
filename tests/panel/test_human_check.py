"""The page on which a person validates a creation request token."""

import re
from urllib.parse import urljoin, urlsplit

import pytest

from flexiapi.testing import Gateway, reply

CAPTCHA = {"sitekey": "the-site", "secret": "the-secret"}


@pytest.fixture
def gateway():
    with Gateway() as running:
        yield running


@pytest.fixture
def configure(request, gateway):
    asked = getattr(request, "param", None)
    return {"nocaptcha": {**CAPTCHA, "verify_url": f"{gateway.url}/verify"}} if asked == "captcha" else {}


def requested(http):
    """A request token, and the form of its page."""
    made = http.post("/api/account_creation_request_tokens").json()
    page = http.get(made["validation_url"])
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=UTF-8"
    return made["token"], dict(re.findall(r'name="(account_creation_request_token|csrf)" value="([^"]+)"', page.text))


def exchanged(http, token):
    path = "/api/account_creation_tokens/using-account-creation-request-token"
    return http.post(path, json={"account_creation_request_token": token}).status_code


def test_only_the_form_validates(http):
    token, form = requested(http)
    assert exchanged(http, token) == 404
    assert http.post("/creation_token/validate", data=form).status_code == 200
    assert exchanged(http, token) == 201
    assert exchanged(http, token) == 404
    assert http.get(f"/creation_token/check/{token}").status_code == 404


def test_forms_of_others_are_refused(http):
    token, form = requested(http)
    for wrong in ({**form, "csrf": "x"}, {**form, "csrf": ""}, {**form, "account_creation_request_token": "x" * 13}):
        assert http.post("/creation_token/validate", data=wrong).status_code == 403
    other_site = {"Sec-Fetch-Site": "cross-site"}
    assert http.post("/creation_token/validate", data=form, headers=other_site).status_code == 403
    assert exchanged(http, token) == 404


def target(page, below=""):
    """The path that a browser posts the form of the page to, when the server is below a path of a front server."""
    action = re.search(r'<form method="post" action="([^"]*)"', page.text)[1]
    return urlsplit(urljoin(f"https://front.example.org{below}{page.url.path}", action)).path


@pytest.mark.parametrize("below", ["", "/accounts"])
def test_the_form_leads_to_the_validation_at_every_try(http, below):
    token, form = requested(http)
    first = http.get(f"/creation_token/check/{token}")
    assert target(first, below) == f"{below}/creation_token/validate"
    second = http.post(target(first), data={**form, "csrf": "x"})
    assert second.status_code == 403
    assert target(second, below) == f"{below}/creation_token/validate"
    assert http.post(target(second), data=form).status_code == 200
    assert exchanged(http, token) == 201


@pytest.mark.parametrize("configure", ["captcha"], indirect=True)
def test_a_captcha_is_asked_for_its_verdict(http, gateway):
    token, form = requested(http)
    form["g-recaptcha-response"] = "solved & söve"
    gateway.answer(reply(200, {"success": False}))
    assert http.post("/creation_token/validate", data=form).status_code == 422
    assert exchanged(http, token) == 404
    gateway.answer(reply(200, {"success": True}))
    assert http.post("/creation_token/validate", data=form).status_code == 200
    assert gateway.requests[-1].form() == {"secret": "the-secret", "response": "solved & söve", "remoteip": "127.0.0.1"}
    assert exchanged(http, token) == 201


@pytest.mark.parametrize("configure", ["captcha"], indirect=True)
def test_a_captcha_that_is_away_is_told_on_the_page(http, gateway):
    token, form = requested(http)
    gateway.answer(reply(500))
    answer = http.post("/creation_token/validate", data=form)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "text/html; charset=UTF-8"
    assert "The check is not available now." in answer.text
    assert exchanged(http, token) == 404


def test_a_form_of_another_kind_is_no_failure_of_the_server(http):
    _, form = requested(http)
    answer = http.post("/creation_token/validate", json={**form, "more": "a=b&" * 200})
    assert answer.status_code == 200
