"""The key by which limits count client addresses."""

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network

_SUBSCRIBER_BITS = 64


def counted_as(address: str) -> str:
    """Return an IPv4 address unchanged, and the /64 network of an IPv6 address, which one subscriber owns at least."""
    return _counted_as(address) if ":" in address else address


@lru_cache(maxsize=4096)
def _counted_as(address: str) -> str:
    try:
        parsed = IPv6Address(address)
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), _SUBSCRIBER_BITS), strict=False))
