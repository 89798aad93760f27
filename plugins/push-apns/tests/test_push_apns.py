import asyncio
import dataclasses
import json
import socket
import time
import uuid
from contextlib import ExitStack

import jwt
import pytest
import uvloop
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded
from h2.settings import SettingCodes

from flexiapi.plugin import (
    DeliveryError,
    Permanent,
    PushMessage,
    Receipt,
    RecipientDeferred,
    Retryable,
    Throttled,
    Unregistered,
)
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
    running_backend,
)
from flexiapi.testing.profiles import Apns
from flexiapi_push_apns import ApnsPush, connection, line
from flexiapi_push_apns.connection import ApnsConnection
from flexiapi_push_apns.signing_in import Signature

TOKEN, VOIP_TOKEN = "AB01" * 16, "cd23" * 16
MESSAGE = PushMessage("apns", "ABCD1234EF.org.linphone.phone.remote", TOKEN, {"token": "471100"})


def refusal(status, reason):
    return reply(status, {"reason": reason})


class ApnsContract(BackendContract):
    group, name = "flexiapi.push", "apns"
    busy = refusal(503, "ServiceUnavailable")
    refused = refusal(400, "BadTopic")
    gone = refusal(410, "Unregistered")
    throttled = refusal(429, "TooManyProviderTokenUpdates")
    deferred = refusal(429, "TooManyRequests")

    def gateway(self):
        return Apns()

    def message(self):
        return MESSAGE

    def settings(self, gateway):
        where = {"url": gateway.url, "sandbox_url": gateway.url, "ca_file": gateway.ca_file}
        return {**gateway.sign_in(self.data_path), **where}


class TestKey(ApnsContract):
    pass


class TestCertificate(ApnsContract):
    busy = refusal(500, "InternalServerError")
    refused = refusal(403, "BadCertificate")
    gone = refusal(400, "BadDeviceToken")

    def settings(self, gateway):
        ours = gateway.client_certificate("org.linphone.phone")
        where = {"url": gateway.url, "sandbox_url": gateway.url, "ca_file": gateway.ca_file}
        return {"certificate_file": ours, **where}


@pytest.fixture
def apns():
    with Apns() as gateway:
        yield gateway


def run(gateway, folder, use, **settings):
    where = {"url": gateway.url, "sandbox_url": gateway.url, "ca_file": gateway.ca_file}

    return run_backend(ApnsPush(ApnsPush.Config.model_validate({**gateway.sign_in(folder), **where, **settings})), use)


def send(gateway, folder, message=MESSAGE, **settings):
    return run(gateway, folder, lambda backend: backend.send(message), **settings)


def failure(gateway, folder, message=MESSAGE, **settings):
    return failure_of(lambda: send(gateway, folder, message, **settings), message.prid)


def test_what_is_posted(apns, tmp_path):
    receipt = send(apns, tmp_path, ttl_seconds=0)
    (request,) = apns.sends
    assert (request.method, request.path) == ("POST", f"/3/device/{TOKEN}")
    assert request.headers["apns-id"] == receipt.id == str(uuid.UUID(MESSAGE.idempotency_key))
    assert request.headers["apns-expiration"] == "0"
    assert request.headers["apns-topic"] == "org.linphone.phone"
    assert request.headers["apns-push-type"] == "background"
    assert request.headers["apns-priority"] == "5"
    assert request.json() == {"aps": {"content-available": 1}, "customPayload": {"token": "471100"}}
    key = load_pem_private_key((tmp_path / "AuthKey_KEY1234567.p8").read_bytes(), None)
    scheme, _, token = request.headers["authorization"].partition(" ")
    claims = jwt.decode(token, key.public_key(), algorithms=["ES256"])
    assert (scheme, claims["iss"], jwt.get_unverified_header(token)["kid"]) == ("bearer", "ABCD1234EF", "KEY1234567")


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
        ("ABCD1234EF.org.linphone.phone", TOKEN, "org.linphone.phone"),
        ("ABCD1234EF.org.linphone.phone.remote", f"{TOKEN}:remote", "org.linphone.phone"),
        ("ABCD1234EF.org.linphone.phone.voip&remote", f"{VOIP_TOKEN}:voip&{TOKEN}:remote", "org.linphone.phone"),
        ("ABCD1234EF.org.linphone.phone.remote&voip", f"{TOKEN}:remote&{VOIP_TOKEN}:voip", "org.linphone.phone"),
        ("ABCD1234EF.org.example.voip-app", TOKEN, "org.example.voip-app"),
        ("ABCD1234EF.phone", TOKEN, "phone"),
    ],
)
def test_topic_and_token(apns, tmp_path, param, prid, topic):
    send(apns, tmp_path, dataclasses.replace(MESSAGE, param=param, prid=prid))
    (request,) = apns.sends
    assert (request.path, request.headers["apns-topic"]) == (f"/3/device/{TOKEN}", topic)


