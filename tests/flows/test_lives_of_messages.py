"""The life of a message, after which it is worth nothing: that of its code. A notice has none."""

import pytest

from tests.kit.stranger import Stranger

PHONE = "+33612345678"


@pytest.fixture
def configure(scripted):
    return {
        "sms": {"main": {"backend": "scripted"}},
        "mail": {"main": {"backend": "scripted"}},
        "push": {"main": {"backend": "scripted"}},
        "account": {"pin_minutes": 7, "activation_hours": 3, "creation_token_days": 2},
    }


def test_a_text_lives_as_long_as_its_pin_and_a_mail_as_long_as_its_key(server, http, scripted):
    alice = server.person(email="alice@example.org")
    http.post("/api/accounts/me/phone/request", json={"phone": PHONE}, headers=alice.headers)
    http.post("/api/accounts/me/email/request", json={"email": "new@example.org"}, headers=alice.headers)
    Stranger(server).sign_up(username="bob.martin", email="bob@example.org")
    assert [(sms.kind, sms.time_to_live) for sms in scripted.Sms.sent] == [("phone.change", 7 * 60)]
    assert [(mail.kind, mail.time_to_live) for mail in scripted.Mail.sent] == [
        ("email.change", 7 * 60),
        ("account.confirmation", 3 * 3600),
    ]


def test_a_code_that_is_sent_again_lives_until_the_end_that_an_administrator_set(server, http, admin, scripted):
    ends = server.clock.second().replace(microsecond=0)
    body = {
        "username": "carol.martin",
        "password": "correct-horse-battery",
        "algorithm": "SHA-256",
        "email": "carol@example.org",
        "confirmation_key_expires": f"{ends.replace(year=ends.year + 1):%Y-%m-%d %H:%M:%S}",
    }
    carol = http.post("/api/accounts", json=body, headers=admin.headers).json()["id"]
    server.later(days=(ends.replace(year=ends.year + 1) - ends).days, minutes=-30)
    headers = {"x-api-key": server.key_for(admin.id)}
    assert http.post(f"/api/accounts/{carol}/resend", headers=headers).status_code == 200
    assert 0 < scripted.Mail.sent[-1].time_to_live <= 30 * 60


def test_a_push_lives_as_long_as_its_creation_token(http, scripted):
    push = {"pn_provider": "fcm", "pn_param": "929", "pn_prid": "device:token"}
    assert http.post("/api/account_creation_tokens/send-by-push", json=push).status_code == 200
    assert [message.time_to_live for message in scripted.Push.sent] == [2 * 86400]


def test_a_notice_has_no_end(server, http, scripted):
    alice = server.person(email="alice@example.org")
    http.post("/api/accounts/me/email/request", json={"email": "new@example.org"}, headers=alice.headers)
    code = {"code": scripted.Mail.sent[-1].code}
    assert http.post("/api/accounts/me/email", json=code, headers=alice.headers).status_code == 200
    assert (scripted.Mail.sent[-1].kind, scripted.Mail.sent[-1].time_to_live) == ("notice.email", None)
