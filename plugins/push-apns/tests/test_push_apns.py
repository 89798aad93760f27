import asyncio
import dataclasses
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from flexiapi.plugin import DeliveryError, Permanent, PushMessage, Retryable, Unregistered
from flexiapi.testing import (
    GARBAGE,
    GOAWAY,
    RESET,
    SILENCE,
    BackendContract,
    Gateway,
    Http2Gateway,
    failure_of,
    reply,
    run_backend,
)
from flexiapi_push_apns import ApnsPush

KEY = ec.generate_private_key(ec.SECP256R1())
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
TOKEN, VOIP_TOKEN = "AB01" * 16, "cd23" * 16
MESSAGE = PushMessage("apns", "ABCD1234.org.linphone.phone.remote", TOKEN, {"token": "471100"})


def refusal(status, reason):
    return reply(status, {"reason": reason})


class Apns(Http2Gateway):
    """Answers as APNs does: with the id of the request, and nothing more when it accepts."""

    def __init__(self, **options):
        super().__init__(**options)
        self.default = reply(200)
        self.answer(self.default)

    def received_one(self, request, path=None):
        answer = super().received_one(request, path)
        return dataclasses.replace(answer, headers={**answer.headers, "apns-id": request.headers["apns-id"]})


def signing(folder):
    path = folder / "AuthKey.p8"
    path.write_text(PEM)
    return {"key_file": path, "key_id": "KEY1234567", "team_id": "ABCD1234"}


class ApnsContract(BackendContract):
    group, name = "flexiapi.push", "apns"
    busy = refusal(503, "ServiceUnavailable")
    refused = refusal(400, "BadTopic")
    gone = refusal(410, "Unregistered")

    def gateway(self):
        return Apns()

    def message(self):
        return MESSAGE

    def settings(self, gateway):
        where = {"url": gateway.url, "sandbox_url": gateway.url, "ca_file": gateway.ca_file}
        return {**signing(self.data_path), **where}


class TestKey(ApnsContract):
    pass


class TestCertificate(ApnsContract):
    busy = refusal(429, "TooManyRequests")
    refused = refusal(403, "BadCertificate")
    gone = refusal(400, "BadDeviceToken")

    def settings(self, gateway):
        ours = gateway.client_certificate("org.linphone.phone")
        return {"url": gateway.url, "ca_file": gateway.ca_file, "certificate_file": ours}


@pytest.fixture
def apns():
    with Apns() as gateway:
        yield gateway


def run(gateway, folder, use, **settings):
    where = {"url": gateway.url, "sandbox_url": gateway.url, "ca_file": gateway.ca_file}

    return run_backend(ApnsPush(ApnsPush.Config.model_validate({**signing(folder), **where, **settings})), use)


def send(gateway, folder, message=MESSAGE, **settings):
    return run(gateway, folder, lambda backend: backend.send(message), **settings)


def failure(gateway, folder, message=MESSAGE, **settings):
    return failure_of(lambda: send(gateway, folder, message, **settings), message.prid)


def test_what_is_posted(apns, tmp_path):
    receipt = send(apns, tmp_path, ttl_seconds=0)
    (request,) = apns.sends
    assert (request.method, request.path) == ("POST", f"/3/device/{TOKEN}")
    assert request.headers["apns-id"] == receipt.id
    assert request.headers["apns-topic"] == "org.linphone.phone"
    assert request.headers["apns-push-type"] == "background"
    assert request.headers["apns-priority"] == "5"
    assert request.json() == {"aps": {"content-available": 1}, "customPayload": {"token": "471100"}}
    scheme, _, token = request.headers["authorization"].partition(" ")
    claims = jwt.decode(token, KEY.public_key(), algorithms=["ES256"])
    assert (scheme, claims["iss"], jwt.get_unverified_header(token)["kid"]) == ("bearer", "ABCD1234", "KEY1234567")


def test_one_signature_serves_all_connections(apns, tmp_path):
    async def two(backend):
        apns.answer(GOAWAY, reply(200))
        with pytest.raises(Retryable):
            await backend.send(MESSAGE)
        await asyncio.sleep(1.1)  # a new signature would have another `iat`
        await backend.send(MESSAGE)

    run(apns, tmp_path, two)
    assert apns.connections == 2
    assert len({request.headers["authorization"] for request in apns.sends}) == 1


