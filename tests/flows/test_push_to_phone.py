"""The main job from end to end: from a push to a provisioned phone."""

import httpx


def test_a_phone_gets_from_a_push_to_its_configuration(server, http):
    push = {"pn_provider": "fcm", "pn_param": "929724111839", "pn_prid": "dA1b:APA91b_x-y"}
    assert http.post("/api/account_creation_tokens/send-by-push", json=push).json() == {}
    (message,) = server.messages
    body = {
        "username": "alice.martin",
        "password": "correct-horse",
        "algorithm": "MD5",
        "account_creation_token": message["data"]["token"],
        "domain": "elsewhere.example.org",
    }
    created = http.post("/api/accounts/with-account-creation-token", json=body)
    assert created.status_code == 200
    assert created.json()["domain"] == "sip.example.org"
    assert created.json()["activated"] is False
    assert http.post("/api/accounts/with-account-creation-token", json=body).status_code == 422

    signed_in = {
        "auth": httpx.DigestAuth("alice.martin", "correct-horse"),
        "headers": {"From": "sip:alice.martin@sip.example.org"},
    }
    token = http.get("/api/accounts/me/provision", **signed_in).json()["provisioning_token"]
    first = http.get(f"/provisioning/{token}")
    assert first.headers["content-type"] == "application/xml"
    assert 'name="ha1"' in first.text
    again = http.get(f"/provisioning/{token}")
    assert again.status_code == 200
    assert "ha1" not in again.text
    assert http.get("/api/accounts/alice.martin@sip.example.org/info").json() == {"activated": True, "realm": None}