@pytest.mark.parametrize(
    ("param", "prid", "reason"),
    [
        ("ABCD1234EF.org.linphone.phone.voip", f"{VOIP_TOKEN}:voip", "no token for remote"),
        ("ABCD1234EF.org.linphone.phone.voip", VOIP_TOKEN, "no token for remote"),
        ("ABCD1234EF.org.linphone.phone.voip&remote", TOKEN, "not one token for each service"),
        ("ABCD1234EF.org.linphone.phone.voip&remote", f"{TOKEN}&{TOKEN}", "is not <token>"),
        ("ABCD1234EF.org.linphone.phone.voip&remote", f"{TOKEN}:remote&{TOKEN}:remote", "is not <token>"),
        ("ABCD1234EF.org.linphone.phone", f"{TOKEN}:voip", "is not <token>"),
        ("ABCD1234EF.org.linphone.phone", TOKEN[:-1], "is not <token>"),
        ("ABCD1234EF.org.linphone.phone", f"{TOKEN}/../x", "is not <token>"),
        ("ABCD1234EF", TOKEN, "is not <team ID>"),
        ("", TOKEN, "is not <team ID>"),
        ("ABCD1234EF.org.linphone\r\nx", TOKEN, "is not <team ID>"),
        ("OTHERTEAM.org.linphone.phone", TOKEN, "names the team OTHERTEAM, not ABCD1234EF"),
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
        (refusal(429, "TooManyProviderTokenUpdates"), Throttled, "APNs answers 429 (TooManyProviderTokenUpdates)"),
        (refusal(429, "TooManyRequests"), RecipientDeferred, "APNs answers 429 (TooManyRequests)"),
        (reply(429), RecipientDeferred, "APNs answers 429"),
        (refusal(400, "IdleTimeout"), Retryable, "APNs answers 400 (IdleTimeout)"),
        (refusal(500, "InternalServerError"), Retryable, "APNs answers 500"),
        (refusal(418, TOKEN + "!"), Permanent, "APNs answers 418"),
        (reply(503), Retryable, "APNs answers 503"),
        (reply(400, body="<html>"), Retryable, "APNs answers 400"),
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
        messages = [PushMessage("apns", MESSAGE.param, token, {"token": "471100"}) for token in tokens]
        receipts = await asyncio.gather(*(backend.send(message) for message in messages))
        return tokens, {receipt.id for receipt in receipts}

    with Apns(max_streams=50) as apns:
        tokens, ids = run(apns, tmp_path, many)
        assert apns.connections == 1
    assert len(ids) == 500
    assert sorted(request.path.rpartition("/")[2] for request in apns.sends) == tokens


def test_going_away_with_many_under_way_fails_each_and_the_next_is_sent(tmp_path):
    async def many(backend):
        apns.answer(*[reply(200, delay=60)] * 49, GOAWAY, reply(200))
        failures = await asyncio.gather(*(backend.send(MESSAGE) for _ in range(50)), return_exceptions=True)
        await backend.send(MESSAGE)
        return failures

    with Apns(first_streams=None) as apns:
        failures = run(apns, tmp_path, many, answer_seconds=60)
        assert apns.connections == 2
    assert {type(failure) for failure in failures} == {Retryable}


def test_callers_that_leave_harm_nobody_on_the_connection(apns, tmp_path, monkeypatch):
    # However slow the machine is.
    monkeypatch.setattr(connection, "_SUSPICIOUS_SECONDS", 600)

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


def test_callers_that_leave_as_their_answers_come_harm_nobody(tmp_path, monkeypatch):
    async def some(backend):
        def receive_and_leave(self, data):
            # The tasks run, and take their requests back, only after the answers.
            for task in tasks[::2]:
                task.cancel()
            receive(self, data)

        await backend.send(MESSAGE)
        monkeypatch.setattr(ApnsConnection, "data_received", receive_and_leave)
        apns.answer(*[*[reply(200)] * 2, *[refusal(400, "BadTopic")] * 2] * 5)
        tasks = [asyncio.create_task(backend.send(MESSAGE)) for _ in range(20)]
        await asyncio.wait(tasks)
        outcomes = await asyncio.gather(*tasks[1::2], return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {Receipt, Permanent}
        (opened,) = backend._lines["apns"]._open
        assert (opened.requests, opened.request_streams, opened.request_statuses) == ({}, {}, {})

    receive = ApnsConnection.data_received
    with Apns(first_streams=None) as apns:
        run(apns, tmp_path, some)
        assert apns.connections == 1


def test_more_callers_may_leave_than_a_connection_carries_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "_SUSPICIOUS_SECONDS", 600)

    async def many(backend):
        await backend.send(MESSAGE)
        for round_ in range(1, 4):
            apns.answer(*[reply(200, delay=60)] * 400, reply(200))
            tasks = [asyncio.create_task(backend.send(MESSAGE)) for _ in range(400)]
            await apns.received(400 * round_ + round_)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await backend.send(MESSAGE)

    with Apns(first_streams=None) as apns:
        run(apns, tmp_path, many)
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
        await asyncio.gather(*(writer.wait_closed() for writer in connections))
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
    with Gateway(tls=True) as gateway, Apns() as apns:
        error = failure(apns, tmp_path, url=gateway.url, ca_file=gateway.ca_file)
        assert "does not speak HTTP/2" in error.reason


def test_check_asks_for_a_device_that_cannot_exist(apns, tmp_path):
    def check():
        run(apns, tmp_path, lambda backend: backend.check())

    apns.answer(refusal(400, "BadDeviceToken"))
    check()
    assert len(apns.sends) == 2
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


BOTH = {"param": "ABCD1234EF.org.linphone.phone.voip&remote", "prid": f"{VOIP_TOKEN}:voip&{TOKEN}:remote"}


def test_a_call_goes_to_the_token_for_calls_and_a_message_to_the_other(apns, tmp_path):
    call = dataclasses.replace(MESSAGE, **BOTH, purpose="call", call_id="0PqT~VdWxy@192.0.2.7", time_to_live=30)
    send(apns, tmp_path, call)
    send(apns, tmp_path, dataclasses.replace(call, purpose="message"))
    first, second = apns.sends
    assert first.path == f"/3/device/{VOIP_TOKEN}"
    assert first.headers["apns-topic"] == "org.linphone.phone.voip"
    assert (first.headers["apns-push-type"], first.headers["apns-priority"]) == ("voip", "10")
    assert first.json()["aps"]["call-id"] == second.json()["aps"]["call-id"] == "0PqT~VdWxy@192.0.2.7"
    assert first.json()["aps"]["loc-key"] == "IC_MSG"
    assert (second.path, second.headers["apns-topic"]) == (f"/3/device/{TOKEN}", "org.linphone.phone")
    assert (second.headers["apns-push-type"], second.headers["apns-priority"]) == ("alert", "10")
    assert second.json()["aps"]["alert"]["loc-key"] == "IM_MSG"
    assert second.json()["aps"]["mutable-content"] == 1


def test_a_call_to_a_device_without_a_token_for_calls_is_shown(apns, tmp_path):
    send(apns, tmp_path, dataclasses.replace(MESSAGE, purpose="call"))
    (request,) = apns.sends
    assert (request.path, request.headers["apns-push-type"]) == (f"/3/device/{TOKEN}", "alert")
    assert request.json()["aps"]["alert"]["loc-key"] == "IC_MSG"


def test_a_device_has_one_identity(apns, tmp_path):
    backend = ApnsPush(ApnsPush.Config.model_validate(apns.sign_in(tmp_path)))
    both = PushMessage("apns.dev", "ABCD1234EF.a.b.voip&remote", f"{'c' * 64}:voip&{TOKEN.upper()}:remote", {})
    assert backend.device_identity(MESSAGE) == backend.device_identity(both) == TOKEN.lower()
    with pytest.raises(Permanent):
        backend.device_identity(dataclasses.replace(MESSAGE, prid="no-token"))


def test_a_connection_goes_on_after_more_refusals_than_fit_its_window(apns, tmp_path):
    async def many(backend):
        return await asyncio.gather(*(backend.send(MESSAGE) for _ in range(60)), return_exceptions=True)

    apns.dead.add(TOKEN)
    apns.padding = 2000
    assert {type(failure) for failure in run(apns, tmp_path, many)} == {Unregistered}
    assert apns.connections == 1


def test_payloads_wait_for_the_window_of_the_server(apns, tmp_path):
    async def many(backend):
        await asyncio.gather(*(backend.send(long) for _ in range(60)))

    long = dataclasses.replace(MESSAGE, data={"token": "4" * 3000})
    run(apns, tmp_path, many)
    assert apns.delivered == {TOKEN: 60}


def test_a_message_has_one_id_in_all_tries_also_beside_each_other(apns, tmp_path):
    async def tries(backend):
        await asyncio.gather(*(backend.send(MESSAGE) for _ in range(5)))
        apns.answer(GOAWAY, apns.process)
        with pytest.raises(Retryable):
            await backend.send(MESSAGE)
        await backend.send(MESSAGE)

    run(apns, tmp_path, tries)
    assert apns.ids == {TOKEN: [str(uuid.UUID(MESSAGE.idempotency_key))] * 6}


def test_a_try_that_was_given_up_is_taken_back(apns, tmp_path):
    async def two(backend):
        await backend.send(dataclasses.replace(MESSAGE, prid="aa" * 32))
        apns.stall(1)
        given_up = asyncio.create_task(backend.send(MESSAGE))
        await asyncio.sleep(0)
        given_up.cancel()
        await backend.send(dataclasses.replace(MESSAGE, prid="bb" * 32))

    run(apns, tmp_path, two)
    assert apns.delivered == {"aa" * 32: 1, "bb" * 32: 1}


def test_a_further_try_does_not_use_a_connection_that_was_silent(tmp_path, monkeypatch):
    async def two(backend):
        await backend.send(MESSAGE)
        apns.answer(SILENCE, apns.process)
        given_up = asyncio.create_task(backend.send(MESSAGE))
        await apns.received(2)
        given_up.cancel()
        await asyncio.wait([given_up])
        await backend.send(MESSAGE)

    monkeypatch.setattr(connection, "_SUSPICIOUS_SECONDS", 0)
    with Apns(first_streams=None) as apns:
        run(apns, tmp_path, two)
        assert apns.connections == 2


def test_a_connection_that_shuts_down_ends_what_it_has_and_takes_no_more(apns, tmp_path):
    async def three(backend):
        await backend.send(MESSAGE)
        apns.answer(reply(200, delay=0.5), refusal(503, "Shutdown"), reply(200))
        slow = asyncio.create_task(backend.send(MESSAGE))
        await apns.received(2)
        with pytest.raises(Retryable, match="Shutdown"):
            await backend.send(MESSAGE)
        await backend.send(MESSAGE)
        await slow

    run(apns, tmp_path, three)
    assert apns.connections == 2


def test_a_connection_that_goes_away_still_brings_its_answers(apns, tmp_path):
    async def some(backend):
        await backend.send(MESSAGE)
        apns.answer(reply(200, delay=1), reply(200, delay=1), apns.process)
        slow = [asyncio.create_task(backend.send(MESSAGE)) for _ in range(2)]
        await apns.received(3)
        old = backend._lines["apns"]._connection
        apns.go_away()
        while not old.is_over:  # noqa: ASYNC110 - GOAWAY comes from another thread
            await asyncio.sleep(0.01)
        await backend.send(MESSAGE)
        await asyncio.gather(*slow)
        await old.lost

    run(apns, tmp_path, some)
    assert (apns.connections, len(apns.sends)) == (2, 4)


def test_what_waits_on_a_connection_that_goes_away_takes_the_next_one(tmp_path):
    async def burst(backend):
        await backend.send(MESSAGE)
        apns.answer(reply(200, delay=0.5), apns.process)
        sending = [asyncio.create_task(backend.send(MESSAGE)) for _ in range(50)]
        await apns.received(2)
        apns.go_away()
        await asyncio.gather(*sending)

    with Apns(max_streams=1) as apns:
        run(apns, tmp_path, burst)
        assert (apns.connections, len(apns.sends)) == (2, 51)


class Abrupt(Http2Gateway):
    """Resets the first request of a connection before its payload has come, then opens its windows."""

    async def converse(self, reader, writer):
        http = H2Connection(H2Configuration(client_side=False))
        http.initiate_connection()
        http.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1})
        writer.write(http.data_to_send())
        while data := await reader.read(65536):
            for event in http.receive_data(data):
                if isinstance(event, RequestReceived) and event.stream_id == 1:
                    http.reset_stream(1)
                    http.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 65535})
                elif isinstance(event, StreamEnded):
                    http.send_headers(event.stream_id, [(":status", "200")], end_stream=True)
            writer.write(http.data_to_send())


