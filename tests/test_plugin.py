"""Functions of the backend contract."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from flexiapi.plugin import (
    Permanent,
    PushMessage,
    Retryable,
    http_client,
    normalised_url,
    retry_after,
    tls_context,
    unreachable,
    usual_identity,
)
from flexiapi.testing import RESET, SILENCE, Gateway, reply


def failure(gateway, ca_file):
    with httpx.Client(verify=tls_context(ca_file)) as client, pytest.raises(httpx.RequestError) as caught:
        client.get(gateway.url)
    return caught.value


def test_tls_trusts_the_file_and_nothing_else():
    with Gateway(tls=True) as gateway:
        with httpx.Client(verify=tls_context(gateway.ca_file)) as client:
            assert client.get(gateway.url).is_success
        told = unreachable(failure(gateway, None), "Acme", "url and ca_file")
    assert isinstance(told, Retryable)
    assert told.reason.startswith("the certificate of Acme is not trusted (")
    assert told.reason.endswith("): look at url and ca_file")


def test_a_certificate_for_somebody_else_is_not_trusted():
    with Gateway(tls=True, certificate_for="elsewhere.example.org") as gateway:
        assert "look at ca_file" in unreachable(failure(gateway, gateway.ca_file), "Acme").reason


def test_a_file_without_certificates_fails_at_once(tmp_path):
    (tmp_path / "ca.pem").write_text("")
    for name in ("ca.pem", "none.pem"):
        with pytest.raises(OSError, match=r".*"):
            tls_context(tmp_path / name)


@pytest.mark.parametrize("most", [1, 25, 40])
def test_bursts_reuse_as_many_connections_as_there_are_messages_under_way(most):
    async def bursts(url, context):
        async with http_client(most, context, headers={"x-of": "acme"}) as http:
            for _ in range(3):
                await asyncio.gather(*(http.get(url) for _ in range(most)))

    with Gateway() as gateway:
        asyncio.run(bursts(gateway.url, tls_context(None)))
        assert len(gateway.requests) == 3 * most
        assert gateway.connections <= most
        assert {request.headers["x-of"] for request in gateway.requests} == {"acme"}


def test_messages_that_fail_or_are_given_up_leave_their_place():
    async def several(gateway, context):
        async with http_client(1, context) as http:
            gateway.answer(RESET, SILENCE, reply(200, {"id": "1"}))
            with pytest.raises(httpx.ReadError):
                await http.get(gateway.url, timeout=60)
            with pytest.raises(httpx.ReadTimeout):
                await http.get(gateway.url, timeout=httpx.Timeout(60, read=0.1))
            async with http.stream("GET", gateway.url, timeout=60):
                pass
            assert (await http.get(gateway.url, timeout=60)).is_success

    with Gateway() as gateway:
        asyncio.run(several(gateway, tls_context(None)))


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(monkeypatch, name):
    async def get(context):
        async with http_client(5, context) as http:
            return (await http.get("http://provider.invalid/messages")).status_code

    with Gateway() as proxy:
        monkeypatch.setenv(name, proxy.url)
        assert asyncio.run(get(tls_context(None))) == 200
        assert [request.target for request in proxy.requests] == ["http://provider.invalid/messages"]


def test_an_outage_is_told_by_its_kind():
    with Gateway(tls=True) as gateway:
        gateway.stop()
        told = unreachable(failure(gateway, gateway.ca_file), "Acme")
    assert told.reason == "Acme cannot be reached, or broke off (ConnectError)"


@pytest.mark.parametrize("name", ["Retry-After", "retry-after", "RETRY-AFTER"])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17.0),
        ("0", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Friday, 31-Dec-99 23:59:59 GMT", 0.0),
        ("1.5", None),
        ("-5", None),
        ("7, 8", None),
        ("", None),
        ("soon", None),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
)
def test_retry_after(name, value, seconds):
    assert retry_after({"x": "1", name: value}) == seconds
    assert retry_after(httpx.Headers({name: value})) == seconds


def test_retry_after_a_date_to_come():
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    for moment in (format_datetime(in_an_hour, usegmt=True), format_datetime(in_an_hour.replace(tzinfo=None))):
        assert 3000 < retry_after({"retry-after": moment}) <= 3600


def test_without_retry_after():
    assert retry_after({}) is None


@pytest.mark.parametrize("written", ["HTTPS://NTFY.sh:443/up%7e1?a=%2f", "https://ntfy.sh/%75p~1?a=%2F"])
def test_a_url_has_one_spelling(written):
    assert normalised_url(written) == "https://ntfy.sh/up~1?a=%2F"


@pytest.mark.parametrize("written", ["https://[::1/up", "https://x:port/up"])
def test_what_is_no_url_has_no_identity(written):
    with pytest.raises(Permanent):
        usual_identity(PushMessage("ntfy", "a", written, {}))


def test_devices_of_unknown_providers_are_as_they_are_written():
    spelt = {usual_identity(PushMessage(*address, {})) for address in [("acme", "a", "B"), ("acme", "a", "b")]}
    assert len(spelt) == 2
