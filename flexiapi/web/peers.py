"""Client addresses behind front servers."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from flexiapi.web.request import HttpRequest

Network = IPv4Network | IPv6Network
Source = Network | str
"""A network of peers, or the word `UNIX`."""

UNIX = "unix"
"""The peer of a request on a unix socket: a process of this host."""
HIDDEN = "unknown"
"""The peer of a request whose client a front server hides. It lies in no network."""

_LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


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


def is_listed(peer: str, sources: Sequence[Source]) -> bool:
    """Return whether a peer lies in one of the networks, or is on the unix socket and `sources` has the word for it."""
    address = _parsed(peer)
    if address is None:
        return peer == UNIX and UNIX in sources
    return any(address in source for source in sources if not isinstance(source, str))


class Peers:
    """Reader of a client's address and scheme; `X-Forwarded-*` headers count only from `trusted` peers."""

    def __init__(self, trusted: Sequence[Source]) -> None:
        self.trusted = tuple(trusted)

    def is_trusted(self, request: HttpRequest) -> bool:
        """Return whether the request comes through a listed front server."""
        return bool(self.trusted) and is_listed(request.peer, self.trusted)

    def address(self, request: HttpRequest) -> str:
        """Return the client's IP address: the last hop in `X-Forwarded-For` that is no listed front server.

        It is `UNIX` for a process of this host on the unix socket, and `HIDDEN` if a PROXY header names no client.
        """
        return self._nearest(request)[0]

    def _nearest(self, request: HttpRequest) -> tuple[str, bool]:
        """Return the nearest address that is no listed front server's, and whether no unnamed client is behind it."""
        nearest = request.peer
        forwarded = request.headers.get("X-Forwarded-For")
        if forwarded is None:
            return nearest, "Forwarded" not in request.headers
        if not self.is_trusted(request):
            return nearest, False
        for hop in reversed(forwarded.split(",")):
            address = _parsed(hop)
            if address is None:
                return nearest, False
            nearest = str(address)
            if not is_listed(nearest, self.trusted):
                break
        return nearest, True

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
        """Return whether the client is in one of the networks; False if a front server hides its address.

        A process of this host on the unix socket is where loopback is.
        """
        address, is_known = self._nearest(request)
        if not is_known:
            return False
        if address == UNIX:
            return any(loopback in network for network in networks for loopback in _LOOPBACK)
        return within(address, networks)

    def is_https(self, request: HttpRequest) -> bool:
        """Return whether the client spoke TLS."""
        if self.is_trusted(request):
            return request.headers.get("X-Forwarded-Proto", request.scheme).strip().lower() == "https"
        return request.scheme == "https"
