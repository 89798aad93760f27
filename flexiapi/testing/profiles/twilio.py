"""The behaviour of Twilio: messages, calls, the balance, and signed status callbacks."""

import base64
import hmac
import itertools
from collections import defaultdict
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import httpx

from flexiapi.testing.http1 import Gateway
from flexiapi.testing.local_server import HOST
from flexiapi.testing.replies import Reply, Request, reply

_LONGEST_VALIDITY_SECONDS = 36000
_LONGEST_BODY = 1600
_LONGEST_TWIML = 4000


@dataclass(frozen=True, slots=True)
class SpokenCall:
    """A call as Twilio made it: what it read out, in which language, and how often."""

    sid: str
    number: str
    sender: str
    text: str
    language: str | None
    loop: int


class Twilio(Gateway):
    """Twilio with one account, which recognises no repeats, as the real one.

    Numbers in `dead` are none (21211, in calls 21217), those in `landlines` take no texts (21614), those in `opted_out`
    want none (21610), and those that begin with one of `closed_countries` are not allowed to the account (21408, in
    calls 21215). Numbers from `unroutable` prefixes cannot be reached from an alphanumeric name (21612).
    """

    def __init__(
        self,
        account_sid: str = "AC0123456789abcdef0123456789abcdef",
        auth_token: str = "9f86d081884c7d659a2feaa0c55ad015",  # noqa: S107 - of no account
        *,
        tls: bool = False,
        certificate_for: str = HOST,
    ) -> None:
        super().__init__(tls=tls, certificate_for=certificate_for)
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.user, self.password = account_sid, auth_token
        """Name and password that it demands; set them for an API key."""
        self.status = "active"
        self.balance: str | None = "12.34"
        self.dead: set[str] = set()
        self.landlines: set[str] = set()
        self.opted_out: set[str] = set()
        self.closed_countries: set[str] = set()
        self.unroutable: set[str] = set()
        self.quota: int | None = None
        """The messages and calls that it takes still; further ones are too many (429, 20429)."""
        self.delivered: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
        """The accepted messages by number, each with the fields of its request."""
        self.calls: defaultdict[str, list[SpokenCall]] = defaultdict(list)
        """The calls by number."""
        self._callbacks: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._root = f"/2010-04-01/Accounts/{account_sid}"
        self.default = reply(201, self._created("SM", 0, {}))
        self.answer(self._serve)
        self.answer(lambda _: reply(200, {"sid": account_sid, "status": self.status}), path=f"{self._root}.json")
        self.answer(lambda _: self._balance_told(), path=f"{self._root}/Balance.json")

    def received_one(self, request: Request, path: str | None = None) -> Reply:
        """Record a request and return its answer, 401 if it is not signed in."""
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {token}":
            self.requests.append(request)
            return _refusal(401, 20003)
        return super().received_one(request, path)

    def _balance_told(self) -> Reply:
        if self.balance is None:
            return _refusal(404, 20404)
        return reply(200, {"account_sid": self.account_sid, "balance": self.balance, "currency": "USD"})

    def _serve(self, request: Request) -> Reply:
        if self.quota is not None:
            if self.quota < 1:
                return _refusal(429, 20429)
            self.quota -= 1
        if request.method == "POST" and request.path == f"{self._root}/Messages.json":
            return self._texted(request.form())
        if request.method == "POST" and request.path == f"{self._root}/Calls.json":
            return self._called(request.form())
        return _refusal(404, 20404)

    def _texted(self, fields: dict[str, str]) -> Reply:
        if (code := self._fault_of_text(fields)) is not None:
            return _refusal(400, code, fields.get("To", ""))
        number = next(self._numbers)
        self.delivered[fields["To"]].append(fields)
        return self._accepted("SM", number, fields)

    def _fault_of_text(self, fields: dict[str, str]) -> int | None:
        number, sender, validity = fields.get("To", ""), fields.get("From", ""), fields.get("ValidityPeriod", "1")
        named = not sender.lstrip("+").isdecimal() and "MessagingServiceSid" not in fields
        faults = {
            21604: not number,
            21603: not sender and "MessagingServiceSid" not in fields,
            21602: not fields.get("Body"),
            21617: len(fields.get("Body", "")) > _LONGEST_BODY,
            21624: not validity.isdecimal() or not 1 <= int(validity) <= _LONGEST_VALIDITY_SECONDS,
            21211: number in self.dead or not number.startswith("+"),
            21614: number in self.landlines,
            21610: number in self.opted_out,
            21408: number.startswith(tuple(self.closed_countries)),
            21612: named and number.startswith(tuple(self.unroutable)),
        }
        return next((code for code, holds in faults.items() if holds), None)

    def _called(self, fields: dict[str, str]) -> Reply:
        number, sender, twiml = fields.get("To", ""), fields.get("From", ""), fields.get("Twiml", "")
        faults = {
            21201: not number,
            21213: not sender,
            21205: not twiml or len(twiml) > _LONGEST_TWIML,
            21212: not sender.startswith("+"),
            21217: number in self.dead or not number.startswith("+"),
            21215: number.startswith(tuple(self.closed_countries)),
        }
        if (code := next((code for code, holds in faults.items() if holds), None)) is not None:
            return _refusal(400, code, number)
        count = next(self._numbers)
        try:
            spoken = ET.fromstring(twiml).find("Say")  # noqa: S314 - of the backend under test
        except ET.ParseError:
            return _refusal(400, 12100)
        if spoken is None:
            return _refusal(400, 12100)
        text, loop = "".join(spoken.itertext()), int(spoken.get("loop", "1"))
        self.calls[number].append(SpokenCall(_sid("CA", count), number, sender, text, spoken.get("language"), loop))
        return self._accepted("CA", count, fields)

    def _accepted(self, kind: str, count: int, fields: dict[str, str]) -> Reply:
        if "StatusCallback" in fields:
            self._callbacks[_sid(kind, count)] = fields["StatusCallback"]
        return reply(201, self._created(kind, count, fields))

    def _created(self, kind: str, count: int, fields: dict[str, str]) -> dict[str, object]:
        told = {"sid": _sid(kind, count), "account_sid": self.account_sid, "status": "queued", "price": None}
        return {**told, "price_unit": "USD", "to": fields.get("To"), "from": fields.get("From"), "error_code": None}

    def report(self, url: str, sid: str, status: str, error_code: int | None = None) -> httpx.Response:
        """Post a signed status callback about a message or call to a URL.

        The signature is for the URL that Twilio was given with the message, as behind a front server.
        """
        body, headers = self.signed(sid, status, error_code, signed_url=self._callbacks.get(sid, url))
        return httpx.post(url, content=body, headers=headers)

    def signed(self, sid: str, status: str, error_code: int | None, *, signed_url: str) -> tuple[bytes, dict[str, str]]:
        """Return body and headers of a status callback."""
        kind = "Call" if sid.startswith("CA") else "Message"
        fields = {
            f"{kind}Sid": sid,
            f"{kind}Status": status,
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
        }
        if error_code is not None:
            fields["ErrorCode"] = str(error_code)
        text = signed_url + "".join(name + fields[name] for name in sorted(fields))
        digest = base64.b64encode(hmac.digest(self.auth_token.encode(), text.encode(), "sha1")).decode()
        form = "application/x-www-form-urlencoded"
        return urlencode(fields).encode(), {"X-Twilio-Signature": digest, "Content-Type": form}


def _sid(kind: str, count: int) -> str:
    return f"{kind}{count:032x}"


def _refusal(status: int, code: int, number: str = "") -> Reply:
    url = f"https://www.twilio.com/docs/errors/{code}"
    # Twilio's own texts quote the number.
    text = f"The 'To' number {number} does not do" if number else f"Error {code}"
    return reply(status, {"code": code, "message": text, "more_info": url, "status": status})
