"""Identification of this server to push servers (VAPID, RFC 8292)."""

import time
from base64 import urlsafe_b64encode
from pathlib import Path

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

# RFC 8292 allows a day; half of one is right also for a clock that is some hours wrong.
_LIFE_SECONDS = 12 * 3600
_RENEWED_BEFORE_SECONDS = 3600


class Vapid:
    """The key of this server and what it has signed with it, one token for each push server.

    The constructor reads the file. Raises `OSError`, and `ValueError` if it is not a private key for VAPID.
    """

    def __init__(self, file: Path, subject: str) -> None:
        self._key = _private_key(file)
        self._subject = subject
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public_key = urlsafe_b64encode(point).decode().rstrip("=")
        self._signed: dict[str, tuple[str, float]] = {}

    def header(self, origin: str) -> str:
        """Return the `Authorization` for a push server, by its origin."""
        now = time.time()
        token, expires = self._signed.get(origin, ("", 0.0))
        if not _RENEWED_BEFORE_SECONDS < expires - now <= _LIFE_SECONDS:
            expires = now + _LIFE_SECONDS
            claims = {"aud": origin, "exp": int(expires), "sub": self._subject}
            token = jwt.encode(claims, self._key, algorithm="ES256")
            self._signed[origin] = (token, expires)
        return f"vapid t={token}, k={self.public_key}"


def _private_key(file: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{file} is not a private key in PEM without a passphrase ({type(error).__name__})") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(f"{file} is not a key of the curve P-256, which VAPID takes")  # noqa: TRY004 - a wrong setting
    return key
