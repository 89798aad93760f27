"""Ranges of files (RFC 9110, 14): the part of it that a request asks for."""

import re
from collections.abc import Mapping

from flexiapi.errors import RangeNotSatisfiable

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*(?:(\d{1,18})\s*-\s*(\d{1,18})?|-\s*(\d{1,18}))\s*", re.ASCII | re.IGNORECASE)


def requested(headers: Mapping[str, str], size: int, tag: str) -> range | None:
    """Return the bytes that a request asks for; `None` stands for the whole file.

    The whole file is also the answer to several ranges, to a malformed one, and to the range of a file with another
    `tag` (its strong `ETag`). Raises `RangeNotSatisfiable`.
    """
    asked = _ONE_RANGE.fullmatch(headers.get("Range", ""))
    if asked is None or headers.get("If-Range", tag).strip() != tag:
        return None
    first, last, length = (None if part is None else int(part) for part in asked.groups())
    if first is None:
        found = range(max(0, size - (length or 0)), size)
    elif last is not None and last < first:
        return None
    else:
        found = range(first, size if last is None else min(last + 1, size))
    if not found:
        raise RangeNotSatisfiable(size)
    return found


def headers_of(found: range | None, size: int, tag: str) -> list[tuple[str, str]]:
    """Return the headers of the answer with these bytes."""
    headers = [("Accept-Ranges", "bytes"), ("ETag", tag)]
    if found is not None:
        headers.append(("Content-Range", f"bytes {found.start}-{found.stop - 1}/{size}"))
    return headers
