"""HTTP Digest arithmetic and header syntax (RFC 7616), for the server's own sign-in and for the SIP client."""

import hashlib
import re
from collections.abc import Mapping

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}

ALGORITHMS = tuple(_HASHES)

_PARAMETER = re.compile(
    r"""\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s,"]+))\s*(?:,|$)"""
)
_ESCAPED = re.compile(r"\\(.)")


def hashed(algorithm: str, text: str) -> str:
    """Return H(text) in lower-case hex. Raises `KeyError` for algorithms other than `MD5` and `SHA-256`."""
    return _HASHES[algorithm](text.encode()).hexdigest()


def ha1(algorithm: str, username: str, realm: str, password: str) -> str:
    """Return H(username:realm:password), which is stored in place of a password."""
    return hashed(algorithm, f"{username}:{realm}:{password}")


def response(
    algorithm: str, ha1: str, nonce: str, nc: str | None, cnonce: str | None, qop: str | None, method: str, uri: str
) -> str:
    """Return the `response` parameter (RFC 7616 section 3.4.1); without `qop`, in the form of RFC 2069."""
    ha2 = hashed(algorithm, f"{method}:{uri}")
    if qop is None:
        return hashed(algorithm, f"{ha1}:{nonce}:{ha2}")
    return hashed(algorithm, f"{ha1}:{nonce}:{nc}:{cnonce}:{qop}:{ha2}")


def parse(header: str) -> tuple[str, dict[str, str]]:
    """Split `Digest a="b", c=d` into the scheme and its parameters, names in lower case, values unquoted.

    Raises `ValueError` if the header is not of that form or names a parameter twice.
    """
    scheme, _, rest = header.strip().partition(" ")
    parameters: dict[str, str] = {}
    place = 0
    # Matched one after the other: a search would try again from each character of malformed text, in quadratic time.
    while place < len(rest):
        found = _PARAMETER.match(rest, place)
        if found is None:
            raise ValueError("not a list of parameters")
        name, quoted, token = found.groups()
        name = name.lower()
        if name in parameters:
            raise ValueError("a parameter stands twice")
        parameters[name] = token or _unescaped(quoted)
        place = found.end()
    return scheme, parameters


def _unescaped(quoted: str) -> str:
    return _ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted


def challenge(realm: str, algorithm: str, nonce: str, opaque: str, *, stale: bool = False) -> str:
    """Return a `WWW-Authenticate` value: quoted but for `algorithm`, no spaces after the commas, as clients need it."""
    quoted = realm.replace("\\", "\\\\").replace('"', '\\"')
    suffix = ",stale=true" if stale else ""
    return f'Digest realm="{quoted}",qop="auth",algorithm={algorithm},nonce="{nonce}",opaque="{opaque}"{suffix}'


def authorization(parameters: Mapping[str, str]) -> str:
    """Return an `Authorization` value; `algorithm`, `nc` and `qop` stay unquoted."""
    bare = {"algorithm", "nc", "qop"}
    return "Digest " + ", ".join(
        f"{name}={value}" if name in bare else f'{name}="{value}"' for name, value in parameters.items()
    )
