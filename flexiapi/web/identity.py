"""The identity that a request claims: an API key, `From` and `Authorization`, or a session of the panel."""

from dataclasses import dataclass, field

from tornado.httputil import parse_cookie

from flexiapi.crypto import digest
from flexiapi.errors import ValidationFailed
from flexiapi.sip_address import from_http
from flexiapi.web.request import HttpRequest

COOKIE = "x-api-key"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key that came with the request."""

    key: str = field(repr=False)
    from_cookie: bool


@dataclass(frozen=True, slots=True)
class DigestClaim:
    """A DIGEST sign-in: the account that `From` names, and the parameters of `Authorization`.

    `authorization` is `None` without the header, and empty when it is not a Digest parameter list.
    """

    username: str
    domain: str
    method: str
    target: str
    authorization: dict[str, str] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionCookie:
    """The cookie of a session in the panel."""

    token: str = field(repr=False)


Claim = ApiKey | DigestClaim | SessionCookie


def claim(request: HttpRequest) -> Claim:
    """Return the claim of a request. Raises `ValidationFailed` on `from` without a key and a valid `From`."""
    headers = request.headers
    if "X-Api-Key" in headers and (key := headers["X-Api-Key"].strip()):
        return ApiKey(key, from_cookie=False)
    if "Cookie" in headers and (key := cookie(headers["Cookie"], COOKIE)):
        return ApiKey(key, from_cookie=True)
    username, domain = address(_text(headers.get("From", "")))
    authorization = headers.get("Authorization")
    parameters = None if authorization is None else _authorization(_text(authorization))
    return DigestClaim(username, domain, request.method, _text(request.target), parameters)


def _text(received: str) -> str:
    """Return received text that was sent as UTF-8, as names and URIs are: the server decodes it as Latin-1."""
    try:
        return received.encode("latin-1").decode()
    except UnicodeError:
        return received


def address(header: str) -> tuple[str, str]:
    """Return the user name and domain of a `From` header. Raises `ValidationFailed` on `from`."""
    if not header.strip():
        raise ValidationFailed({"from": ["from is missing: send your SIP address, or an API key"]})
    named = from_http(header)
    if named is None:
        raise ValidationFailed({"from": ["from must be a SIP address, such as sip:user@domain"]})
    return named


def cookie(header: str, name: str) -> str:
    """Return a cookie of a cookie header, or an empty text. As in browsers, a malformed one does not hide others."""
    return parse_cookie(header).get(name, "").strip()


def _authorization(header: str) -> dict[str, str]:
    try:
        scheme, parameters = digest.parse(header)
    except ValueError:
        return {}
    return parameters if scheme.lower() == "digest" else {}
