"""Questions of a SIP server about accounts and calls, and its reports."""

from dataclasses import dataclass

from flexiapi.services.calls.served_domains import ServedDomains
from flexiapi.services.ground import Ground

__all__ = ["CallServices", "build"]


@dataclass(frozen=True, slots=True)
class CallServices:
    """The services of this wing."""

    served_domains: ServedDomains


def build(ground: Ground) -> CallServices:
    """Make the services of this wing."""
    return CallServices(served_domains=ServedDomains(ground))
