"""The API key of one's own account, in the panel."""

import re

import pytest

from flexiapi.model import SignInMethod
from tests.kit.visitor import forms_of
from tests.panel.user.conftest import mails_to


def new_key(answer):
    return re.search(r'<input id="new-key"[^>]* value="([A-Za-z0-9]{40})" readonly', answer.text)[1]


def signs_in(server, key):
    return server.http.get("/api/accounts/me", headers={"x-api-key": key}).status_code == 200


def test_a_key_is_made_right_after_sign_in_shown_once_and_works(server, me, person):
    page = me.open("/api_key")
    assert "No key yet" not in page.text
    (form,) = [one for one in forms_of(page.text) if "api_key" in one.action]
    assert form.method == "post"
    answer = me.send("/api_key")
    key = new_key(answer)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    assert "shown only this once" in answer.text
    assert "data-copy" in answer.text
    assert signs_in(server, key)
    assert not signs_in(server, person.key)
    assert key not in me.open("/api_key").text
    assert mails_to(server, person.account.email).count("notice.api_key") == 1
    assert key not in str(server.messages)


def test_its_times_and_its_rule_are_shown(server, me, person):
    server.key_for(person.id)
    page = me.open("/api_key").text
    assert "Works" in page
    assert "1 hour" in page
    assert "90 days" in page
    assert "Not yet" in page
    server.later(minutes=61)
    page = me.open("/api_key").text
    assert "Over" in page
    assert "Over, unless it is used" not in page


def test_an_account_without_a_key_is_told_so(server, me, person):
    server.apply(server.account(person.id).without_api_key())
    assert "No key yet" in me.open("/api_key").text


def test_it_is_ended_after_a_question(server, me, person):
    key = server.key_for(person.id)
    me.open("/api_key/delete")
    assert signs_in(server, key)
    answer = me.send("/api_key/delete")
    assert (answer.url.path, "Your API key is ended." in answer.text) == ("/api_key", True)
    assert not signs_in(server, key)


@pytest.mark.parametrize("path", ["/api_key", "/api_key/delete"])
def test_after_a_while_the_password_is_asked_first(server, stale, person, path):
    before = server.account(person.id).api_key
    stale.open(path)
    answer = stale.send(path)
    assert answer.status_code == 403
    assert server.account(person.id).api_key == before
    wrong = stale.send(path, current_password="wrong-donkey-battery")
    assert wrong.status_code == 422
    assert server.account(person.id).api_key == before
    stale.send(path, current_password=person.password)
    assert server.account(person.id).api_key != before


def test_an_account_without_a_password_is_sent_to_prove_itself_by_a_code(server, visitor, person):
    server.set(person.id, passwords=())
    begun = server.services.sign_in.sessions.begin(server.account(person.id), server.actor, SignInMethod.CODE)
    visitor.http.cookies.set("flexiapi", server.run(begun).token)
    visitor.open("/api_key")
    server.later(minutes=11)
    answer = visitor.send("/api_key")
    assert (answer.url.path, "Your account has no password." in answer.text) == ("/confirm", True)
    assert server.account(person.id).api_key.hash == person.account.api_key.hash


def test_nothing_happens_without_a_session_or_the_token_of_the_page(server, visitor, me, person):
    before = server.account(person.id).api_key
    assert server.http.post("/api_key", data={}, follow_redirects=False).headers["location"].startswith("/login")
    me.open("/api_key")
    assert me.send("/api_key", form_token="0" * 64).status_code == 403
    assert me.send("/api_key", unknown="field", is_admin="1").status_code in (200, 403)
    assert server.account(person.id).is_admin is False
    assert before is not None
