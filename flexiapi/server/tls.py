"""The server's own TLS: its certificate and key, checked before they are used."""

import os
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from flexiapi.errors import ConfigurationError
from flexiapi.observing import log
from flexiapi.settings import ServerSettings

_PEM = Encoding.PEM
_SOON = timedelta(days=7)


@dataclass(frozen=True)
class ServerCertificate:
    """A certificate with its chain, and its key, as the files were when they were read."""

    file: Path
    chain: tuple[x509.Certificate, ...]
    pem: bytes

    @property
    def names(self) -> list[str]:
        """The host names and addresses that the certificate is for."""
        try:
            found = self.chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return []
        addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
        return [*found.get_values_for_type(x509.DNSName), *addresses]

    @property
    def ends_at(self) -> datetime:
        """The time at which the first certificate of the chain expires."""
        return min(certificate.not_valid_after_utc for certificate in self.chain)

    def doubts(self, now: datetime) -> Iterator[str]:
        """Yield what clients will refuse, now or within a week."""
        begins_at = max(certificate.not_valid_before_utc for certificate in self.chain)
        if now > self.ends_at:
            yield f"the server's certificate has expired on {self.ends_at:%Y-%m-%d}: clients refuse it"
        elif now > self.ends_at - _SOON:
            yield f"the server's certificate expires on {self.ends_at:%Y-%m-%d}: renew it"
        if now < begins_at:
            yield f"the server's certificate is not valid before {begins_at:%Y-%m-%d}: clients refuse it"

    def copied(self) -> int:
        """Return the descriptor of a copy in memory, key and chain in one, for processes that are started later."""
        descriptor = os.memfd_create("certificate")
        with open(descriptor, "wb", closefd=False) as copy:  # it has no path
            copy.write(self.pem)
        return descriptor

    def context(self) -> ssl.SSLContext:
        """Return a context for TLS 1.2 and newer, and HTTP/1.1. Raises `ConfigurationError`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # A client that negotiates anew and again would cost a handshake each time.
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        descriptor = self.copied()
        try:
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        except ssl.SSLError as error:
            raise ConfigurationError(
                f"server.certificate (SERVER_CERTIFICATE): {self.file} cannot be used: {error.reason or error}."
            ) from error
        finally:
            os.close(descriptor)
        return context


def certificate_of(server: ServerSettings) -> ServerCertificate | None:
    """Return the configured certificate and key, or `None` without any. Raises `ConfigurationError`."""
    if server.certificate is None or server.key is None:
        return None
    name = "server.certificate (SERVER_CERTIFICATE)"
    read = _read(name, server.certificate)
    try:
        chain = x509.load_pem_x509_certificates(read)
    except ValueError as error:
        raise ConfigurationError(f"{name}: {server.certificate} holds no certificate in PEM form.") from error
    key_pem = _read("server.key (SERVER_KEY)", server.key)
    public = _key(server.key, key_pem).public_key()
    if chain[0].public_key() != public:
        is_misplaced = any(certificate.public_key() == public for certificate in chain)
        advice = (
            "the server's own certificate must be the first in the file, its chain follows"
            if is_misplaced
            else f"{server.certificate} has the certificate of another key"
        )
        raise ConfigurationError(f"server.key (SERVER_KEY): {server.key} does not belong to the certificate: {advice}.")
    pem = b"\n".join([key_pem, *(certificate.public_bytes(_PEM) for certificate in chain)])
    certificate = ServerCertificate(server.certificate, tuple(chain), pem)
    certificate.context()
    return certificate


def context_of(server: ServerSettings) -> ssl.SSLContext | None:
    """Return the context of connections, or `None` for plain HTTP. Raises `ConfigurationError`."""
    certificate = certificate_of(server)
    if certificate is None:
        return None
    for doubt in certificate.doubts(datetime.now(UTC)):
        log.warning("certificate", reason=doubt)
    return certificate.context()


def _read(name: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{name}: {file} cannot be read: {error.strerror}. The user of the server needs to read it."
        ) from error


def _key(file: Path, pem: bytes) -> PrivateKeyTypes:
    name = "server.key (SERVER_KEY)"
    try:
        return load_pem_private_key(pem, None)
    except TypeError as error:
        raise ConfigurationError(
            f"{name}: {file} is encrypted. Write the key without its passphrase into a file that only the server "
            "reads: openssl pkey -in FILE -out NEW"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{name}: {file} holds no private key in PEM form.") from error