def test_a_request_that_is_reset_fails_alone(tmp_path):
    async def two(backend):
        with pytest.raises(Retryable):
            await backend.send(MESSAGE)
        await backend.send(MESSAGE)

    with Apns() as apns, Abrupt() as abrupt:
        run(apns, tmp_path, two, url=abrupt.url, ca_file=abrupt.ca_file)
        assert abrupt.connections == 1


class Breaking(Http2Gateway):
    """Answers, and goes on with what is no frame."""

    async def converse(self, reader, writer):
        http = H2Connection(H2Configuration(client_side=False))
        http.initiate_connection()
        writer.write(http.data_to_send())
        while data := await reader.read(65536):
            for event in http.receive_data(data):
                if isinstance(event, StreamEnded):
                    http.send_headers(event.stream_id, [(":status", "200")], end_stream=True)
                    writer.write(http.data_to_send() + b"\xff" * 100)
            writer.write(http.data_to_send())


def test_an_answer_before_an_invalid_frame_counts_and_the_connection_is_over(tmp_path):
    async def two(backend):
        await backend.send(MESSAGE)
        await backend.send(MESSAGE)

    with Apns() as apns, Breaking() as breaking:
        run(apns, tmp_path, two, url=breaking.url, ca_file=breaking.ca_file)
        assert breaking.connections == 2


