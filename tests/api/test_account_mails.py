"""Mails to an account that administrators have sent: a provisioning link, a link to a new password."""

import re
import secrets
from datetime import timedelta

import pytest

from tests.kit.server import shared_by_module

server = shared_by_module({})
PROVISIONING, RESET = "send_provisioning_email", "send_reset_password_email"
BOTH = pytest.mark.parametrize("mail", [PROVISIONING, RESET])


@pytest.fixture
def boss(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def send(server, boss):
    """Have an account sent a mail."""
    return lambda person, mail: server.http.post(f"/api/accounts/{person.id}/{mail}", headers=boss.headers)


def with_address(server, **fields):
    return server.person(email=f"{secrets.token_hex(4)}@example.org", **fields)


@pytest.mark.parametrize(
    ("mail", "link", "kind"),
    [
        (PROVISIONING, r"/setup/(\w{13})", "account.provisioning"),
        (RESET, r"/reset_password/(\w{32})", "account.password.reset"),
    ],
)
def test_the_mail_has_a_link_that_works_and_the_answer_does_not(server, send, mail, link, kind):
    person = with_address(server)
    answer = send(person, mail)
    assert (answer.status_code, answer.text) == (200, "{}")
    sent = server.messages[-1]
    assert (sent["to"], sent["kind"]) == (person.account.email, kind)
    (token,) = re.findall(link, sent["text"])
    page = {PROVISIONING: "setup", RESET: "reset_password"}[mail]
    assert server.http.get(f"/{page}/{token}", headers={"Accept": "text/html"}).status_code == 200


@BOTH
def test_an_account_without_an_address_is_told_as_the_later_original_does(server, send, mail):
    refused = send(server.person(), mail)
    assert (refused.status_code, refused.json()) == (403, {"message": "No email configured"})


@BOTH
def test_a_link_that_would_not_work_is_not_mailed(server, send, mail):
    for fields in (
        {"blocked_at": server.clock.second()},
        {"activated": False, "deactivated_at": server.clock.second()},
    ):
        before = len(server.messages)
        refused = send(with_address(server, **fields), mail)
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["email"])
        assert len(server.messages) == before


@BOTH
def test_mails_to_an_address_are_limited_with_a_time(server, send, mail):
    rules, person = server.services.accounts.diagnosis._limiter._rules, with_address(server)
    before, rules["mails"] = rules["mails"], (2, timedelta(hours=1))
    answers = [send(person, mail) for _ in range(3)]
    rules["mails"] = before
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_a_refused_mail_leaves_the_token_of_before(server, send, boss):
    person = with_address(server, provisioning_token="kept-as-it-is")
    rules = server.services.accounts.diagnosis._limiter._rules
    before, rules["mails"] = rules["mails"], (1, timedelta(hours=1))
    assert send(person, RESET).status_code == 200
    assert send(person, PROVISIONING).status_code == 429
    rules["mails"] = before
    shown = server.http.get(f"/api/accounts/{person.id}", headers=boss.headers).json()
    assert shown["provisioning_token"] == "kept-as-it-is"


@BOTH
def test_only_administrators_have_mails_sent(server, mail):
    person = with_address(server)
    path = f"/api/accounts/{person.id}/{mail}"
    assert server.http.post(path, headers=person.headers).status_code == 403
    assert server.http.post(path, headers={"x-api-key": "k" * 40}).status_code == 401
