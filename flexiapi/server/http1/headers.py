"""The headers of a received request."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from tornado.httputil import HTTPHeaders

# A client could fill the memory with longer ones.
_MOST_REMEMBERED_BYTES = 64


@lru_cache(maxsize=1024)
def _name(raw: bytes) -> str:
    """Return a header name in the form of Tornado's keys, such as `Content-Type`."""
    return "-".join([word.capitalize() for word in raw.decode("latin-1").split("-")])


class ReceivedHeaders(HTTPHeaders):
    """Tornado's headers, made from lines that llhttp has checked, without a second check of their characters."""

    def __init__(self, lines: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__()
        combined, by_name = self._combined_cache, self._as_list
        for raw, value in lines:
            name = _name(raw) if len(raw) <= _MOST_REMEMBERED_BYTES else _name.__wrapped__(raw)
            text = value.decode("latin-1").rstrip(" \t")
            if name in by_name:
                by_name[name].append(text)
                combined[name] = f"{combined[name]},{text}"
            else:
                by_name[name] = [text]
                combined[name] = text

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a header, those of several lines joined by commas, or the default."""
        value = self._combined_cache.get(name)
        if value is None and name in self:
            return self[name]
        return default if value is None else value