def test_the_provider_says_which_environment_and_certificate(apns, tmp_path):
    with Apns() as sandbox:
        both = tmp_path / "both.pem"
        both.write_bytes(apns.ca_file.read_bytes() + sandbox.ca_file.read_bytes())
        certificates = {
            "certificate_file": apns.client_certificate("org.linphone.phone"),
            "sandbox_certificate_file": sandbox.client_certificate("org.linphone.phone.dev"),
        }
        no_key = dict.fromkeys(("key_file", "key_id", "team_id"))

        async def each(backend):
            await backend.send(MESSAGE)
            await backend.send(dataclasses.replace(MESSAGE, provider="apns.dev"))

        run(apns, tmp_path, each, sandbox_url=sandbox.url, ca_file=both, **certificates, **no_key)
        assert [request.client for request in apns.sends] == ["org.linphone.phone"]
        assert [request.client for request in sandbox.sends] == ["org.linphone.phone.dev"]
        assert "authorization" not in apns.sends[0].headers


@pytest.mark.parametrize(
    ("param", "prid", "topic"),
    [
        ("ABCD1234.org.linphone.phone", TOKEN, "org.linphone.phone"),
        ("ABCD1234.org.linphone.phone.remote", f"{TOKEN}:remote", "org.linphone.phone"),
        ("ABCD1234.org.linphone.phone.voip&remote", f"{VOIP_TOKEN}:voip&{TOKEN}:remote", "org.linphone.phone"),
        ("ABCD1234.org.linphone.phone.remote&voip", f"{TOKEN}:remote&{VOIP_TOKEN}:voip", "org.linphone.phone"),
        ("ABCD1234.org.example.voip-app", TOKEN, "org.example.voip-app"),
        ("ABCD1234.phone", TOKEN, "phone"),
    ],
)
def test_topic_and_token(apns, tmp_path, param, prid, topic):
    send(apns, tmp_path, dataclasses.replace(MESSAGE, param=param, prid=prid))
    (request,) = apns.sends
    assert (request.path, request.headers["apns-topic"]) == (f"/3/device/{TOKEN}", topic)


@pytest.mark.parametrize(
    ("param", "prid", "reason"),
    [
        ("ABCD1234.org.linphone.phone.voip", f"{VOIP_TOKEN}:voip", "no token for remote"),
        ("ABCD1234.org.linphone.phone.voip", VOIP_TOKEN, "no token for remote"),
        ("ABCD1234.org.linphone.phone.voip&remote", TOKEN, "not one token for each service"),
        ("ABCD1234.org.linphone.phone.voip&remote", f"{TOKEN}&{TOKEN}", "is not <token>"),
        ("ABCD1234.org.linphone.phone.voip&remote", f"{TOKEN}:remote&{TOKEN}:remote", "is not <token>"),
        ("ABCD1234.org.linphone.phone", f"{TOKEN}:voip", "is not <token>"),
        ("ABCD1234.org.linphone.phone", TOKEN[:-1], "is not <token>"),
        ("ABCD1234.org.linphone.phone", f"{TOKEN}/../x", "is not <token>"),
        ("ABCD1234", TOKEN, "is not <team ID>"),
        ("", TOKEN, "is not <team ID>"),
        ("ABCD1234.org.linphone\r\nx", TOKEN, "is not <team ID>"),
        ("OTHERTEAM.org.linphone.phone", TOKEN, "names the team OTHERTEAM, not ABCD1234"),
    ],
)
def test_addresses_that_cannot_be(apns, tmp_path, param, prid, reason):
    error = failure(apns, tmp_path, dataclasses.replace(MESSAGE, param=param, prid=prid))
    assert type(error) is Permanent
    assert reason in error.reason
    assert not apns.requests


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (refusal(400, "DeviceTokenNotForTopic"), Unregistered, "the device's token is dead (DeviceTokenNotForTopic)"),
        (refusal(400, "PayloadEmpty"), Permanent, "APNs answers 400 (PayloadEmpty)"),
        (
            refusal(403, "InvalidProviderToken"),
            Permanent,
            "(InvalidProviderToken): look at key_file, ",
        ),
        (refusal(403, "ExpiredProviderToken"), Permanent, "look at this host's clock"),
        (refusal(429, "TooManyProviderTokenUpdates"), Retryable, "APNs answers 429"),
        (refusal(500, "InternalServerError"), Retryable, "APNs answers 500"),
        (refusal(418, TOKEN + "!"), Permanent, "APNs answers 418"),
        (reply(503), Retryable, "ended the connection"),
        (reply(400, body="<html>"), Retryable, "ended the connection"),
        (RESET, Retryable, "ended the connection"),
        (GARBAGE, Retryable, "ended the connection"),
        (GOAWAY, Retryable, "ended the connection"),
    ],
)
def test_odd_answers(apns, tmp_path, answer, kind, reason):
    async def two(backend):
        apns.answer(answer, reply(200))
        with pytest.raises(DeliveryError) as caught:
            await backend.send(MESSAGE)
        await backend.send(MESSAGE)
        return caught.value

    error = run(apns, tmp_path, two)
    assert type(error) is kind
    assert reason in error.reason
    assert TOKEN not in error.reason


