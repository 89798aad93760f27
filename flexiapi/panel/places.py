"""Paths of the panel that requests name."""

import re
from urllib.parse import urlencode

DASHBOARD = "/dashboard"
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]{0,1000}")


def local(path: str | None, otherwise: str = DASHBOARD) -> str:
    """Return a path of this site that a request names, or `otherwise` for what may lead to another site.

    Browsers take a backslash for a slash, and leave out tabs and line ends.
    """
    return path if path and _LOCAL.fullmatch(path) else otherwise


def with_next(path: str, following: str) -> str:
    """Return a path that remembers another one, to go on there afterwards."""
    return f"{path}?{urlencode({'next': following})}" if following and following != DASHBOARD else path
