"""Endpoints: which URLs of callers are posted to."""

import re
from typing import NamedTuple
from urllib.parse import unquote

import httpx

from flexiapi.plugin import Permanent
from flexiapi_push_unified.config import UnifiedConfig

_SLASH = re.compile(r"[/\\]")
_QUERIES = (b"", b"up=1")


class Endpoint(NamedTuple):
    """A URL on one of the allowed hosts; `host` is written as in the settings."""

    url: httpx.URL
    host: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, as RFC 6454 writes them."""
        return f"{self.url.scheme}://{_written(self.url)}"


def endpoint_of(prid: str, config: UnifiedConfig) -> Endpoint:
    """Return the endpoint that a `pn_prid` is. Raises `Permanent`."""
    try:
        url = httpx.URL(prid)
    except (httpx.InvalidURL, ValueError):
        raise Permanent("pn_prid is not an endpoint") from None
    if url.scheme != "https" and not (url.scheme == "http" and config.allow_http):
        raise Permanent("pn_prid is not an https endpoint")
    # The root of ntfy would take the topic from the message.
    if url.userinfo or url.fragment or url.path in ("", "/") or _has_dot_segments(prid):
        raise Permanent("pn_prid is not an endpoint")
    host = _written(url)
    if host not in config.hosts:
        raise Permanent("the endpoint's host is not one of `hosts`")
    if host in config.access_tokens and not _may_have_token(url, config):
        raise Permanent("no access token is sent to this endpoint: look at token_paths")
    return Endpoint(url, host)


def _may_have_token(url: httpx.URL, config: UnifiedConfig) -> bool:
    """Return True if the request can do nothing but push, because servers read commands from path and query."""
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    return config.token_paths.fullmatch(path) is not None and url.query in _QUERIES


def _written(url: httpx.URL) -> str:
    """Return the host as it is written in the settings; httpx omits the default port of a scheme."""
    name = url.raw_host.decode("ascii").lower()
    name = f"[{name}]" if ":" in name else name
    return name if url.port is None else f"{name}:{url.port}"


def _has_dot_segments(prid: str) -> bool:
    """Return True if the path has dot segments: httpx resolves them, and servers also percent-encoded ones."""
    return any(segment in (".", "..") for segment in _SLASH.split(unquote(prid.partition("?")[0])))
