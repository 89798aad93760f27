"""Client addresses behind front servers."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from flexiapi.web.request import HttpRequest

Network = IPv4Network | IPv6Network


@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=4096)
def _host_name(named: str) -> str:
    name, colon, port = named.strip().lower().rpartition(":")
    if not colon or not (port.isdecimal() or not port):
        name = named.strip().lower()
    return name.removesuffix(".")


def within(text: str, networks: Sequence[Network]) -> bool:
    """Return whether an address lies in one of the networks."""
    address = _parsed(text)
    return address is not None and any(address in network for network in networks)


class Peers:
    """Reader of a client's address and scheme; `X-Forwarded-*` headers count only from `trusted` peers."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self.trusted = tuple(trusted)

    def is_trusted(self, request: HttpRequest) -> bool:
        """Return whether the request comes through a listed front server."""
        return bool(self.trusted) and within(request.peer, self.trusted)

    def address(self, request: HttpRequest) -> str:
        """Return the client's IP address: the last hop in `X-Forwarded-For` that is no listed front server."""
        nearest = request.peer
        if not self.is_trusted(request):
            return nearest
        for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
            address = _parsed(hop)
            if address is None:
                return nearest
            nearest = str(address)
            if not within(nearest, self.trusted):
                return nearest
        return nearest

    def host(self, request: HttpRequest) -> str:
        """Return the host name that the client asked for, in lower case and without port; empty if it named none.

        Behind a listed front server it is the last one in `X-Forwarded-Host`, which the nearest front server wrote.
        """
        named = request.headers.get("Host", "")
        forwarded = request.headers.get("X-Forwarded-Host", "").rpartition(",")[2].strip()
        if forwarded and self.is_trusted(request):
            named = forwarded
        return _host_name(named)

    def is_within(self, request: HttpRequest, networks: Sequence[Network]) -> bool:
        """Return whether the client is in one of the networks; False if an unlisted front server hides its address."""
        is_hidden = "X-Forwarded-For" in request.headers and not self.is_trusted(request)
        return not is_hidden and within(self.address(request), networks)

    def is_https(self, request: HttpRequest) -> bool:
        """Return whether the client spoke TLS."""
        if self.is_trusted(request):
            return request.headers.get("X-Forwarded-Proto", request.scheme).strip().lower() == "https"
        return request.scheme == "https"
