"""Credentials at APNs. `signature` and `context` read files, so they must not run on the event loop."""

import ssl
import time
from functools import partial
from pathlib import Path

from aioapns.connection import AuthorizationHeaderProvider, JWTAuthorizationHeaderProvider
from jwt.exceptions import PyJWTError

from flexiapi_push_apns.config import ApnsConfig

# Apple wants no new token before.
_BETWEEN_REPLACEMENTS = 20 * 60
_CLOCK_STEP = 60


class Signature(AuthorizationHeaderProvider):
    """The signed token of a team, which all connections share: APNs refuses teams whose tokens change too often.

    aioapns signs a token and renews it after half an hour. Apple takes tokens up to an hour old.
    """

    def __init__(self, key: str, key_id: str, team_id: str) -> None:
        self._new = partial(JWTAuthorizationHeaderProvider, key, key_id, team_id)
        self._signing = self._new()
        self._header = ""
        self._issued_at = 0.0
        self._replaced_at: float | None = None

    def get_header(self) -> str:
        """Return the value of `authorization`."""
        # A token from the future is one from before the clock was set back.
        if self._issued_at - time.time() > _CLOCK_STEP:
            self._signing = self._new()
        header = str(self._signing.get_header())
        if header != self._header:
            self._header, self._issued_at = header, time.time()
        return header

    def replace(self, refused: str) -> bool:
        """Sign anew in place of a header that APNs calls expired, and return True if there is another one now.

        Apple's limit for new tokens holds here too: if the second is refused as well, the clock is wrong.
        """
        now = time.monotonic()
        if refused == self._header and (self._replaced_at is None or now - self._replaced_at > _BETWEEN_REPLACEMENTS):
            self._replaced_at = now
            self._signing = self._new()
        return refused != self.get_header()


def signature(config: ApnsConfig) -> Signature | None:
    """Return the signature of the team, or `None` without a key."""
    if config.key_file is None:
        return None
    made = Signature(config.key_file.read_text(), config.key_id or "", config.team_id or "")
    try:
        made.get_header()
    except (PyJWTError, ValueError, TypeError):
        raise ValueError(f"{config.key_file} is not a key for APNs: put the .p8 file from Apple there") from None
    return made


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
