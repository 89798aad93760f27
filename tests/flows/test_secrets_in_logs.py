"""ASVS 16.2.5, D-35: nothing that is secret stands in the log, whatever way it travels."""

import re

import pytest

from tests.kit.waiting import wait_for
from tests.kit.watched_log import LOG

pytestmark = pytest.mark.security

PHONE = "+33612345678"


def pin_of(message):
    return re.search(r"\b([0-9]{4})\b", message["text"])[1]


def test_asvs_16_2_5_codes_tokens_and_keys_are_not_logged(server, http, admin, capfd):
    alice = server.person("alice.martin", phone=PHONE, email="alice@example.org")
    secrets = [alice.key, admin.key, alice.password, alice.account.passwords[0].ha1, PHONE, "new@example.org"]
    token = server.creation_token()
    assert http.post(
        "/api/accounts/recover-by-phone", json={"phone": PHONE, "account_creation_token": token}
    ).is_success
    recover = f"/api/accounts/{PHONE}@sip.example.org/recover"
    assert http.get(f"{recover}/XXXXXXXXXXXXX").status_code == 404
    assert http.get(f"{recover}/{pin_of(server.messages[-1])}").is_success
    mailed = http.post(f"/api/accounts/{alice.id}/recover-by-email", headers=admin.headers).json()
    secrets += [token, "XXXXXXXXXXXXX", mailed["confirmation_key"], mailed["provisioning_token"]]
    assert http.get(f"/provisioning/qrcode/{mailed['provisioning_token']}?reset_password").is_success
    assert http.get(f"/provisioning/{mailed['provisioning_token']}?reset_password").is_success
    headers = {"x-api-key": server.key_for(alice.id)}
    secrets.append(headers["x-api-key"])
    body = {"email": "new@example.org"}
    assert http.post("/api/accounts/me/email/request", json=body, headers=headers).is_success
    code = {"code": pin_of(server.messages[-1])}
    assert http.post("/api/accounts/me/email", json=code, headers=headers).is_success
    assert http.get(f"/api/accounts/{PHONE}/info-by-phone").is_success
    wait_for(lambda: "info-by-phone" in server.log.getvalue())
    log = server.log.getvalue() + "".join(capfd.readouterr())
    assert "/api/accounts/{sip}/recover/{recover_key}" in log
    assert [secret for secret in secrets if secret in log] == []


def test_asvs_16_2_5_a_batch_that_the_database_refuses_is_not_quoted(server, http, admin):
    server.expect_errors("request failed|key uses not written|events not moved")

    async def refuse(documents):
        await server.store._database.command("collMod", "accounts", validator=documents)

    server.run(refuse({"username": {"$exists": False}}))
    body = {"username": "somebody", "password": "correct-horse", "algorithm": "SHA-256"}
    try:
        assert http.post("/api/accounts", json=body, headers=admin.headers).status_code == 500
    finally:
        # Further tests use the database.
        server.run(refuse({}))
    server.declared.forget_one()
    log = LOG.stream.getvalue()
    assert "the codes [121]" in log
    assert "somebody" not in log
    assert "sealed" not in log
