"""SIP addresses in headers, parameters and records (RFC 3261 section 25.1).

The grammar stands here once. Four entry points read an address, and differ on purpose in what they accept:

- `SipAddress.parse`: an address that requests are sent to. Exactly the grammar, without parameters.
- `from_http`: the `From` header of an HTTP request, which a person or a script may have written. User names of any
  script, raw or percent-encoded; the whole header must be well formed.
- `from_sip`: the `From` header of a SIP request, which the proxy has parsed already. Only what a user agent can send as
  a display name, but anything after the host.
- `user_and_domain`: a path parameter, whose user name is looked up as it is.

All take time in proportion to the length of the text.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Self
from urllib.parse import quote, unquote

QUOTED = r'"(?:[^"\\]|\\.)*"'
"""A regular expression for a quoted string."""

HOST = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
"""A regular expression for a host, with the underscores that some names have in spite of the grammar."""

_LONGEST = 255
# The alphabet of `user` holds neither blank, control character, angle bracket nor quote: a match can stand in a request
# line, a header field or a command without being able to end it.
_USER = r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+"
_PLAIN = "-_.!~*'()&=+$,;?/"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_EXACT_HOST = rf"{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\]"
_ADDRESS = re.compile(rf"(?:sip:)?(?P<user>{_USER})@(?P<host>{_EXACT_HOST})(?::(?P<port>[0-9]{{1,5}}))?", re.IGNORECASE)
_SCHEME = re.compile("sips?:", re.IGNORECASE)
_BEFORE_BRACKET = re.compile(rf'(?:{QUOTED}|[^"<])*')


@dataclass(frozen=True, slots=True)
class SipAddress:
    """`user@host` with an optional port; `host` keeps the brackets of an IPv6 literal."""

    user: str
    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `user@host[:port]`, with or without `sip:`. Raises `ValueError` on anything else.

        URI parameters and headers are refused too: they would let a sender choose the route of the request.
        """
        match = _ADDRESS.fullmatch(text) if len(text) <= _LONGEST else None
        if match is None:
            raise ValueError("not a SIP address such as sip:user@domain")
        if match["host"].startswith("["):
            IPv6Address(match["host"][1:-1])
        return cls(match["user"], match["host"], port_number(match["port"]))

    @property
    def uri(self) -> str:
        """The address as a SIP URI."""
        port = "" if self.port is None else f":{self.port}"
        return f"sip:{self.user}@{self.host}{port}"


@dataclass(frozen=True, slots=True)
class NameAddr:
    """The parts of `display <uri>tail`, not yet validated. `tail` is `None` without a closing bracket."""

    display: str
    uri: str
    tail: str | None

    @classmethod
    def split(cls, text: str) -> Self | None:
        """Split at the angle brackets. Return `None` without an opening bracket outside a quoted string."""
        before = _BEFORE_BRACKET.match(text)
        start = before.end() if before else 0
        if start >= len(text) or text[start] != "<":
            return None
        uri, bracket, tail = text[start + 1 :].partition(">")
        return cls(text[:start], uri, tail if bracket else None)


class _FromHeader:
    """The grammar of a `From` header: `bare`, or `display <uri>tail`, as regular expressions."""

    def __init__(self, *, display: str, uri: str, tail: str, bare: str) -> None:
        self._display, self._tail = re.compile(display), re.compile(tail)
        self._uri, self._bare = re.compile(uri, re.IGNORECASE), re.compile(bare, re.IGNORECASE)

    def parse(self, header: str) -> tuple[str, str] | None:
        text = header.strip()
        match = self._bare.fullmatch(text) if _SCHEME.match(text) else self._in_brackets(text)
        return None if match is None else (unquote(match["user"]), match["host"].lower())

    def _in_brackets(self, text: str) -> re.Match[str] | None:
        parts = NameAddr.split(text)
        if parts is None or parts.tail is None:
            return None
        is_framed = self._display.fullmatch(parts.display) and self._tail.fullmatch(parts.tail)
        return self._uri.fullmatch(parts.uri) if is_framed else None


_HTTP_URI = rf"\s*sips?:(?P<user>[^@<>\s;?]+)@(?P<host>{HOST})(?::\d{{1,5}})?\s*"
_FROM_HTTP = _FromHeader(
    display=rf'{QUOTED}\s*|[^"<>]*',
    uri=rf"{_HTTP_URI}(?:[;?][^<>]*)?",
    tail=r"\s*(?:;[\s\S]*)?",
    bare=rf"{_HTTP_URI}(?:[;?][\s\S]*)?",
)
# The host is possessive (`++`): given back character by character, the time would be quadratic.
_FROM_SIP = _FromHeader(
    display=rf"{QUOTED}\s*|[\w\s\-.!%*+`'~]*",
    uri=r"sips?:(?P<user>[^@:>]+)@(?P<host>[^;>?:]++)[^>]*",
    tail=".*",
    bare=r"sips?:(?P<user>[^@:;?]+)@(?P<host>[^;?:\s]++).*",
)


def from_http(header: str) -> tuple[str, str] | None:
    """Return the user name and lower-case domain of an HTTP `From` header, `None` if it is no SIP address."""
    return _FROM_HTTP.parse(header)


def from_sip(header: str) -> tuple[str, str] | None:
    """Return the user name and lower-case domain of a SIP `From` header, `None` if it is no SIP address."""
    return _FROM_SIP.parse(header)


def user_and_domain(text: str) -> tuple[str, str] | None:
    """Return the user name and lower-case domain of `user@domain`, with or without scheme, `None` if one is missing.

    A second `@` and what follows it are ignored.
    """
    username, _, rest = text[scheme.end() if (scheme := _SCHEME.match(text)) else 0 :].partition("@")
    domain = rest.partition("@")[0].lower()
    return (username, domain) if username and domain else None


def uri_of(username: str, domain: str) -> str:
    """Return the SIP URI of an account, whatever characters its user name has."""
    return f"sip:{quote(username, safe=_PLAIN)}@{domain}"


def port_number(digits: str | None) -> int | None:
    """Return a port of 1 to 65535, `None` if there is none. Raises `ValueError` on other numbers."""
    if digits is None:
        return None
    port = int(digits)
    if not 1 <= port <= 65535:  # noqa: PLR2004 - the range of ports needs no name
        raise ValueError("not a port")
    return port
