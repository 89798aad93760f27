"""Who really sent a request when front servers stand between, and which of them are believed."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from tornado.httputil import HTTPServerRequest

Network = IPv4Network | IPv6Network


@lru_cache(maxsize=4096)
def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def within(text: str, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks."""
    address = _parsed(text)
    return address is not None and any(address in network for network in networks)


class Peers:
    """Reads the client's address and scheme; `X-Forwarded-*` headers count only from `trusted` peers."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)

    def is_trusted(self, request: HTTPServerRequest) -> bool:
        """Whether the request comes through a listed front server."""
        return bool(self._trusted) and within(request.remote_ip or "", self._trusted)

    def address(self, request: HTTPServerRequest) -> str:
        """The client's IP address: the last hop in `X-Forwarded-For` that is no listed front server."""
        nearest = request.remote_ip or ""
        if not self.is_trusted(request):
            return nearest
        for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
            address = _parsed(hop)
            if address is None:
                return nearest
            nearest = str(address)
            if not within(nearest, self._trusted):
                return nearest
        return nearest

    def is_within(self, request: HTTPServerRequest, networks: Sequence[Network]) -> bool:
        """Whether the client is in one of the networks; not when a front server that is not listed hides who it is."""
        is_hidden = "X-Forwarded-For" in request.headers and not self.is_trusted(request)
        return not is_hidden and within(self.address(request), networks)

    def is_https(self, request: HTTPServerRequest) -> bool:
        """Whether the client spoke TLS."""
        if self.is_trusted(request):
            return request.headers.get("X-Forwarded-Proto", request.protocol).strip().lower() == "https"
        return request.protocol == "https"
