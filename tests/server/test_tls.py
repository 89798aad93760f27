"""The server's certificate and key: the ones that are served, and the reasons why others are not."""

import asyncio
import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from flexiapi.errors import ConfigurationError
from flexiapi.server.tls import certificate_of, context_of
from flexiapi.settings import ServerSettings
from tests.kit.doors import Door
from tests.kit.programs import binary_of


@pytest.fixture
def files(tmp_path, authority):
    """The folder of a certificate `cert` and its key `key`."""
    (tmp_path / "cert").write_bytes(authority.certificate_file.read_bytes() + authority.ca_file.read_bytes())
    (tmp_path / "key").write_bytes(authority.key_file.read_bytes())
    return tmp_path


def server(files):
    return ServerSettings(certificate=files / "cert", key=files / "key")


def refusal(files):
    with pytest.raises(ConfigurationError) as caught:
        certificate_of(server(files))
    return str(caught.value)


def handshake(files, trusting, version=None, alpn=None):
    """The version of TLS and the protocol that a client agrees upon."""

    async def inside():
        async with asyncio.timeout(60):
            door = Door(tls=context_of(server(files)))
            if version is not None:
                trusting.minimum_version = trusting.maximum_version = version
            if alpn:
                trusting.set_alpn_protocols(alpn)
            try:
                reader, writer = await asyncio.open_connection(*door.address, ssl=trusting)
                assert (await reader.readline()).endswith(b" https\n")
                agreed = writer.get_extra_info("ssl_object")
                writer.close()
                await writer.wait_closed()
            finally:
                await door.end()
            return agreed.version(), agreed.selected_alpn_protocol()

    return asyncio.run(inside())


@pytest.fixture
def trusting(authority):
    return ssl.create_default_context(cafile=authority.ca_file)


def test_without_a_certificate_there_is_no_tls():
    assert context_of(ServerSettings()) is None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_from_1_2_on_with_http_1_1(files, trusting, version):
    agreed = handshake(files, trusting, version, ["h2", "http/1.1"])
    assert agreed == (version.name.replace("_", "."), "http/1.1")


def test_older_tls_and_renegotiation_are_refused(files):
    context = context_of(server(files))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION


def test_a_client_that_offers_http_2_alone_is_answered(files, trusting):
    assert handshake(files, trusting, alpn=["h2"])[1] is None


def test_the_chain_is_served(files):
    async def inside():
        async with asyncio.timeout(60):
            door = Door(tls=context_of(server(files)))
            host, port = door.address
            command = [binary_of("openssl"), "s_client", "-connect", f"{host}:{port}", "-showcerts"]
            client = await asyncio.create_subprocess_exec(
                *command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            said, _ = await client.communicate()
            await door.end()
            return said

    assert asyncio.run(inside()).count(b"BEGIN CERTIFICATE") == 2


@pytest.mark.parametrize("kind", ["key", "cert"])
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda file: file.unlink(), "cannot be read: No such file or directory."),
        (lambda file: (file.unlink(), file.mkdir()), "cannot be read: Is a directory."),
        (lambda file: file.write_bytes(b""), "in PEM form"),
        (lambda file: file.write_bytes(b"\x30\x82\xff\0"), "in PEM form"),
        (lambda file: file.write_bytes(file.read_bytes()[:100]), "in PEM form"),
    ],
    ids=["missing", "a folder", "empty", "not text", "cut short"],
)
def test_a_file_that_cannot_be_used_is_named(files, kind, spoil, sentence):
    spoil(files / kind)
    said = refusal(files)
    assert str(files / kind) in said
    assert sentence in said


def test_a_key_of_another_certificate_is_refused(files):
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(files / "key")
    assert "has the certificate of another key" in refusal(files)


def test_a_chain_in_the_wrong_order_is_refused(files, authority):
    (files / "cert").write_bytes(authority.ca_file.read_bytes() + authority.certificate_file.read_bytes())
    assert "must be the first in the file" in refusal(files)


def test_an_encrypted_key_is_refused(files):
    key = load_pem_private_key((files / "key").read_bytes(), None)
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (files / "key").write_bytes(sealed)
    assert "is encrypted" in refusal(files)


def test_one_file_with_both_will_do(files, trusting):
    both = (files / "key").read_bytes() + (files / "cert").read_bytes()
    (files / "cert").write_bytes(both)
    (files / "key").write_bytes(both)
    assert handshake(files, trusting)[0] == "TLSv1.3"


def test_keys_in_the_forms_of_openssl_are_read(files):
    """Those of elliptic curves, as openssl writes them, with the parameters before; and RSA keys."""
    openssl = binary_of("openssl")
    key = files / "key"
    for made in (["ecparam", "-name", "prime256v1", "-genkey", "-out", key], ["genrsa", "-out", key, "2048"]):
        subprocess.run([openssl, *made], check=True, capture_output=True)
        subject = [*("-subj", "/CN=x"), *("-addext", "subjectAltName=DNS:a.example.org,IP:192.0.2.1")]
        command = [openssl, "req", "-x509", "-new", "-key", key, "-out", files / "cert", *subject]
        subprocess.run(command, check=True, capture_output=True)
        certificate = certificate_of(server(files))
        assert certificate.names == ["a.example.org", "192.0.2.1"]
        assert context_of(server(files)) is not None


@pytest.mark.parametrize(
    ("days", "doubts"),
    [
        (-3, ["has expired on"]),
        (3, ["expires on"]),
        (30, []),
    ],
)
def test_an_expired_certificate_is_a_warning_with_the_date(files, days, doubts, caplog):
    ends = datetime.now(UTC) + timedelta(days=days)
    begins = ends - timedelta(days=90)
    issued = trustme.CA().issue_cert("localhost", not_before=begins, not_after=ends)
    issued.cert_chain_pems[0].write_to_path(files / "cert")
    issued.private_key_pem.write_to_path(files / "key")
    assert context_of(server(files)) is not None
    found = list(certificate_of(server(files)).doubts(datetime.now(UTC)))
    assert len(found) == len(doubts)
    for text, doubt in zip(found, doubts, strict=True):
        assert f"{doubt} {ends:%Y-%m-%d}" in text
        assert text in caplog.text


def test_a_certificate_of_tomorrow_is_a_warning(files):
    begins = datetime.now(UTC) + timedelta(days=1)
    issued = trustme.CA().issue_cert("localhost", not_before=begins, not_after=begins + timedelta(days=90))
    issued.cert_chain_pems[0].write_to_path(files / "cert")
    issued.private_key_pem.write_to_path(files / "key")
    [found] = certificate_of(server(files)).doubts(datetime.now(UTC))
    assert "is not valid before" in found