def test_a_token_that_apple_calls_expired_is_replaced_within_the_send(apns, tmp_path):
    apns.answer(refusal(403, "ExpiredProviderToken"), apns.process)
    send(apns, tmp_path)
    first, second = apns.sends
    assert first.headers["authorization"] != second.headers["authorization"]
    assert first.headers["apns-id"] == second.headers["apns-id"]


def test_a_token_is_replaced_once_for_all_who_had_it(apns, tmp_path):
    async def many(backend):
        await backend.send(MESSAGE)
        old = apns.sends[0].headers["authorization"]
        expired = refusal(403, "ExpiredProviderToken")
        apns.answer(lambda asked: expired if asked.headers["authorization"] == old else apns.process(asked))
        await asyncio.gather(*(backend.send(MESSAGE) for _ in range(20)))

    run(apns, tmp_path, many)
    assert len({request.headers["authorization"] for request in apns.sends}) == 2


def test_with_a_wrong_clock_tokens_are_not_signed_again_and_again(apns, tmp_path):
    async def two(backend):
        for _ in range(2):
            with pytest.raises(Permanent, match="look at this host's clock"):
                await backend.send(MESSAGE)

    apns.clock_ahead = 7200
    run(apns, tmp_path, two)
    assert len(apns.sends) == 3
    assert len({request.headers["authorization"] for request in apns.sends}) == 2


