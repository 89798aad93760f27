"""Credentials at APNs. These functions read files, so they must not run on the event loop."""

import ssl
from pathlib import Path

from aioapns.connection import JWTAuthorizationHeaderProvider
from jwt.exceptions import PyJWTError

from flexiapi_push_apns.config import ApnsConfig


def authorization(config: ApnsConfig) -> JWTAuthorizationHeaderProvider | None:
    """Return a provider of signed tokens, or `None` without a key.

    It is shared by all connections: APNs refuses teams whose tokens change too often.
    """
    if config.key_file is None:
        return None
    provider = JWTAuthorizationHeaderProvider(config.key_file.read_text(), config.key_id, config.team_id)
    try:
        provider.get_header()
    except (PyJWTError, ValueError, TypeError):
        raise ValueError(f"{config.key_file} is not a key for APNs: put the .p8 file from Apple there") from None
    return provider


def context(config: ApnsConfig, certificate: Path | None) -> ssl.SSLContext:
    """Return the TLS context, with the client's certificate if there is one."""
    made = ssl.create_default_context(cafile=config.ca_file)
    made.set_alpn_protocols(["h2"])
    if certificate is None:
        return made
    try:
        # With an empty password, an encrypted key is an error; otherwise OpenSSL would prompt on the terminal.
        made.load_cert_chain(certificate, password="")
    except ssl.SSLError:
        raise ValueError(f"{certificate} must hold a certificate and its key, without password, as PEM") from None
    return made