def test_500_at_once_over_one_connection(tmp_path):
    async def many(backend):
        tokens = [f"{number:064x}" for number in range(500)]
        messages = [dataclasses.replace(MESSAGE, prid=token) for token in tokens]
        receipts = await asyncio.gather(*(backend.send(message) for message in messages))
        return tokens, {receipt.id for receipt in receipts}

    with Apns(max_streams=50) as apns:
        tokens, ids = run(apns, tmp_path, many)
        assert apns.connections == 1
    assert len(ids) == 500
    assert sorted(request.path.rpartition("/")[2] for request in apns.sends) == tokens


def test_going_away_with_many_under_way_fails_each_and_the_next_is_sent(apns, tmp_path):
    async def many(backend):
        apns.answer(*[reply(200, delay=60)] * 49, GOAWAY, reply(200))
        failures = await asyncio.gather(*(backend.send(MESSAGE) for _ in range(50)), return_exceptions=True)
        await backend.send(MESSAGE)
        return failures

    failures = run(apns, tmp_path, many, answer_seconds=60)
    assert {type(failure) for failure in failures} == {Retryable}
    assert apns.connections == 2


def test_callers_that_leave_harm_nobody_on_the_connection(apns, tmp_path):
    async def some(backend):
        apns.answer(reply(200, delay=0.5))
        leave, stay = ([asyncio.create_task(backend.send(MESSAGE)) for _ in range(20)] for _ in range(2))
        await apns.received(40)
        for task in leave:
            task.cancel()
        await asyncio.gather(*stay)
        await backend.send(MESSAGE)

    run(apns, tmp_path, some)
    assert apns.connections == 1


def test_a_caller_that_leaves_while_the_connection_opens_harms_nobody(apns, tmp_path):
    async def two(backend):
        leaves, stays = (asyncio.create_task(backend.send(MESSAGE)) for _ in range(2))
        for _ in range(3):
            await asyncio.sleep(0)
        leaves.cancel()
        await stays

    run(apns, tmp_path, two)
    assert apns.connections == 1


def test_a_connection_that_is_silent_is_given_up(apns, tmp_path):
    async def two(backend):
        apns.answer(SILENCE, reply(200))
        with pytest.raises(Retryable):
            await backend.send(MESSAGE)
        # The next has all the time it needs, on any machine.
        backend._lines["apns"]._answer_seconds = 30
        await backend.send(MESSAGE)

    run(apns, tmp_path, two, answer_seconds=0.2)
    assert apns.connections == 2


