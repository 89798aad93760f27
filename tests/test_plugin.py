"""What the contract of backends offers beside its classes."""

import httpx
import pytest

from flexiapi.plugin import Retryable, tls_context, unreachable
from flexiapi.testing import Gateway


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


def test_an_outage_is_told_by_its_kind():
    with Gateway(tls=True) as gateway:
        gateway.stop()
        told = unreachable(failure(gateway, gateway.ca_file), "Acme")
    assert told.reason == "Acme cannot be reached, or broke off (ConnectError)"
