"""The far end of Web Push: an app that reads messages (RFC 8291), and a server that reads VAPID (RFC 8292)."""

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_CURVE = ec.SECP256R1()
_VAPID = re.compile(r"vapid t=(?P<token>[\w-]+\.[\w-]+\.[\w-]+), ?k=(?P<key>[\w-]{87})")
_KEY_ID = 21
_HALF_OF_SIGNATURE = 32
_LAST_RECORD = 2


def unpadded(data: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(data).decode().rstrip("=")


def read_unpadded(text: str) -> bytes:
    """Decode base64url without padding. Raises `ValueError`."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class WebPushReceiver:
    """An app with the keys of one subscription; `param` is the `pn_param` that it registers with."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey, secret: bytes) -> None:
        self._key = private_key
        self._secret = secret

    @property
    def param(self) -> str:
        """The public key and the authentication secret, `p256dh:auth`."""
        return f"{unpadded(self._public)}:{unpadded(self._secret)}"

    @property
    def _public(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def read(self, body: bytes) -> bytes:
        """Decrypt a message of one record. Raises `ValueError` or `InvalidTag` for what is none for this app."""
        salt, end = body[:16], _KEY_ID + body[_KEY_ID - 1]
        sender = body[_KEY_ID:end]
        shared = self._key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, sender))
        combined = _derived(self._secret, shared, b"WebPush: info\0" + self._public + sender, 32)
        key = _derived(salt, combined, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(salt, combined, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, body[end:], None).rstrip(b"\0")
        if plain[-1:] != bytes([_LAST_RECORD]):
            raise ValueError("not the last record")
        return plain[:-1]


def _derived(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """Return the first bytes of HKDF-SHA-256, of which one block is enough here."""
    return hmac.digest(hmac.digest(salt, secret, "sha256"), info + b"\1", "sha256")[:length]


def verified_claims(authorization: str) -> tuple[str, dict[str, Any]]:
    """Return the public key in an `Authorization` of VAPID, and the claims that it has signed. Raises `ValueError`."""
    found = _VAPID.fullmatch(authorization)
    if found is None:
        raise ValueError("not an Authorization of VAPID")
    header, claims, signature = found["token"].split(".")
    public = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, read_unpadded(found["key"]))
    raw = read_unpadded(signature)
    halves = (int.from_bytes(half) for half in (raw[:_HALF_OF_SIGNATURE], raw[_HALF_OF_SIGNATURE:]))
    try:
        public.verify(encode_dss_signature(*halves), f"{header}.{claims}".encode(), ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise ValueError("the signature is not that of the key") from None
    if json.loads(read_unpadded(header)).get("alg") != "ES256":
        raise ValueError("not signed by ES256")
    return found["key"], dict(json.loads(read_unpadded(claims)))