def test_a_token_of_half_an_hour_or_of_the_future_is_replaced(apns, tmp_path, monkeypatch):
    key = apns.sign_in(tmp_path)["key_file"].read_text()
    now = time.time()
    headers = []
    signature = Signature(key, "KEY1234567", "ABCD1234EF")
    for moment in (0, 1700, 1900, 1850, 0):
        monkeypatch.setattr(time, "time", lambda moment=moment: now + moment)
        headers.append(signature.get_header())
    assert headers[0] == headers[1] != headers[2] == headers[3] != headers[4]


def test_check_names_the_environment_that_fails(apns, tmp_path):
    def check(**settings):
        run(apns, tmp_path, lambda backend: backend.check(), **settings)

    with Apns() as sandbox:
        both = tmp_path / "both.pem"
        both.write_bytes(apns.ca_file.read_bytes() + sandbox.ca_file.read_bytes())
        other = {"sandbox_url": sandbox.url, "ca_file": both}
        check(**other)
        sandbox.answer(refusal(403, "BadEnvironmentKeyInToken"))
        with pytest.raises(Permanent, match=r"^sandbox: .* the key is for the other environment$"):
            check(**other)
        check(**other, sandbox=False)
        sandbox.stop()
        with pytest.raises(Retryable, match=r"^sandbox: APNs cannot be reached"):
            check(**other)
        apns.answer(refusal(403, "InvalidProviderToken"))
        with pytest.raises(Permanent, match=r"^production: .*; sandbox: "):
            check(**other)


