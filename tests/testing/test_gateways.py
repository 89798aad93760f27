import asyncio
import gc
import smtplib
import socket
import ssl
import threading
import time
from email.message import EmailMessage

import h2.config
import h2.connection
import h2.events
import httpx
import pytest

from flexiapi.testing import GARBAGE, GOAWAY, RESET, SILENCE, Gateway, Http2Gateway, SmtpGateway, reply
from flexiapi.testing.loop_watch import LoopWatch

FAULTS = {"reset": RESET, "garbage": GARBAGE, "goaway": GOAWAY}


def test_http1_answers_what_the_test_says_and_remembers():
    with Gateway() as gateway, httpx.Client() as client:
        gateway.answer(reply(503, headers={"retry-after": "7"}), reply(201, {"ok": True}))
        gateway.answer(lambda request: reply(200, {"asked": request.query}), path="/token")
        first = client.post(f"{gateway.url}/send", json={"to": "x"})
        assert (first.status_code, first.headers["retry-after"]) == (503, "7")
        assert client.get(f"{gateway.url}/token?a=1").json() == {"asked": {"a": "1"}}
        assert client.post(f"{gateway.url}/send", data={"to": "y"}).json() == {"ok": True}
        assert client.put(f"{gateway.url}/send").status_code == 201
        assert client.head(f"{gateway.url}/token").content == b""
        assert gateway.connections == 1
    assert gateway.sends[0].json() == {"to": "x"}
    assert gateway.sends[1].form() == {"to": "y"}
    assert [request.path for request in gateway.requests] == ["/send", "/token", "/send", "/send", "/token"]


@pytest.mark.parametrize("fault", FAULTS)
def test_http1_faults(fault):
    with Gateway() as gateway:
        gateway.answer(FAULTS[fault])
        with pytest.raises(httpx.TransportError):
            httpx.get(gateway.url)


def test_http1_silence_ends_with_the_gateway():
    with Gateway() as gateway:
        gateway.answer(SILENCE)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(gateway.url, timeout=httpx.Timeout(30, read=0.1))


def test_a_stalled_gateway_loses_the_requests_whose_client_leaves():
    with Gateway() as gateway, httpx.Client() as client:
        client.get(f"{gateway.url}/before")
        gateway.stall(600)
        for _ in range(3):
            with pytest.raises(httpx.ReadTimeout):
                client.get(f"{gateway.url}/lost", timeout=httpx.Timeout(60, read=0.1))
        gateway.stall(0)
        client.get(f"{gateway.url}/after")
    assert [request.path for request in gateway.requests] == ["/before", "/after"]
    assert gateway.connections == 4
    assert gateway.most_connections <= 2


def test_a_stalled_http2_gateway_takes_no_request():
    with Http2Gateway() as gateway:
        trust = ssl.create_default_context(cafile=gateway.ca_file)
        gateway.stall(600)
        with httpx.Client(http1=False, http2=True, verify=trust) as client, pytest.raises(httpx.ReadTimeout):
            client.get(gateway.url, timeout=httpx.Timeout(60, read=0.1))
    assert gateway.requests == []


def test_outage_and_return_on_the_same_port():
    with Gateway() as gateway:
        gateway.stop()
        with pytest.raises(httpx.ConnectError):
            httpx.get(gateway.url)
        gateway.start()
        assert httpx.get(gateway.url).status_code == 200


def test_tls_with_a_certificate_of_its_own_authority():
    with Gateway(tls=True) as gateway:
        context = ssl.create_default_context(cafile=gateway.ca_file)
        assert httpx.get(gateway.url, verify=context).status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(gateway.url)


def test_tls_with_the_certificate_of_another():
    with Gateway(tls=True, certificate_for="other.example.org") as gateway:
        context = ssl.create_default_context(cafile=gateway.ca_file)
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(gateway.url, verify=context)


def h2_exchange(gateway, count=1, certificate=None):
    """`count` requests at once on one connection: status by stream, and how it ended."""

    async def exchange():
        context = ssl.create_default_context(cafile=gateway.ca_file)
        context.set_alpn_protocols(["h2"])
        if certificate:
            context.load_cert_chain(certificate)
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, ssl=context)
        connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        connection.initiate_connection()
        head = [(":method", "POST"), (":path", "/3/device/x"), (":scheme", "https"), (":authority", "localhost")]
        for n in range(count):
            connection.send_headers(2 * n + 1, head)
            connection.send_data(2 * n + 1, b'{"n": %d}' % n, end_stream=True)
        statuses, ended, end = {}, set(), None
        while len(ended) < count and end is None:
            writer.write(connection.data_to_send())
            data = await reader.read(65536)
            if not data:
                end = "closed"
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    statuses[event.stream_id] = int(dict(event.headers)[":status"])
                if isinstance(event, h2.events.StreamEnded):
                    ended.add(event.stream_id)
                if isinstance(event, h2.events.ConnectionTerminated):
                    end = "goaway"
        writer.transport.abort()
        await asyncio.sleep(0)
        return statuses, end

    return asyncio.run(exchange())


