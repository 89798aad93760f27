"""Web Push: messages that only the app can read (RFC 8291), from a server that says who it is (RFC 8292)."""

import json
import re
import subprocess
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from flexiapi.plugin import Permanent, PushMessage, Unregistered
from flexiapi.testing import failure_of, run_backend
from flexiapi.testing.profiles import Ntfy, WebPushReceiver, verified_claims
from flexiapi_push_unified import UnifiedPush, vapid
from flexiapi_push_unified.encryption import LONGEST, encrypted, keys_of

SECRET = bytes(range(16))
SUBJECT = "mailto:admin@example.org"


@pytest.fixture
def server():
    with Ntfy() as gateway:
        yield gateway


@pytest.fixture
def app():
    return WebPushReceiver(ec.generate_private_key(ec.SECP256R1()), SECRET)


@pytest.fixture
def key_file(tmp_path):
    return written(tmp_path / "vapid.pem", ec.generate_private_key(ec.SECP256R1()))


def written(path, key):
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def backend_for(gateway, **settings):
    options = {"hosts": [f"127.0.0.1:{gateway.port}"], "allow_http": True, "answer_seconds": 30, **settings}
    return UnifiedPush(UnifiedPush.Config.model_validate(options))


def message(gateway, param, path="/upf3aSx0?up=1"):
    return PushMessage("unifiedpush", param, gateway.url + path, {"token": "471100"}, time_to_live=60)


def send(gateway, param, path="/upf3aSx0?up=1", **settings):
    asked = message(gateway, param, path)
    return run_backend(backend_for(gateway, **settings), lambda backend: backend.send(asked))


def test_a_message_is_read_by_the_app_with_the_keys_and_by_no_other(server, app):
    send(server, app.param)
    (request,) = server.sends
    assert request.headers["content-encoding"] == "aes128gcm"
    assert "authorization" not in request.headers
    assert b"471100" not in request.body
    assert json.loads(app.read(request.body)) == {"token": "471100"}
    send(server, app.param)
    assert server.sends[0].body[:86] != server.sends[1].body[:86], "a salt and a key for each message"


