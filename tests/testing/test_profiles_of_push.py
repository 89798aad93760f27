"""Profiles of Firebase Cloud Messaging, and of UnifiedPush and Web Push servers."""

import httpx
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from flexiapi.testing.profiles import Fcm, Ntfy, WebPushReceiver, verified_claims
from flexiapi.testing.profiles.web_push import read_unpadded

TOKEN = "dA1b:APA91b"


@pytest.fixture
def fcm():
    with Fcm() as gateway:
        yield gateway


@pytest.fixture
def ntfy():
    with Ntfy() as gateway:
        yield gateway


def send(fcm, token, bearer="ya29.0", project="example"):
    message = {"token": token, "data": {"custom-payload": "{}"}}
    url = f"{fcm.url}/v1/projects/{project}/messages:send"
    return httpx.post(url, json={"message": message}, headers={"authorization": f"Bearer {bearer}"})


def error_of(answer):
    error = answer.json()["error"]
    return answer.status_code, error["status"], [detail.get("errorCode") for detail in error["details"]]


def test_fcm_takes_messages_of_its_projects_with_its_tokens(fcm, tmp_path):
    assert error_of(send(fcm, TOKEN)) == (404, "NOT_FOUND", [])
    fcm.service_account(tmp_path)
    assert error_of(send(fcm, TOKEN)) == (401, "UNAUTHENTICATED", [])
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"}
    assert httpx.post(f"{fcm.url}/token", data=grant).json()["error"] == "invalid_grant"
    fcm.issued.append("ya29.0")
    assert send(fcm, TOKEN).json() == {"name": "projects/example/messages/0:1"}
    assert send(fcm, TOKEN).is_success
    assert fcm.delivered == {TOKEN: 2}


def test_fcm_refuses_as_google_does(fcm, tmp_path):
    fcm.service_account(tmp_path)
    fcm.issued.append("ya29.0")
    fcm.dead, fcm.flooded, fcm.quota = {"dead:1"}, {"flooded:1"}, 1
    assert error_of(send(fcm, "no-token")) == (400, "INVALID_ARGUMENT", ["INVALID_ARGUMENT"])
    assert error_of(send(fcm, "dead:1")) == (404, "NOT_FOUND", ["UNREGISTERED"])
    flooded = send(fcm, "flooded:1")
    assert error_of(flooded) == (429, "RESOURCE_EXHAUSTED", ["QUOTA_EXCEEDED", None])
    assert flooded.json()["error"]["details"][1]["violations"][0]["subject"] == "device:flooded:1"
    assert send(fcm, TOKEN).is_success
    over = send(fcm, TOKEN)
    assert error_of(over) == (429, "RESOURCE_EXHAUSTED", [None])
    assert over.json()["error"]["details"][0]["reason"] == "RATE_LIMIT_EXCEEDED"
    assert fcm.delivered == {TOKEN: 1}


def post(gateway, path, body=b"hello", **headers):
    return httpx.post(gateway.url + path, content=body, headers=headers)


def test_ntfy_answers_for_topics_as_ntfy_does(ntfy):
    ntfy.dead, ntfy.limit = {"upDead"}, 1
    assert post(ntfy, "/upDead?up=1").json()["code"] == 50701
    assert post(ntfy, "/upAlive?up=1").json()["topic"] == "upAlive"
    limited = post(ntfy, "/upAlive?up=1")
    assert (limited.status_code, limited.json()["code"], limited.headers["retry-after"]) == (429, 42901, "60")
    assert post(ntfy, "/upOther?up=1", b"x" * 5000).status_code == 413
    assert post(ntfy, "/a/b/c").json() == {"code": 40401, "http": 404, "error": "page not found"}
    assert ntfy.delivered == {"upAlive": 1}
    assert ntfy.bodies == {"upAlive": b"hello"}


def test_endpoints_of_other_servers(ntfy):
    ntfy.dead = {"dead"}
    assert [post(ntfy, f"/push/{name}").status_code for name in ("dead", "alive")] == [404, 202]
    assert post(ntfy, "/wpush/v2/dead").json()["errno"] == 103
    assert post(ntfy, "/wpush/v2/alive").json()["errno"] == 111
    assert post(ntfy, "/wpush/v2/alive", ttl="60").json()["errno"] == 110
    created = post(ntfy, "/wpush/v2/alive", ttl="60", **{"content-encoding": "aes128gcm"})
    assert (created.status_code, created.headers["location"]) == (201, f"{ntfy.url}/m/alive")
    ntfy.application_server_key = "B" * 87
    refused = post(ntfy, "/wpush/v2/alive", ttl="60", **{"content-encoding": "aes128gcm", "authorization": "vapid"})
    assert refused.json()["errno"] == 109


def example(name):
    """Return an octet string of RFC 8291, appendix A, and section 5."""
    return read_unpadded(
        {
            "private": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
            "secret": "BTBZMqHH6r4Tts7J_aSIgg",
            "body": "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
            "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
            "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
        }[name]
    )


def test_a_receiver_reads_the_example_of_rfc_8291():
    key = ec.derive_private_key(int.from_bytes(example("private")), ec.SECP256R1())
    receiver = WebPushReceiver(key, example("secret"))
    assert receiver.param.split(":")[0].startswith("BCVxsr7N_eNgVRqvHtD0zTZsEc6")
    assert receiver.read(example("body")) == b"When I grow up, I want to be a watermelon"
    with pytest.raises(InvalidTag):
        WebPushReceiver(key, b"x" * 16).read(example("body"))


def test_the_example_of_rfc_8292_is_signed_by_its_key_and_changed_claims_are_not():
    token = (
        "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3Njgs"
        "InN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrEr"
        "tmysazNjjvW2L9OkSSHzvoD1oA"
    )
    key = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
    assert verified_claims(f"vapid t={token}, k={key}") == (
        key,
        {"aud": "https://push.example.net", "exp": 1453523768, "sub": "mailto:push@example.com"},
    )
    header, _, signature = token.split(".")
    with pytest.raises(ValueError, match="the signature is not that of the key"):
        verified_claims(f"vapid t={header}.e30.{signature}, k={key}")
    with pytest.raises(ValueError, match="not an Authorization of VAPID"):
        verified_claims("Bearer x")
