"""What a request says about who sends it: API key, `From`, `Authorization` (spec: decision order of sign-in)."""

from dataclasses import dataclass, field

from tornado.httputil import HTTPServerRequest, parse_cookie

from flexiapi.crypto import digest
from flexiapi.errors import ValidationFailed
from flexiapi.sip_address import from_http

COOKIE = "x-api-key"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key that came with the request."""

    key: str = field(repr=False)
    from_cookie: bool


@dataclass(frozen=True, slots=True)
class DigestClaim:
    """A DIGEST sign-in: who the `From` header names, and the parameters of `Authorization` when there are any.

    `authorization` is `None` without the header, and empty when it is not a Digest parameter list.
    """

    username: str
    domain: str
    method: str
    target: str
    authorization: dict[str, str] | None = field(repr=False)


Claim = ApiKey | DigestClaim


def claim(request: HTTPServerRequest) -> Claim:
    """What the request claims. Raises `ValidationFailed` on `from` when there is neither a key nor a right `From`."""
    headers = request.headers
    key = headers.get("X-Api-Key", "").strip()
    if key:
        return ApiKey(key, from_cookie=False)
    if "Cookie" in headers and (key := _cookie(headers["Cookie"])):
        return ApiKey(key, from_cookie=True)
    username, domain = address(_text(headers.get("From", "")))
    authorization = headers.get("Authorization")
    parameters = None if authorization is None else _authorization(_text(authorization))
    return DigestClaim(username, domain, request.method or "", _text(request.uri or ""), parameters)


def _text(received: str) -> str:
    """What was sent as UTF-8, as names and URIs are. Tornado decodes what it receives as Latin-1."""
    try:
        return received.encode("latin-1").decode()
    except UnicodeError:
        return received


def address(header: str) -> tuple[str, str]:
    """The user name and domain of a `From` header. Raises `ValidationFailed` on `from`."""
    if not header.strip():
        raise ValidationFailed({"from": ["from is missing: send your SIP address, or an API key"]})
    named = from_http(header)
    if named is None:
        raise ValidationFailed({"from": ["from must be a SIP address, such as sip:user@domain"]})
    return named


def _cookie(header: str) -> str:
    """As browsers write it: a cookie of somebody else that is out of form hides none."""
    return parse_cookie(header).get(COOKIE, "").strip()


def _authorization(header: str) -> dict[str, str]:
    try:
        scheme, parameters = digest.parse(header)
    except ValueError:
        return {}
    return parameters if scheme.lower() == "digest" else {}