def test_http2_answers_many_at_once_on_one_connection():
    with Http2Gateway() as gateway:
        gateway.answer(reply(429), reply(200, {"ok": True}))
        statuses, end = h2_exchange(gateway, count=50)
    assert sorted(statuses.values()) == [200] * 49 + [429]
    assert end is None
    assert gateway.connections == 1
    assert sorted(request.json()["n"] for request in gateway.sends) == list(range(50))


def test_http2_goes_away_mid_flight():
    with Http2Gateway() as gateway:
        gateway.answer(reply(200), GOAWAY)
        statuses, end = h2_exchange(gateway, count=3)
    assert list(statuses.values()) == [200]
    assert end == "goaway"


def test_http2_knows_its_client_by_certificate():
    with Http2Gateway() as gateway:
        h2_exchange(gateway, certificate=gateway.client_certificate("org.example.phone"))
        h2_exchange(gateway)
    assert [request.client for request in gateway.sends] == ["org.example.phone", None]


def mail():
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "server@example.org", "alice@example.org", "Hello"
    message.set_content("text")
    return message


def smtp_send(gateway, kind=smtplib.SMTP, **options):
    with kind("127.0.0.1", gateway.port, timeout=30, **options) as client:
        return client.send_message(mail())


def test_smtp_takes_mail():
    with SmtpGateway() as gateway:
        smtp_send(gateway)
    assert gateway.sends[0].message["Subject"] == "Hello"
    assert (gateway.sends[0].recipient, gateway.sends[0].encrypted) == ("alice@example.org", False)


def test_smtp_refuses_at_the_stage_that_the_test_says():
    with SmtpGateway() as gateway:
        gateway.answer(reply(550, body="no such user"))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            smtp_send(gateway)
    with SmtpGateway(stage="DATA") as gateway:
        gateway.answer(reply(451, body="greylisted"))
        with pytest.raises(smtplib.SMTPDataError):
            smtp_send(gateway)


def test_smtp_over_tls():
    with SmtpGateway(encryption="tls") as gateway:
        smtp_send(gateway, smtplib.SMTP_SSL, context=ssl.create_default_context(cafile=gateway.ca_file))
    assert gateway.sends[0].encrypted


def test_smtp_with_starttls_and_auth():
    with SmtpGateway(encryption="starttls", user="alice", password="wonderland") as gateway:
        context = ssl.create_default_context(cafile=gateway.ca_file)
        with smtplib.SMTP("127.0.0.1", gateway.port, timeout=30) as client:
            client.starttls(context=context)
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("alice", "queen")
            client.login("alice", "wonderland")
            client.send_message(mail())
    assert (gateway.sends[0].user, gateway.sends[0].encrypted) == ("alice", True)


@pytest.mark.parametrize("fault", FAULTS)
def test_smtp_faults(fault):
    with SmtpGateway() as gateway:
        gateway.answer(FAULTS[fault])
        with pytest.raises(smtplib.SMTPException):
            smtp_send(gateway)


def test_loop_watch_tells_a_standing_loop_from_a_waiting_one():
    async def waiting(seconds):
        with LoopWatch(seconds) as watch:
            await asyncio.sleep(seconds)
        return watch.stalled.done()

    async def standing():
        with LoopWatch(0.4) as watch:
            await asyncio.sleep(0.05)
            time.sleep(0.4)  # noqa: ASYNC251 - this is what the watch is for
        return watch.stalled.done()

    assert asyncio.run(standing())
    # A busy machine may stand still for as long as the first sleeps.
    assert not all(asyncio.run(waiting(seconds)) for seconds in (0.4, 4))


def test_connections_that_are_just_let_in_end_too():
    with Gateway() as gateway:
        # So that they come at the same moment as the end.
        gateway._loop.call_soon_threadsafe(time.sleep, 0.2)
        clients = [socket.create_connection(("127.0.0.1", gateway.port)) for _ in range(5)]
    for client in clients:
        client.close()
    # An unclosed socket is reported now, as an error.
    gc.collect()


def test_nothing_is_left_running():
    before = set(threading.enumerate())
    for kind in (Gateway, Http2Gateway, SmtpGateway):
        with kind():
            assert set(threading.enumerate()) - before
    assert not set(threading.enumerate()) - before
