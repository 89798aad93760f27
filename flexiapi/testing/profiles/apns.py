"""Apple Push Notification service."""

import json
import re
import time
from base64 import urlsafe_b64decode
from collections import Counter
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from flexiapi.testing.http2 import Http2Gateway
from flexiapi.testing.local_server import HOST
from flexiapi.testing.replies import Reply, Request, reply

_DEVICE = re.compile(r"/3/device/([0-9A-Fa-f]{64,200})")
_ID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_PUSH_TYPES = ("alert", "background", "voip", "complication", "fileprovider", "mdm", "liveactivity", "location")
_HALF_OF_SIGNATURE = 32
_LONGEST_PAYLOAD = 4096
_LONGEST_COLLAPSE_ID = 64
_HOUR = 3600


@cache
def _team_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


class Apns(Http2Gateway):
    """APNs: every device token gets its notifications, unless it is `dead`, a `stranger` or `flooded`.

    A client signs in by a certificate, or by a token that the key of `sign_in` has signed and that is no older than
    `token_seconds` by this server's clock, which `clock_ahead` seconds move. One request at a time is served until one
    has succeeded. APNs does not compare ids: a notification that is sent twice is delivered twice; `ids` has those of
    each device. Bodies of refusals are `padding` bytes longer than Apple's, so that they fill a window sooner.
    """

    def __init__(self, *, max_streams: int = 1000, first_streams: int | None = 1, certificate_for: str = HOST) -> None:
        super().__init__(max_streams=max_streams, first_streams=first_streams, certificate_for=certificate_for)
        self.dead: set[str] = set()
        self.strangers: set[str] = set()
        """Devices of the other environment."""
        self.flooded: set[str] = set()
        """Devices that were sent too much one after the other."""
        self.topics: set[str] | None = None
        """The bundle IDs that the client may send to; `None` for all."""
        self.delivered: Counter[str] = Counter()
        self.ids: dict[str, list[str]] = {}
        self.token_seconds = _HOUR
        self.clock_ahead = 0.0
        self.padding = 0
        self.default = reply(200)
        self.answer(self.process)

    def sign_in(self, folder: Path) -> dict[str, Any]:
        """Write the key of a team into a folder, and return it as the settings of a backend for APNs."""
        path = folder / "AuthKey_KEY1234567.p8"
        path.write_bytes(_team_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return {"key_file": path, "key_id": "KEY1234567", "team_id": "ABCD1234EF"}

    def received_one(self, request: Request, path: str | None = None) -> Reply:
        """Record a request and return its answer, which has the id of the request, or a new one."""
        answer = super().received_one(request, path)
        body = answer.body + b" " * self.padding if answer.body else b""
        headers = {**answer.headers, "apns-id": request.headers.get("apns-id", str(uuid4()).upper())}
        return Reply(answer.status, body, headers, answer.delay, answer.fault)

    def process(self, request: Request) -> Reply:
        """Answer a notification as APNs does."""
        device = _DEVICE.fullmatch(request.path)
        fault = self._unauthorized(request) or _malformed(request)
        if fault is not None:
            return fault
        if device is None:
            return _refusal(400, "BadDeviceToken")
        if self.topics is not None and request.headers["apns-topic"] not in self.topics:
            return _refusal(400, "TopicDisallowed")
        return self._delivered(device[1], request)

    def _delivered(self, token: str, request: Request) -> Reply:
        spellings = {token, token.lower(), token.upper()}
        if spellings & self.dead:
            return _refusal(410, "Unregistered", timestamp=int(time.time() * 1000))
        if spellings & self.strangers:
            return _refusal(400, "BadDeviceToken")
        if spellings & self.flooded:
            return _refusal(429, "TooManyRequests")
        self.delivered[token] += 1
        self.ids.setdefault(token, []).append(request.headers.get("apns-id", ""))
        return reply(200)

    def _unauthorized(self, request: Request) -> Reply | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not token:
            return None if request.client else _refusal(403, "MissingProviderToken")
        claims = _claims(token) if scheme.lower() == "bearer" else None
        if claims is None:
            return _refusal(403, "InvalidProviderToken")
        age = time.time() + self.clock_ahead - claims.get("iat", 0)
        return _refusal(403, "ExpiredProviderToken") if age > self.token_seconds else None


def _malformed(request: Request) -> Reply | None:
    headers = request.headers
    kind, priority = headers.get("apns-push-type", ""), headers.get("apns-priority", "10")
    checks = {
        "MethodNotAllowed": request.method != "POST",
        "BadPath": not request.path.startswith("/3/device/"),
        "MissingTopic": not headers.get("apns-topic"),
        "BadMessageId": "apns-id" in headers and not _ID.fullmatch(headers["apns-id"]),
        "InvalidPushType": kind not in _PUSH_TYPES,
        "BadPriority": priority not in ("1", "5", "10") or (kind == "background" and priority != "5"),
        "BadExpirationDate": not headers.get("apns-expiration", "0").isdecimal(),
        "BadCollapseId": len(headers.get("apns-collapse-id", "").encode()) > _LONGEST_COLLAPSE_ID,
        "PayloadEmpty": not request.body,
        "PayloadTooLarge": len(request.body) > _LONGEST_PAYLOAD,
    }
    reason = next((name for name, fails in checks.items() if fails), None)
    statuses = {"MethodNotAllowed": 405, "BadPath": 404, "PayloadTooLarge": 413}
    return None if reason is None else _refusal(statuses.get(reason, HTTPStatus.BAD_REQUEST), reason)


def _refusal(status: int, reason: str, **more: int) -> Reply:
    return reply(status, {"reason": reason, **more})


def _claims(token: str) -> dict[str, Any] | None:
    """Return what a token says that the key of the team has signed."""
    signed, _, signature = token.rpartition(".")
    try:
        raw = _decoded(signature)
        halves = (int.from_bytes(half) for half in (raw[:_HALF_OF_SIGNATURE], raw[_HALF_OF_SIGNATURE:]))
        _team_key().public_key().verify(encode_dss_signature(*halves), signed.encode(), ec.ECDSA(SHA256()))
        return dict(json.loads(_decoded(signed.partition(".")[2])))
    except (InvalidSignature, ValueError):
        return None


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
