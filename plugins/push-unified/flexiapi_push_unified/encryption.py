"""Encryption of messages for the app (RFC 8291), with the keys that it has put into `pn_param`."""

import binascii
import re
from base64 import urlsafe_b64decode
from typing import NamedTuple

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec

from flexiapi.plugin import Permanent

_CURVE = ec.SECP256R1()
_FORM = re.compile(r"(?:.*:)?([A-Za-z0-9_+/-]{87})=?:([A-Za-z0-9_+/-]{22})={0,2}")
# An app's own word is shorter, or does not begin with the letter that every uncompressed point begins with.
_MEANT_AS_KEYS = re.compile(r"(?:.*:)?B[A-Za-z0-9_+/=-]{64,}(?::.*)?")
_MALFORMED = "the keys in pn_param are malformed: write p256dh:auth, in base64url without padding"

LONGEST = 3993
"""Bytes of a message that fit, encrypted, into the 4096 that every push server takes (RFC 8291, section 4)."""


class Keys(NamedTuple):
    """The public key of an app, and the secret that it shares with its server."""

    public: ec.EllipticCurvePublicKey
    secret: bytes


def keys_of(param: str) -> Keys | None:
    """Return the keys in a `pn_param`, or `None` if it has none. Raises `Permanent` for keys that are malformed."""
    found = _FORM.fullmatch(param)
    if found is None:
        if _MEANT_AS_KEYS.fullmatch(param):
            raise Permanent(_MALFORMED)
        return None
    point, secret = (_decoded(text) for text in found.groups())
    try:
        return Keys(ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point), secret)
    except ValueError:
        raise Permanent(_MALFORMED) from None


def _decoded(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))
    except binascii.Error:
        raise Permanent(_MALFORMED) from None


def encrypted(
    body: bytes, keys: Keys, sender: ec.EllipticCurvePrivateKey | None = None, salt: bytes | None = None
) -> bytes:
    """Encrypt a message. The sender's key and the salt are new for each, unless a test says them.

    Raises `Permanent` if it is too long.
    """
    if len(body) > LONGEST:
        raise Permanent(f"the message is longer than the {LONGEST} bytes that can be encrypted for one push")
    # A fifth of a millisecond: a thread would take longer.
    sealed: bytes = http_ece.encrypt(
        body,
        salt=salt,
        private_key=sender or ec.generate_private_key(_CURVE),
        dh=keys.public,
        auth_secret=keys.secret,
        version="aes128gcm",
    )
    return sealed
