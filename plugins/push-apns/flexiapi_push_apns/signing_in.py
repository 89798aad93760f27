"""Credentials at APNs. `signature` and `context` read files, so they must not run on the event loop."""

import ssl
import time
from pathlib import Path

import jwt
from jwt.exceptions import PyJWTError

from flexiapi_push_apns.config import ApnsConfig

# Apple takes tokens between 20 minutes, before which no new one is wanted, and an hour old.
_LIFE = 30 * 60
_BETWEEN_REPLACEMENTS = 20 * 60
_CLOCK_STEP = 60


class Signature:
    """The signed token of a team, which all connections share: APNs refuses teams whose tokens change too often."""

    def __init__(self, key: str, key_id: str, team_id: str) -> None:
        self._key = key
        self._key_id = key_id
        self._team_id = team_id
        self._issued_at = 0.0
        self._header = ""
        self._replaced_at: float | None = None

    @property
    def header(self) -> str:
        """The value of `authorization`."""
        # A token from the future is one from before the clock was set back.
        if not self._header or not -_CLOCK_STEP <= time.time() - self._issued_at <= _LIFE:
            self._sign()
        return self._header

    def replace(self, refused: str) -> bool:
        """Sign anew in place of a header that APNs calls expired, and return True if there is another one now.

        Apple's limit for new tokens holds here too: if the second is refused as well, the clock is wrong.
        """
        now = time.monotonic()
        if refused == self._header and (self._replaced_at is None or now - self._replaced_at > _BETWEEN_REPLACEMENTS):
            self._replaced_at = now
            self._sign()
        return refused != self._header

    def _sign(self) -> None:
        self._issued_at = int(time.time())
        claims = {"iss": self._team_id, "iat": self._issued_at}
        self._header = f"bearer {jwt.encode(claims, self._key, algorithm='ES256', headers={'kid': self._key_id})}"


def signature(config: ApnsConfig) -> Signature | None:
    """Return the signature of the team, or `None` without a key."""
    if config.key_file is None:
        return None
    made = Signature(config.key_file.read_text(), config.key_id or "", config.team_id or "")
    try:
        assert made.header
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