def test_callers_that_leave_during_an_outage_do_not_pile_up(tmp_path):
    async def mute(reader, writer):
        connections.append(writer)
        await reader.read()
        writer.close()

    async def outage(backend):
        server = await asyncio.start_server(mute, "127.0.0.1", backend.config.url.port)
        tasks = [asyncio.create_task(backend.send(MESSAGE)) for _ in range(20)]
        while not connections:  # noqa: ASYNC110 - the server tells in no other way
            await asyncio.sleep(0.01)
        # More would follow now, if there were more.
        await asyncio.sleep(0.2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len(connections) == 1
        await backend.close()
        server.close()
        await server.wait_closed()

    connections = []
    with Apns() as apns:
        apns.stop()
        run(apns, tmp_path, outage)


def test_tls_that_cannot_be_trusted(tmp_path):
    with Apns() as apns:
        assert "not trusted" in failure(apns, tmp_path, ca_file=None).reason
    with Apns(certificate_for="elsewhere.example.org") as apns:
        error = failure(apns, tmp_path)
        assert isinstance(error, Retryable)
        assert "look at ca_file" in error.reason
        assert not apns.requests


def test_a_server_without_http2(tmp_path):
    with Gateway(tls=True) as gateway:
        assert "does not speak HTTP/2" in failure(gateway, tmp_path).reason


def test_check_asks_for_a_device_that_cannot_exist(apns, tmp_path):
    def check():
        run(apns, tmp_path, lambda backend: backend.check())

    apns.answer(refusal(400, "BadDeviceToken"))
    check()
    assert apns.sends[0].path == f"/3/device/{'0' * 64}"
    apns.answer(refusal(403, "InvalidProviderToken"))
    with pytest.raises(Permanent, match="look at key_file, key_id and team_id"):
        check()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "set either key_file, key_id and team_id, or certificate_file"),
        ({"key_file": "a", "certificate_file": "b"}, "set either"),
        ({"key_file": "a"}, "needs key_id and team_id"),
        ({"certificate_file": "a", "url": "http://127.0.0.1"}, "https only"),
    ],
)
def test_settings_that_cannot_work(settings, reason):
    with pytest.raises(ValueError, match=reason):
        ApnsPush.Config.model_validate(settings)


def test_files_that_cannot_work(apns, tmp_path):
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("s3cret")
    with pytest.raises(ValueError, match=r"is not a key for APNs: put the \.p8 file") as caught:
        send(apns, tmp_path, key_file=wrong)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ValueError, match="must hold a certificate and its key"):
        send(apns, tmp_path, key_file=None, certificate_file=wrong)
    with pytest.raises(FileNotFoundError):
        send(apns, tmp_path, key_file=tmp_path / "missing.p8")


def test_nothing_that_was_sent_is_logged(apns, tmp_path, caplog):
    caplog.set_level("DEBUG")
    apns.answer(reply(200), GOAWAY)

    async def two(backend):
        await backend.send(MESSAGE)
        with pytest.raises(Retryable):
            await backend.send(MESSAGE)

    run(apns, tmp_path, two)
    assert TOKEN not in caplog.text
    assert json.dumps(MESSAGE.data["token"]).strip('"') not in caplog.text


def test_title_priority_time_to_live_and_collapse_id_of_a_message(apns, tmp_path):
    message = dataclasses.replace(MESSAGE, title="Hello", time_to_live=0, collapse_id="creation-token")
    send(apns, tmp_path, message)
    send(apns, tmp_path, dataclasses.replace(message, priority="normal"))
    first, second = apns.sends
    assert first.json()["aps"] == {"content-available": 1, "alert": {"title": "Hello"}}
    assert (first.headers["apns-push-type"], first.headers["apns-priority"]) == ("alert", "10")
    assert first.headers["apns-collapse-id"] == "creation-token"
    assert second.headers["apns-priority"] == "5"


def test_a_device_has_one_identity(tmp_path):
    backend = ApnsPush(ApnsPush.Config.model_validate(signing(tmp_path)))
    both = PushMessage("apns.dev", "ABCD1234.a.b.voip&remote", f"{'c' * 64}:voip&{TOKEN.upper()}:remote", {})
    assert backend.device_identity(MESSAGE) == backend.device_identity(both) == TOKEN.lower()
    with pytest.raises(Permanent):
        backend.device_identity(dataclasses.replace(MESSAGE, prid="no-token"))
