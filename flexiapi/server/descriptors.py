"""File descriptors of the process, which bound its connections."""

import contextlib
import resource
import sys

_RESERVE = 256
"""Descriptors that connections of clients do not get: the database, files and push services need some."""
# Programs that are started walk through all that there may be, and limits of containers are a billion.
_MOST = 1 << 20


def raise_limit() -> None:
    """Raise the soft limit to the hard one, for this process and those that it starts, to a million at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_connections(configured: int) -> int:
    """Return how many connections may be open: as configured, or with 0 as descriptors allow, less a reserve."""
    if configured:
        return configured
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft - min(_RESERVE, soft // 2)
