import asyncio
import json
import ssl
import time
from base64 import urlsafe_b64encode

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, PingAckReceived, RemoteSettingsChanged, StreamEnded
from h2.settings import SettingCodes

from flexiapi.testing import Http2Gateway, reply
from flexiapi.testing.profiles import Apns

DEVICE = "ab" * 32
WINDOW = 65535
HEADERS = {
    "apns-id": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    "apns-topic": "org.linphone.phone",
    "apns-push-type": "background",
    "apns-priority": "5",
}


@pytest.fixture
def apns():
    with Apns() as gateway:
        yield gateway


def encoded(data):
    return urlsafe_b64encode(data).decode().rstrip("=")


@pytest.fixture
def post(apns, tmp_path):
    context = ssl.create_default_context(cafile=apns.ca_file)
    signing = apns.sign_in(tmp_path)

    def signed(age):
        parts = {"alg": "ES256", "kid": signing["key_id"]}, {"iss": signing["team_id"], "iat": int(time.time()) - age}
        text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        key = load_pem_private_key(signing["key_file"].read_bytes(), None)
        halves = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
        return f"{text}.{encoded(b''.join(half.to_bytes(32) for half in halves))}"

    def sent(path=f"/3/device/{DEVICE}", content=b"{}", *, age=0, method="POST", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        token = {"authorization": f"bearer {signed(age)}"}
        return client.request(method, f"{apns.url}{path}", content=content, headers={**HEADERS, **token, **named})

    with httpx.Client(http2=True, verify=context) as client:
        yield sent


def test_apns_delivers_with_the_id_of_the_request_and_does_not_recognise_repeats(apns, post):
    answers = [post(), post()]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 2
    assert {answer.headers["apns-id"] for answer in answers} == {HEADERS["apns-id"]}
    assert apns.delivered == {DEVICE: 2}
    assert apns.ids == {DEVICE: [HEADERS["apns-id"]] * 2}


@pytest.mark.parametrize(
    ("request_", "status", "reason"),
    [
        ({"method": "GET"}, 405, "MethodNotAllowed"),
        ({"path": "/3/devices/x"}, 404, "BadPath"),
        ({"path": "/3/device/xyz"}, 400, "BadDeviceToken"),
        ({"content": b""}, 400, "PayloadEmpty"),
        ({"content": b" " * 4097}, 413, "PayloadTooLarge"),
        ({"apns_id": "1"}, 400, "BadMessageId"),
        ({"apns_topic": ""}, 400, "MissingTopic"),
        ({"apns_topic": "org.example.other"}, 400, "TopicDisallowed"),
        ({"apns_push_type": "loud"}, 400, "InvalidPushType"),
        ({"apns_priority": "10"}, 400, "BadPriority"),
        ({"apns_expiration": "-1"}, 400, "BadExpirationDate"),
        ({"apns_collapse_id": "x" * 65}, 400, "BadCollapseId"),
        ({"age": 3700}, 403, "ExpiredProviderToken"),
        ({"authorization": "bearer x.y.z"}, 403, "InvalidProviderToken"),
        ({"authorization": ""}, 403, "MissingProviderToken"),
    ],
)
def test_apns_refuses_what_apple_refuses(apns, post, request_, status, reason):
    apns.topics = {"org.linphone.phone"}
    answer = post(**request_)
    assert (answer.status_code, answer.json() if answer.content else None) == (status, {"reason": reason})
    assert not apns.delivered


def test_apns_tells_dead_strange_and_flooded_devices_apart(apns, post):
    dead, stranger, flooded = "de" * 32, "5a" * 32, "f0" * 32
    apns.dead.add(dead)
    apns.strangers.add(stranger)
    apns.flooded.add(flooded)
    gone = post(f"/3/device/{dead.upper()}")
    assert (gone.status_code, gone.json()["reason"]) == (410, "Unregistered")
    assert abs(gone.json()["timestamp"] / 1000 - time.time()) < 600
    assert post(f"/3/device/{stranger}").json() == {"reason": "BadDeviceToken"}
    assert post(f"/3/device/{flooded}").json() == {"reason": "TooManyRequests"}
    assert not apns.delivered


def test_apns_judges_tokens_by_its_own_clock(apns, post):
    assert post(age=100).status_code == 200
    apns.clock_ahead = 3600
    assert post(age=100).json() == {"reason": "ExpiredProviderToken"}


class Client:
    """An HTTP/2 client that acknowledges what it receives only when it is told to."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.http = H2Connection(H2Configuration())
        self.received = 0

    async def begin(self):
        context = ssl.create_default_context(cafile=self.gateway.ca_file)
        context.set_alpn_protocols(["h2"])
        context.load_cert_chain(self.gateway.client_certificate("org.linphone.phone"))
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.gateway.port, ssl=context)
        self.http.initiate_connection()

    def ask(self, path="/"):
        stream = self.http.get_next_available_stream_id()
        names = {":method": "POST", ":path": path, ":scheme": "https", ":authority": "localhost", **HEADERS}
        self.http.send_headers(stream, names.items())
        self.http.send_data(stream, b"{}", end_stream=True)
        return stream

    async def until(self, kind):
        while True:
            self.writer.write(self.http.data_to_send())
            events = self.http.receive_data(await self.reader.read(WINDOW))
            self.received += sum(len(event.data) for event in events if isinstance(event, DataReceived))
            if any(isinstance(event, kind) for event in events):
                return


def test_apns_that_stalls_delivers_afterwards_what_was_not_taken_back(apns):
    async def exchange():
        client = Client(apns)
        await client.begin()
        apns.stall(0.5)
        client.http.reset_stream(client.ask(f"/3/device/{'0' * 64}"))
        client.ask(f"/3/device/{DEVICE}")
        await client.until(StreamEnded)
        client.writer.transport.abort()
        await asyncio.sleep(0)

    asyncio.run(exchange())
    assert apns.delivered == {DEVICE: 1}


def test_http2_sends_only_as_far_as_the_window_of_the_client():
    async def exchange(gateway):
        client = Client(gateway)
        await client.begin()
        client.ask()
        while client.received < WINDOW:
            await client.until(DataReceived)
        client.http.ping(b"anything")
        await client.until(PingAckReceived)
        assert client.received == WINDOW
        client.http.increment_flow_control_window(WINDOW)
        client.http.increment_flow_control_window(WINDOW, stream_id=1)
        await client.until(StreamEnded)
        assert client.received == 100_000
        client.writer.transport.abort()
        await asyncio.sleep(0)

    with Http2Gateway() as gateway:
        gateway.answer(reply(200, body="x" * 100_000))
        asyncio.run(exchange(gateway))


def test_http2_raises_its_limit_of_streams_after_the_first_success():
    async def exchange(gateway):
        client = Client(gateway)
        await client.begin()
        await client.until(RemoteSettingsChanged)
        assert client.http.remote_settings[SettingCodes.MAX_CONCURRENT_STREAMS] == 1
        for limit in (1, 50):
            client.ask()
            await client.until(StreamEnded if limit == 1 else RemoteSettingsChanged)
            assert client.http.remote_settings[SettingCodes.MAX_CONCURRENT_STREAMS] == limit
        client.writer.transport.abort()
        await asyncio.sleep(0)

    with Http2Gateway(max_streams=50, first_streams=1) as gateway:
        gateway.answer(reply(403), reply(200, body="x"))
        asyncio.run(exchange(gateway))
