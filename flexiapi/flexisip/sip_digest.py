"""Answers to a SIP server's DIGEST challenges (RFC 3261 section 22, RFC 8760)."""

import secrets
from dataclasses import dataclass, field

from flexiapi.crypto import digest
from flexiapi.flexisip.sip_wire import Response

# By status: the header with the challenges, and the header with the answer.
_HEADERS = {401: ("www-authenticate", "Authorization"), 407: ("proxy-authenticate", "Proxy-Authorization")}


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge with a supported algorithm, and the header that the answer goes into."""

    header: str
    algorithm: str
    parameters: dict[str, str]

    @property
    def stale(self) -> bool:
        """True if only the nonce was too old: the credentials were right."""
        return self.parameters.get("stale", "").lower() == "true"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of this client at the SIP server."""

    username: str
    password: str = field(repr=False)

    def answer(self, challenge: Challenge, method: str, uri: str) -> tuple[str, str]:
        """Return the header, name and value, that answers the challenge."""
        asked = challenge.parameters
        cnonce, nc, qop = secrets.token_hex(16), "00000001", "auth" if "qop" in asked else None
        ha1 = digest.ha1(challenge.algorithm, self.username, asked["realm"], self.password)
        answer = {
            "username": _escaped(self.username),
            "realm": _escaped(asked["realm"]),
            "nonce": _escaped(asked["nonce"]),
            "uri": uri,
            "response": digest.response(challenge.algorithm, ha1, asked["nonce"], nc, cnonce, qop, method, uri),
            "algorithm": challenge.algorithm,
        }
        if qop:
            answer |= {"cnonce": cnonce, "qop": qop, "nc": nc}
        if "opaque" in asked:
            answer["opaque"] = _escaped(asked["opaque"])
        return challenge.header, digest.authorization(answer)


def strongest_challenge(response: Response) -> Challenge | None:
    """Return the challenge of a response with the strongest supported algorithm, or `None`."""
    if response.status not in _HEADERS:
        return None
    asks, answers = _HEADERS[response.status]
    found = []
    for value in response.all(asks):
        try:
            scheme, parameters = digest.parse(value)
        except ValueError:
            continue
        algorithm = parameters.get("algorithm", "MD5").upper()
        if scheme.lower() == "digest" and algorithm in digest.ALGORITHMS and _answerable(parameters):
            found.append(Challenge(answers, algorithm, parameters))
    return max(found, key=lambda challenge: digest.ALGORITHMS.index(challenge.algorithm), default=None)


def _answerable(parameters: dict[str, str]) -> bool:
    offered = [qop.strip() for qop in parameters.get("qop", "auth").lower().split(",")]
    return {"realm", "nonce"} <= parameters.keys() and "auth" in offered


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
