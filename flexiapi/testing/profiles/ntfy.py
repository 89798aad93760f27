"""UnifiedPush servers: ntfy, and beside its topics the endpoints of others."""

import re
import time
from collections import Counter
from collections.abc import Mapping

from flexiapi.testing.http1 import Gateway
from flexiapi.testing.local_server import HOST
from flexiapi.testing.profiles.web_push import verified_claims
from flexiapi.testing.replies import Reply, Request, reply

_TOPIC = re.compile(r"/([-_A-Za-z0-9]{1,64})")
_OF_OTHERS = re.compile(r"/push/([A-Za-z0-9-]{1,64})")
_WEB_PUSH = re.compile(r"/wpush/v2/([A-Za-z0-9_=-]{1,900})")
_LONGEST_BODY = 4096
_DAY = 86400
_LIMITS = "https://ntfy.sh/docs/publish/#limitations"


class Ntfy(Gateway):
    """A server whose names get their messages, unless they are `dead`.

    - `/NAME` is a topic of ntfy, with `?up=1` an endpoint of UnifiedPush: 507 with the code 50701 if it is dead, for
      nothing has subscribed to it, and 429 after `limit` messages to it;
    - `/push/NAME` is an endpoint of other UnifiedPush servers: 404 if it is dead;
    - `/wpush/v2/NAME` is an endpoint of Web Push: 410 if it is dead, else 201 with a `Location`. It takes encrypted
      messages only, with `application_server_key` those of that VAPID key only.

    `delivered` counts by name; no such server recognises repeats. `bodies` has the last body of each name.
    """

    def __init__(self, *, tls: bool = False, certificate_for: str = HOST) -> None:
        super().__init__(tls=tls, certificate_for=certificate_for)
        self.dead: set[str] = set()
        self.delivered: Counter[str] = Counter()
        self.bodies: dict[str, bytes] = {}
        self.limit: int | None = None
        self.retry_after: str | None = "60"
        self.application_server_key: str | None = None
        self.answer(self.process)

    def endpoint(self, name: str) -> str:
        """Return the UnifiedPush endpoint of a topic."""
        return f"{self.url}/{name}?up=1"

    def process(self, request: Request) -> Reply:
        """Answer a request as such a server does."""
        if request.method == "GET":
            return reply(200, body="<!doctype html>")
        if found := _TOPIC.fullmatch(request.path):
            return self._published(found[1], request)
        if found := _OF_OTHERS.fullmatch(request.path):
            return reply(404) if found[1] in self.dead else self._kept(found[1], request, reply(202))
        if found := _WEB_PUSH.fullmatch(request.path):
            return self._web_pushed(found[1], request)
        return _refusal(40401, "page not found")

    def _published(self, name: str, request: Request) -> Reply:
        if name in self.dead and request.query.get("up") == "1":
            return _refusal(50701, "cannot publish to UnifiedPush topic without previously active subscriber")
        if len(request.body) > _LONGEST_BODY:
            return _refusal(41301, "attachment too large, or bandwidth limit reached", _LIMITS)
        if self.limit is not None and self.delivered[name] >= self.limit:
            headers = {"retry-after": self.retry_after} if self.retry_after else {}
            return _refusal(42901, "limit reached: too many requests, please be nice", _LIMITS, headers)
        told = {"id": f"m{self.delivered.total()}", "time": int(time.time()), "event": "message", "topic": name}
        return self._kept(name, request, reply(200, told))

    def _web_pushed(self, name: str, request: Request) -> Reply:
        if name in self.dead:
            return _moan(410, 103, "Request did not validate: endpoint no longer valid")
        if "ttl" not in request.headers:
            return _moan(400, 111, "Missing TTL value")
        if request.headers.get("content-encoding") != "aes128gcm":
            return _moan(400, 110, "Unknown Content-Encoding")
        if len(request.body) > _LONGEST_BODY:
            return _moan(413, 104, "This message is intended for a constrained device and is limited in size")
        if self.application_server_key is not None and not self._is_signed(request):
            return _moan(401, 109, "Invalid VAPID auth")
        created = {"location": f"{self.url}/m/{name}", "ttl": request.headers["ttl"]}
        return self._kept(name, request, reply(201, headers=created))

    def _is_signed(self, request: Request) -> bool:
        try:
            key, claims = verified_claims(request.headers.get("authorization", ""))
        except ValueError:
            return False
        lives = 0 < claims.get("exp", 0) - time.time() <= _DAY
        return key == self.application_server_key and claims.get("aud") == self.url and lives

    def _kept(self, name: str, request: Request, answer: Reply) -> Reply:
        self.delivered[name] += 1
        self.bodies[name] = request.body
        return answer


def _refusal(code: int, error: str, link: str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
    """Return an error of ntfy, whose code begins with the status."""
    status = code // 100
    more = {"link": link} if link else {}
    return reply(status, {"code": code, "http": status, "error": error, **more}, headers=headers)


def _moan(status: int, number: int, message: str) -> Reply:
    """Return an error of Mozilla's server."""
    return reply(status, {"code": status, "errno": number, "message": message})