def test_the_sandbox_is_not_served_if_it_is_turned_off(apns, tmp_path):
    error = failure(apns, tmp_path, dataclasses.replace(MESSAGE, provider="apns.dev"), sandbox=False)
    assert isinstance(error, Permanent)
    assert "look at `sandbox`" in error.reason


def test_each_environment_has_a_lane_and_declares_what_a_connection_carries(apns, tmp_path):
    backend = ApnsPush(ApnsPush.Config.model_validate(apns.sign_in(tmp_path)))
    lanes = [backend.lane(dataclasses.replace(MESSAGE, provider=provider)) for provider in ("apns", "apns.dev")]
    assert lanes == ["production", "sandbox"]
    assert backend.concurrency == 500


def test_a_message_expires_with_its_own_life_or_that_of_the_settings(apns, tmp_path):
    before = int(time.time())
    for seconds in (600, 7200, 0, None):
        send(apns, tmp_path, dataclasses.replace(MESSAGE, time_to_live=seconds), ttl_seconds=3600)
    until = [int(request.headers["apns-expiration"]) for request in apns.sends]
    lives = [moment and moment - before for moment in until]
    assert [600 <= lives[0] < 1200, lives[1] >= 3600, lives[2] == 0, lives[3] >= 3600] == [True] * 4


@pytest.mark.parametrize("loop", [asyncio.SelectorEventLoop, uvloop.Loop])
def test_an_address_that_does_not_answer_is_passed_over(tmp_path, monkeypatch, loop):
    name = "apns.example.org"

    async def resolve(self, host, port, **options):
        addresses = [mute.getsockname(), ("127.0.0.1", port)] if host == name else [(host, port)]
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address) for address in addresses]

    async def whole():
        settings = {**apns.sign_in(tmp_path), "url": f"https://{name}:{apns.port}", "ca_file": apns.ca_file}
        async with running_backend(ApnsPush(ApnsPush.Config.model_validate(settings))) as backend:
            await backend.send(MESSAGE)

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    monkeypatch.setattr(line, "_CONNECT_SECONDS", 30)
    with Apns(certificate_for=name) as apns, ExitStack() as stack:
        # Its queue is full: no further connection is answered, nor refused.
        mute = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(mute.getsockname())
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(whole())
    assert apns.delivered == {TOKEN: 1}