def octets(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_example_of_rfc_8291():
    sender = ec.derive_private_key(
        int.from_bytes(octets("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")), ec.SECP256R1()
    )
    public = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    keys = keys_of(f"{public}:BTBZMqHH6r4Tts7J_aSIgg")
    sealed = encrypted(b"When I grow up, I want to be a watermelon", keys, sender, octets("DGv6ra1nlYgDCS1FRnbzlw"))
    assert urlsafe_b64encode(sealed).decode() == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_the_longest_message_is_one_record_and_a_longer_one_is_refused(app):
    keys = keys_of(app.param)
    longest = encrypted(b"x" * LONGEST, keys)
    assert len(longest) == 4096
    assert app.read(longest) == b"x" * LONGEST
    with pytest.raises(Permanent, match="is longer than the 3993 bytes"):
        encrypted(b"x" * (LONGEST + 1), keys)


@pytest.mark.parametrize(
    "param",
    [
        "org.example.phone",
        "929724111839",
        "org.example:phone",
        "f" * 64 + ":" + "0" * 64,
        "B4C0FFEE-1111-4222-8333-444455556666:org.example.phone",
        "org.example.phone.with.a.name.that.is.very.long." + "x" * 200,
    ],
)
def test_an_apps_own_word_is_no_keys_and_its_message_is_sent_as_before(server, param):
    send(server, param)
    (request,) = server.sends
    assert request.json() == {"token": "471100"}
    assert "content-encoding" not in request.headers


def test_keys_are_found_behind_an_apps_own_word_and_in_usual_base64(server, app):
    public, secret = app.param.split(":")
    usual = f"{public.replace('-', '+').replace('_', '/')}=:{secret}=="
    for param in (f"org.example.phone:{app.param}", usual):
        send(server, param)
    assert [json.loads(app.read(request.body)) for request in server.sends] == [{"token": "471100"}] * 2


POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"


@pytest.mark.parametrize(
    "param",
    [
        POINT,
        f"{POINT}:",
        f"{POINT}:BTBZMqHH6r4Tts7J_aSI",
        f"{POINT[:-1]}:BTBZMqHH6r4Tts7J_aSIgg",
        f"{POINT[:-3]}xyz:BTBZMqHH6r4Tts7J_aSIgg",
        f"{POINT}:BTBZMqHH6r4Tts7J_aSIgg:x",
        f"C{POINT[1:]}:BTBZMqHH6r4Tts7J_aSIgg",
        f"BTBZMqHH6r4Tts7J_aSIgg:{POINT}",
    ],
)
def test_malformed_keys_are_refused_and_nothing_is_sent_in_clear(server, param):
    error = failure_of(lambda: send(server, param), POINT)
    assert type(error) is Permanent
    assert "the keys in pn_param are malformed: write p256dh:auth" in error.reason
    assert not server.requests
    with pytest.raises(Permanent):
        backend_for(server).device_identity(message(server, param))


def test_a_device_is_its_endpoint_whatever_keys_it_comes_with(server, app):
    backend = backend_for(server)
    identities = {backend.device_identity(message(server, param)) for param in ("org.example.phone", app.param)}
    assert identities == {f"{server.url}/upf3aSx0?up=1"}


def test_a_push_server_verifies_who_sends(server, app, key_file):
    settings = {"vapid_key_file": str(key_file), "vapid_subject": SUBJECT}
    server.application_server_key = vapid.Vapid(key_file, SUBJECT).public_key
    path = "/wpush/v2/" + "g" * 900
    send(server, app.param, path, **settings)
    assert server.delivered == {"g" * 900: 1}
    key, claims = verified_claims(server.sends[0].headers["authorization"])
    assert key == server.application_server_key
    assert (claims["aud"], claims["sub"]) == (server.url, SUBJECT)
    assert 3600 < claims["exp"] - time.time() <= 24 * 3600
    assert server.sends[0].headers["ttl"] == "60"
    refused = failure_of(lambda: send(server, app.param, path))
    assert "look at access_tokens and vapid_key_file" in refused.reason
    server.dead = {"gone"}
    assert isinstance(failure_of(lambda: send(server, app.param, "/wpush/v2/gone", **settings)), Unregistered)


def test_an_access_token_and_a_message_without_keys_go_without_vapid(server, app, key_file):
    host = f"127.0.0.1:{server.port}"
    settings = {"vapid_key_file": str(key_file), "vapid_subject": SUBJECT}
    send(server, "org.example.phone", **settings)
    send(server, app.param, access_tokens={host: "tk_s3cret"}, **settings)
    assert [request.headers.get("authorization") for request in server.sends] == [None, "Bearer tk_s3cret"]


def test_a_token_is_signed_once_for_each_origin_until_it_nears_its_end(key_file, monkeypatch):
    signer, now = vapid.Vapid(key_file, SUBJECT), time.time()

    def header(origin, hours):
        monkeypatch.setattr(vapid.time, "time", lambda: now + hours * 3600)
        return signer.header(origin)

    first = header("https://one.example.org", 0)
    assert header("https://one.example.org", 10) == first
    assert header("https://two.example.org", 10) != first
    for hours in (11.5, -20):
        later = header("https://one.example.org", hours)
        assert later != first
        lives = verified_claims(later)[1]["exp"] - (now + hours * 3600)
        assert 3600 < lives <= 24 * 3600


@pytest.mark.parametrize("curve", [ec.SECP384R1(), None])
def test_a_file_that_has_no_key_for_vapid_stops_the_start(server, tmp_path, curve):
    file = tmp_path / "vapid.pem"
    if curve is None:
        file.write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")
    else:
        written(file, ec.generate_private_key(curve))
    with pytest.raises(ValueError, match=r"P-256|not a private key in PEM") as caught:
        send(server, "x", vapid_key_file=str(file), vapid_subject=SUBJECT)
    assert "c2VjcmV0" not in str(caught.value)


def test_the_commands_of_the_readme_make_a_key_and_print_what_apps_need(tmp_path):
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    commands = re.findall(r"^ +(openssl .*)$", readme, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        local = command.replace("/etc/flexiapi/", f"{tmp_path}/")
        done = subprocess.run(["bash", "-c", local], capture_output=True, text=True, check=True)
    signer = vapid.Vapid(tmp_path / "vapid.pem", SUBJECT)
    assert done.stdout.strip() == signer.public_key
    public = signer._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert octets(done.stdout.strip()) == public
