"""Help for backends that speak HTTPS or TLS: trust, outages, and waits that a provider asks for."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.request import getproxies

import httpx

from flexiapi.plugin.outcomes import Retryable
from flexiapi.plugin.pools import Pools


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a client's TLS context that trusts the certificates in `ca_file`, by default those of httpx.

    It reads files, so call it in a thread. Raises `OSError` if the file does not exist or has no certificate.
    """
    if ca_file is None:
        return httpx.create_ssl_context()
    return ssl.create_default_context(cafile=ca_file)


def http_client(concurrency: int, context: ssl.SSLContext, **options: Any) -> httpx.AsyncClient:
    """Return a client that keeps as many connections as there are messages under way, and follows no redirects.

    `options` are those of `httpx.AsyncClient`; a request takes at most 30 seconds unless they say else.
    """
    # httpx keeps 20 by default, so that every further message of a burst opens one of its own.
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    # Proxies that the environment names are mounted by httpx itself, for the schemes that they are for.
    mounts = {} if "all" in getproxies() else {"all://": Pools(concurrency, context)}
    usual: dict[str, Any] = {"timeout": 30, "limits": limits, **options}
    return httpx.AsyncClient(**usual, verify=context, mounts=mounts, follow_redirects=False)


def unreachable(error: Exception, whom: str, look_at: str = "ca_file") -> Retryable:
    """Return the reason why `whom` did not answer: an outage, or an untrusted certificate and the settings to check."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return Retryable(f"the certificate of {whom} is not trusted ({cause.verify_message}): look at {look_at}")
    return Retryable(f"{whom} cannot be reached, or broke off ({type(error).__name__})")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that an HTTP answer asks for in `Retry-After`, as a number or as a date.

    Return `None` without the header or if it is malformed, and 0 for a date in the past.
    """
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # A date without an offset (`-0000`) is in UTC too.
    wait = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
    return max(0.0, wait.total_seconds())
