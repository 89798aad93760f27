"""Verification of DIGEST responses for Flexisip's ExternalAuthentication plugin.

Flexisip makes the challenges and passes on the user agent's response. It checks neither nonce nor nonce count on this
path, so a second use of either is refused here.
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
from flexiapi.sip_address import from_sip

REMEMBERED_SECONDS = 24 * 3600
"""Time for which a used nonce should be remembered, in seconds: Flexisip's nonces carry no time."""

_MISSING = "null"
_LONGEST_SENDER = 1024
_ADDRESS = re.compile(r"[^\s<>\"]+")
_DUMMY_HASHES = {algorithm: digest.hashed(algorithm, secrets.token_hex()) for algorithm in digest.ALGORITHMS}


@dataclass(frozen=True, slots=True)
class Question:
    """A request of Flexisip, by the names of its URI template. A field is `None` if the user agent sent no value."""

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
        """The user name and domain in lower case, as accounts are stored."""
        return self.username.lower(), self.domain.lower()

    @property
    def address(self) -> str:
        """`username@domain` of the account."""
        return "@".join(self.account)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to Flexisip. `status` is 200, 401, 403 or 407; `identity` is the `username@domain` that is proven.

    `reason` is why it is a refusal, for the log.
    """

    status: int
    phrase: str
    identity: str | None = None
    reason: str = ""

    def text(self) -> str:
        """Return the body of the answer: `Key: value` lines, separated by LF alone."""
        lines = [f"Status: {self.status}", f"Phrase: {self.phrase}"]
        if self.identity is not None:
            lines.append(f"P-Asserted-Identity: <sip:{self.identity}>")
        return "\n".join(lines)


def forbidden(reason: str) -> Verdict:
    """Return the answer to a response that is wrong, the same for any reason."""
    return Verdict(403, "Forbidden", reason=reason)


def question(query: str) -> Question | None:
    """Parse the query part of the URI. Return `None` if no response to it could be right.

    Values are percent-encoded. A `+` stands for itself, since user names contain it.
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
    """Return the key of what may be used once: a nonce with its count, or without counts the response."""
    once = (asked.nc, asked.cnonce) if asked.qop else ("", asked.response)
    return hashlib.sha256("\0".join((asked.address, asked.nonce, *(part or "" for part in once))).encode()).hexdigest()


def verdict(asked: Question, account: Account | None, realm: str | None, *, md5: bool, is_first: bool) -> Verdict:
    """Verify the DIGEST response of the account that `asked.address` names (`None`: it does not exist).

    Unknown and deactivated accounts get the answer to a wrong password after the same computation, and so do responses
    with MD5 unless `md5` is set. A right response whose `use` is not the first is challenged again.
    """
    known = _hashes(account, realm, md5=md5)
    ha1 = known.get(asked.algorithm, _DUMMY_HASHES[asked.algorithm])
    expected = digest.response(
        *(asked.algorithm, ha1, asked.nonce, asked.nc, asked.cnonce, asked.qop, asked.method, asked.uri)
    )
    right = hmac.compare_digest(expected.encode(), asked.response.lower().encode())
    if not right or asked.algorithm not in known or not _is_from(asked):
        return forbidden(_reason(asked, account, known, right=right))
    if is_first:
        return Verdict(200, "OK", asked.address)
    if asked.method == "REGISTER":
        return Verdict(401, "Unauthorized")
    return Verdict(407, "Proxy Authentication Required")


def _reason(asked: Question, account: Account | None, known: Mapping[str, str], *, right: bool) -> str:
    if account is None:
        return "unknown account"
    if not account.activated:
        return "not activated"
    if account.is_blocked:
        return "blocked"
    if asked.algorithm not in known:
        return f"no password for {asked.algorithm}"
    return "another sender" if right else "wrong password"


def _values(query: str) -> Mapping[str, str | None]:
    values: dict[str, str | None] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        text = unquote(value, errors="replace")
        values[unquote(name)] = None if text in ("", _MISSING) else text
    return values


def _is_complete(asked: Question) -> bool:
    """Return whether the algorithm is known, the sender not too long, and `qop` absent or `auth` with nc and cnonce."""
    if asked.algorithm not in digest.ALGORITHMS or len(asked.sender or "") > _LONGEST_SENDER:
        return False
    return asked.qop is None or (asked.qop == "auth" and None not in (asked.nc, asked.cnonce))


def _hashes(account: Account | None, realm: str | None, *, md5: bool) -> Mapping[str, str]:
    if account is None or not account.activated or account.is_blocked:
        return {}
    return credentials.hashes(account, realm, md5=md5)


def _is_from(asked: Question) -> bool:
    """Return whether the From header, if Flexisip passes it on, names the account that signs in."""
    if asked.sender is None:
        return True
    named = from_sip(asked.sender)
    return named is not None and "@".join(named).lower() == asked.address
