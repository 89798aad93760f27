"""Certificates for gateways that speak TLS, made anew for each gateway."""

import ssl
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme


class Certificates:
    """A certificate authority of its own with one server certificate, valid for `names`."""

    def __init__(self, *names: str) -> None:
        self._folder = TemporaryDirectory(prefix="flexiapi-testing-")
        self._authority = trustme.CA()
        self._server = self._authority.issue_cert(*names)
        self.ca_file = Path(self._folder.name) / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_file))

    def server_context(self, *protocols: str) -> ssl.SSLContext:
        """Return the server's TLS context, which asks for a client certificate and accepts clients without one."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._server.configure_cert(context)
        self._authority.configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context

    def client_certificate(self, name: str) -> Path:
        """Return a file with a new client certificate of that common name, and its key."""
        issued = self._authority.issue_cert(name, common_name=name)
        path = Path(self._folder.name) / f"{name}.pem"
        issued.private_key_and_cert_chain_pem.write_to_path(str(path))
        return path

    def discard(self) -> None:
        """Remove the files."""
        self._folder.cleanup()


def common_name(certificate: object) -> str | None:
    """Return the common name in the result of `SSLObject.getpeercert`."""
    if not isinstance(certificate, dict):
        return None
    subject = dict(pair[0] for pair in certificate.get("subject", ()))
    return subject.get("commonName")
