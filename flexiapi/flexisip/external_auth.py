"""The answers to Flexisip's ExternalAuthentication plugin: is this DIGEST response of this account right?

Flexisip makes the challenges and passes on what the user agent answered. It checks neither nonce nor count on this
path, so what was used once is refused here.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from flexiapi.crypto import digest
from flexiapi.flexisip import credentials
from flexiapi.model import Account

REMEMBERED_SECONDS = 24 * 3600
"""How long a used nonce should be remembered, in seconds: the nonces tell no age."""

_MISSING = "null"
_LONGEST_SENDER = 1024
# The host is possessive (`++`): given back character by character, the time would be quadratic.
_FROM = (
    re.compile(r"(?:\"(?:[^\"\\]|\\.)*\"\s*|[\w\s\-.!%*+`'~]*)<sips?:([^@:>]+)@([^;>?:]++)[^>]*>.*", re.IGNORECASE),
    re.compile(r"sips?:([^@:;?]+)@([^;?:\s]++).*", re.IGNORECASE),
)
_ADDRESS = re.compile(r"[^\s<>\"]+")
_NOBODY = {algorithm: digest.hashed(algorithm, secrets.token_hex()) for algorithm in digest.ALGORITHMS}


@dataclass(frozen=True, slots=True)
class Question:
    """What Flexisip asks, by the names of its URI template; `None` where the user agent gave nothing."""

    method: str
    domain: str
    username: str
    nonce: str
    uri: str
    response: str = field(repr=False)
    algorithm: str
    qop: str | None
    nc: str | None
    cnonce: str | None
    sender: str | None

    @property
    def account(self) -> tuple[str, str]:
        """User name and domain in lower case, as accounts are stored."""
        return self.username.lower(), self.domain.lower()

    @property
    def address(self) -> str:
        """`username@domain` of the account."""
        return "@".join(self.account)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: `status` is 200, 401, 403 or 407; `identity` is the `username@domain` that is proven."""

    status: int
    phrase: str
    identity: str | None = None

    def text(self) -> str:
        """`Key: value` lines, separated by LF alone."""
        lines = [f"Status: {self.status}", f"Phrase: {self.phrase}"]
        if self.identity is not None:
            lines.append(f"P-Asserted-Identity: <sip:{self.identity}>")
        return "\n".join(lines)


FORBIDDEN = Verdict(403, "Forbidden")


def question(query: str) -> Question | None:
    """Read the query part of the URI; `None` when nothing in the world could be the right response to it.

    Values are percent-encoded; a `+` is itself, since usernames have it.
    """
    values = _values(query)
    needed = [values.get(name) for name in ("method", "domain", "username", "nonce", "uri", "response")]
    if None in needed or not all(_ADDRESS.fullmatch(values[name] or "") for name in ("domain", "username")):
        return None
    method, domain, username, nonce, uri, response = (value or "" for value in needed)
    asked = Question(
        *(method, domain, username, nonce, uri, response),
        algorithm=(values.get("algorithm") or "MD5").upper(),
        qop=values.get("qop"),
        nc=values.get("nc"),
        cnonce=values.get("cnonce"),
        sender=values.get("from"),
    )
    return asked if _is_complete(asked) else None


def use(asked: Question) -> str:
    """The key of what may be used once: the count of a nonce, or without counts the response itself."""
    once = (asked.nc, asked.cnonce) if asked.qop else ("", asked.response)
    return hashlib.sha256("\0".join((asked.address, asked.nonce, *(part or "" for part in once))).encode()).hexdigest()


def verdict(asked: Question, account: Account | None, realm: str | None, *, md5: bool, is_first: bool) -> Verdict:
    """Judge the DIGEST response of the account that `asked.address` names (`None`: there is none).

    Unknown and deactivated accounts get the answer of a wrong password, after the same computation: `FORBIDDEN`; so do
    responses by MD5 without `md5`. A right response whose `use` is not the first is challenged anew.
    """
    known = _hashes(account, realm, md5=md5)
    ha1 = known.get(asked.algorithm, _NOBODY[asked.algorithm])
    expected = digest.response(
        *(asked.algorithm, ha1, asked.nonce, asked.nc, asked.cnonce, asked.qop, asked.method, asked.uri)
    )
    right = hmac.compare_digest(expected.encode(), asked.response.lower().encode())
    if not right or asked.algorithm not in known or not _is_from(asked):
        return FORBIDDEN
    if is_first:
        return Verdict(200, "OK", asked.address)
    if asked.method == "REGISTER":
        return Verdict(401, "Unauthorized")
    return Verdict(407, "Proxy Authentication Required")


def _values(query: str) -> Mapping[str, str | None]:
    values: dict[str, str | None] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        text = unquote(value, errors="replace")
        values[unquote(name)] = None if text in ("", _MISSING) else text
    return values


def _is_complete(asked: Question) -> bool:
    """Whether the algorithm is ours, the sender no longer than any is, and count and cnonce come with `qop=auth`."""
    if asked.algorithm not in digest.ALGORITHMS or len(asked.sender or "") > _LONGEST_SENDER:
        return False
    return asked.qop is None or (asked.qop == "auth" and None not in (asked.nc, asked.cnonce))


def _hashes(account: Account | None, realm: str | None, *, md5: bool) -> Mapping[str, str]:
    if account is None or not account.activated:
        return {}
    return credentials.hashes(account, realm, md5=md5)


def _is_from(asked: Question) -> bool:
    """Whether the From header, when we are told it, names the account that signs in."""
    if asked.sender is None:
        return True
    match = next((match for form in _FROM if (match := form.fullmatch(asked.sender.strip()))), None)
    return match is not None and f"{unquote(match[1])}@{match[2]}".lower() == asked.address
