"""Firebase Cloud Messaging (HTTP v1), with the token endpoint that its clients sign in at."""

import json
import re
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from flexiapi.testing.http1 import Gateway
from flexiapi.testing.local_server import HOST
from flexiapi.testing.profiles.web_push import read_unpadded
from flexiapi.testing.replies import Reply, Request, reply

_TOKEN = re.compile(r"[\w-]+:[\w-]+")
_SEND = re.compile(r"/v1/projects/([a-z0-9-]+)/messages:send")
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AUDIENCE = "https://oauth2.googleapis.com/token"
_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_TYPE = "type.googleapis.com/google."
_LONGEST_DATA = 4096
_MINUTE = 60.0


@cache
def _account_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


class Fcm(Gateway):
    """FCM: every registration token `...:...` is a device that gets its messages, unless it is `dead` or `flooded`.

    `token_seconds` is the life of the access tokens that it issues, and `quota` the number of messages that it takes
    per minute. FCM does not recognise repeats: a message that is sent twice is delivered twice.
    """

    def __init__(self, *, tls: bool = False, certificate_for: str = HOST) -> None:
        super().__init__(tls=tls, certificate_for=certificate_for)
        self.dead: set[str] = set()
        self.flooded: set[str] = set()
        """Devices whose own quota is used up."""
        self.delivered: Counter[str] = Counter()
        self.issued: list[str] = []
        """The access tokens; one that is removed is not taken any more."""
        self.token_seconds = 3599
        self.quota: int | None = None
        self._projects: set[str] = set()
        self._taken: list[float] = []
        self.default = reply(200, {"name": "projects/example/messages/0:0"})
        self.answer(self.process)
        self.answer(self.grant, path="/token")

    def service_account(self, folder: Path, project: str = "example", private_key: str | None = None) -> Path:
        """Write a service account file of a project into a folder; with another private key it may not sign in."""
        own = _account_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self._projects.add(project)
        account = {
            "type": "service_account",
            "project_id": project,
            "private_key_id": "1",
            "private_key": private_key or own,
            "client_email": f"{project}@example.iam.gserviceaccount.com",
            "token_uri": f"{self.url}/token",
        }
        path = folder / f"{project}.json"
        path.write_text(json.dumps(account))
        return path

    def grant(self, request: Request) -> Reply:
        """Answer a request for an access token, whose assertion a service account must have signed."""
        form = request.form()
        claims = _signed_claims(form.get("assertion", ""))
        if form.get("grant_type") != _GRANT:
            return reply(400, {"error": "unsupported_grant_type"})
        if claims is None or claims.get("aud") != _AUDIENCE or claims.get("exp", 0) < time.time():
            return reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT."})
        if claims.get("scope") != _SCOPE:
            return reply(400, {"error": "invalid_scope"})
        self.issued.append(f"ya29.{len(self.issued)}")
        body = {"access_token": self.issued[-1], "expires_in": self.token_seconds, "token_type": "Bearer"}
        return reply(200, body)

    def process(self, request: Request) -> Reply:
        """Answer a message as FCM does."""
        path = _SEND.fullmatch(request.path)
        if path is None or path[1] not in self._projects:
            return self.refusal(404, "NOT_FOUND", message="Requested entity was not found.")
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.issued:
            return self.refusal(401, "UNAUTHENTICATED", message="Request had invalid authentication credentials.")
        asked = request.json()
        if refused := self._refused(path[1], asked["message"]):
            return refused
        if not asked.get("validate_only"):
            self.delivered[asked["message"]["token"]] += 1
        return reply(200, {"name": f"projects/{path[1]}/messages/0:{self.delivered.total()}"})

    def _refused(self, project: str, message: dict[str, Any]) -> Reply | None:
        token, data = message.get("token", ""), message.get("data", {})
        if not _TOKEN.fullmatch(token):
            return self.refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "The registration token is not valid.")
        if len("".join(data) + "".join(data.values())) > _LONGEST_DATA:
            return self.refusal(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", "Android message is too big")
        if token in self.dead:
            return self.refusal(404, "NOT_FOUND", "UNREGISTERED", "NotRegistered")
        if token in self.flooded:
            return self.refusal(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "Quota exceeded.", _of_device(token))
        if not self._within_quota():
            return self.refusal(429, "RESOURCE_EXHAUSTED", None, "Quota exceeded.", _of_project(project))
        return None

    def _within_quota(self) -> bool:
        now = time.monotonic()
        self._taken = [moment for moment in self._taken if moment > now - _MINUTE]
        if self.quota is not None and len(self._taken) >= self.quota:
            return False
        self._taken.append(now)
        return True

    @staticmethod
    def refusal(
        status: int,
        name: str,
        code: str | None = None,
        message: str = "",
        *details: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Return an error of FCM: Google's `status` by its name, and FCM's own `errorCode` if it has one."""
        own = [{"@type": f"{_TYPE}firebase.fcm.v1.FcmError", "errorCode": code}] if code else []
        error = {"code": status, "message": message, "status": name, "details": [*own, *details]}
        return reply(status, {"error": error}, headers=headers)


def _of_device(token: str) -> dict[str, Any]:
    violation = {"subject": f"device:{token}", "description": "Device message rate exceeded"}
    return {"@type": f"{_TYPE}rpc.QuotaFailure", "violations": [violation]}


def _of_project(project: str) -> dict[str, Any]:
    metadata = {
        "service": "fcm.googleapis.com",
        "consumer": f"projects/{project}",
        "quota_metric": "fcm.googleapis.com/send_requests",
        "quota_limit": "SendsPerMinutePerProject",
    }
    kind = f"{_TYPE}rpc.ErrorInfo"
    return {"@type": kind, "reason": "RATE_LIMIT_EXCEEDED", "domain": "googleapis.com", "metadata": metadata}


def _signed_claims(assertion: str) -> dict[str, Any] | None:
    """Return the claims of a JWT that a service account has signed (RS256), or `None`."""
    signed, _, signature = assertion.rpartition(".")
    try:
        _account_key().public_key().verify(read_unpadded(signature), signed.encode(), PKCS1v15(), SHA256())
        claims = json.loads(read_unpadded(signed.partition(".")[2]))
    except (InvalidSignature, ValueError):
        return None
    return claims if isinstance(claims, dict) else None
