"""Parts of messages beside the text, for providers that need more: kind, code, language, and the domain's sender."""

import re

import pytest

B = "b.example.org"


@pytest.fixture(scope="module")
def configure():
    return {
        "app": {"sms_sender": "Alpha"},
        "account": {"creation_token_title": "Confirm your phone"},
        "spaces": {
            B: {
                "sms_sender": "Beta",
                "language": "fr",
                "reply_to": "help@b.example.org",
                "bounce_address": "bounces@b.example.org",
            }
        },
    }


@pytest.mark.parametrize(("domain", "sender", "language"), [(None, "Alpha", "en"), (B, "Beta", "fr")])
def test_an_sms_says_its_kind_its_code_and_the_sender_of_its_domain(server, http, domain, sender, language):
    phone = "+33612345678" if domain is None else "+33612345679"
    fields = {} if domain is None else {"domain": domain}
    person = server.person(**fields)
    headers = {"x-api-key": person.key, **({} if domain is None else {"Host": domain})}
    assert http.post("/api/accounts/me/phone/request", headers=headers, json={"phone": phone}).status_code == 200
    sms = server.messages[-1]
    assert (sms["kind"], sms["sender"], sms["language"]) == ("phone.change", sender, language)
    assert sms["code"] == re.search(r"\b[0-9]{4}\b", sms["text"])[0]


def test_a_mail_says_its_kind_and_its_code(server, http, alice):
    asked = http.post(
        "/api/accounts/me/email/request", headers={"x-api-key": alice.key}, json={"email": "new.alice@example.org"}
    )
    assert asked.status_code == 200
    mail = server.messages[-1]
    assert mail["kind"] == "email.change"
    assert mail["code"] in mail["text"]


@pytest.mark.parametrize(
    ("domain", "reply_to", "bounces"),
    [(None, None, None), (B, "help@b.example.org", "bounces@b.example.org")],
)
def test_answers_to_a_mail_and_its_bounces_go_to_its_domain(server, http, domain, reply_to, bounces):
    person = server.person(**({} if domain is None else {"domain": domain}))
    headers = {"x-api-key": person.key, **({} if domain is None else {"Host": domain})}
    asked = http.post("/api/accounts/me/email/request", headers=headers, json={"email": "x.y@example.org"})
    assert asked.status_code == 200
    assert (server.messages[-1].get("reply_to"), server.messages[-1].get("bounce_address")) == (reply_to, bounces)


def test_a_push_has_a_title_if_the_settings_have_one(server, http):
    push = {"pn_provider": "fcm", "pn_param": "929", "pn_prid": "a-token"}
    assert http.post("/api/account_creation_tokens/send-by-push", json=push).status_code == 200
    message = server.messages[-1]
    assert (message["title"], message["kind"]) == ("Confirm your phone", "creation.token")
