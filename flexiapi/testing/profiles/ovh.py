"""The behaviour of OVHcloud's SMS: signed requests, jobs, credits, and callbacks about deliveries."""

import hashlib
import itertools
import math
import time
from collections import defaultdict
from typing import Any

import httpx

from flexiapi.testing.http1 import Gateway
from flexiapi.testing.local_server import HOST
from flexiapi.testing.replies import Reply, Request, reply

_CLOCK_TOLERANCE_SECONDS = 30
_AN_HOUR_SECONDS = 3600
_CHARACTERS_OF_ONE = {"7bit": 160, "8bit": 70}


class Ovh(Gateway):
    """OVHcloud's API for one application, which recognises no repeats, as the real one.

    It takes only what is signed for its own clock, `ahead` seconds before this machine's. Numbers in `dead` and what
    does not begin with `+` become `invalidReceivers`. A job takes a credit for each part of its text, and is refused
    when `credits` are used up.
    """

    application_key, application_secret, consumer_key = "app-key", "app-s3cret", "consumer-k3y"

    def __init__(self, *, tls: bool = False, certificate_for: str = HOST) -> None:
        super().__init__(tls=tls, certificate_for=certificate_for)
        self.ahead = float(_AN_HOUR_SECONDS)
        self.services = ["sms-ab12345-1", "sms-ab12345-2"]
        self.credits = 100000.0
        self.quota: int | None = None
        """The jobs that it takes still; further ones are too many (429)."""
        self.dead: set[str] = set()
        self.delivered: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        """The accepted jobs by number."""
        self._numbers = itertools.count(27814656)
        self.default = reply(200, _report(1, ["+33612345678"], [], [27814656]))
        self.answer(self._serve)
        self.answer(lambda _: reply(200, int(time.time() + self.ahead)), path="/1.0/auth/time")
        self.answer(lambda _: reply(200, self.services), path="/1.0/sms/")
        for service in self.services:
            self.answer(self._account, path=f"/1.0/sms/{service}")

    def received_one(self, request: Request, path: str | None = None) -> Reply:
        """Record a request and return its answer, a refusal if it is not signed as OVH demands."""
        complaint = None if path == "/1.0/auth/time" else self._complaint(request)
        if complaint is None:
            return super().received_one(request, path)
        self.requests.append(request)
        return complaint

    def _complaint(self, request: Request) -> Reply | None:
        moment = request.headers.get("x-ovh-timestamp", "0")
        if abs(int(moment) - time.time() - self.ahead) > _CLOCK_TOLERANCE_SECONDS:
            return _refusal(400, "QUERY_TIME_OUT", "Query out of time")
        own = [self.application_secret, self.consumer_key, request.method, self.url + request.target]
        text = "+".join([*own, request.body.decode(), moment])
        signature = f"$1${hashlib.sha1(text.encode()).hexdigest()}"  # noqa: S324 - OVH's API requires it
        names = (request.headers.get("x-ovh-application"), request.headers.get("x-ovh-consumer"))
        if names[0] != self.application_key:
            return _refusal(403, "INVALID_KEY", "This application key is invalid")
        if names[1] != self.consumer_key or request.headers.get("x-ovh-signature") != signature:
            return _refusal(400, "INVALID_SIGNATURE", "Invalid signature")
        return None

    def _account(self, request: Request) -> Reply:
        name = request.path.rpartition("/")[2]
        return reply(200, {"name": name, "status": "enable", "creditsLeft": self.credits, "callBack": None})

    def _serve(self, request: Request) -> Reply:
        places = {f"/1.0/sms/{service}/jobs" for service in self.services}
        if request.path not in places:
            return _refusal(404, "NOT_FOUND", "The requested object does not exist")
        if request.method != "POST":
            return _refusal(403, "NOT_GRANTED_CALL", "This call has not been granted")
        if self.quota is not None:
            if self.quota < 1:
                return _refusal(429, "QUOTA_REACHED", "Too many requests")
            self.quota -= 1
        return self._done(request.json())

    def _done(self, job: dict[str, Any]) -> Reply:
        good = [number for number in job["receivers"] if number.startswith("+") and number not in self.dead]
        bad = [number for number in job["receivers"] if number not in good]
        cost = len(good) * math.ceil(len(job["message"]) / _CHARACTERS_OF_ONE[job.get("coding", "7bit")])
        if good and self.credits < cost:
            return _refusal(403, "FORBIDDEN", "You do not have enough credits")
        self.credits -= cost
        for number in good:
            self.delivered[number].append(job)
        return reply(200, _report(cost, good, bad, [next(self._numbers) for _ in good]))

    def report(self, url: str, job_id: str, ptt: int, status: int) -> httpx.Response:
        """Call a URL about a job as OVH does: by GET, with its fields added to the query, and without a signature.

        `ptt` is the code of the state (4 is delivered), `status` that of the receipt (1 delivered, 2 failed).
        """
        told = {"id": job_id, "ptt": str(ptt), "date": "20261130083000", "description": str(status)}
        return httpx.get(httpx.URL(url).copy_merge_params({**told, "descriptionDlr": "as OVH says it"}))


def _report(cost: int, good: list[str], bad: list[str], ids: list[int]) -> dict[str, Any]:
    return {"totalCreditsRemoved": cost, "validReceivers": good, "invalidReceivers": bad, "ids": ids}


def _refusal(status: int, code: str, text: str) -> Reply:
    return reply(status, {"errorCode": code, "httpCode": str(status), "message": text, "class": f"Client::{code}"})
