"""SIP addresses: the part of the SIP URI grammar (RFC 3261 section 25.1) that names a person or a proxy."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Self

_LONGEST = 255
# The alphabet of `user` holds neither blank, control character, angle bracket nor quote: whatever matches can stand
# in a request line, a header field or a command without being able to end it.
_USER = r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\]"
_ADDRESS = re.compile(rf"(?:sip:)?(?P<user>{_USER})@(?P<host>{_HOST})(?::(?P<port>[0-9]{{1,5}}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SipAddress:
    """`user@host` with an optional port; `host` keeps the brackets of an IPv6 literal."""

    user: str
    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `user@host[:port]`, with or without `sip:`; `ValueError` on all else.

        URI parameters and headers are refused too: they would let the one who names a recipient choose the route.
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


def port_number(digits: str | None) -> int | None:
    """A port of 1 to 65535, or None when there is none; `ValueError` on other numbers."""
    if digits is None:
        return None
    port = int(digits)
    if not 1 <= port <= 65535:  # noqa: PLR2004 - the range of ports needs no name
        raise ValueError("not a port")
    return port
