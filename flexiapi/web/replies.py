"""Replies that an endpoint may return instead of a JSON value, and finished answers."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import ClassVar, Literal

from tornado.httputil import format_timestamp


@dataclass(slots=True)
class HttpReply:
    """A body with its headers. `is_wrong_guess` marks a reply to a wrong secret that is not a failure."""

    content_type: ClassVar[str] = "application/octet-stream"
    other_statuses: ClassVar[Sequence[int]] = ()

    body: bytes
    headers: Sequence[tuple[str, str]] = ()
    cookies: Sequence["Cookie"] = ()
    is_wrong_guess: bool = False


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set; `max_age` is in seconds, 0 removes it, and `None` keeps it until the browser ends."""

    name: str
    value: str
    max_age: int | None
    same_site: Literal["Strict", "Lax"] = "Strict"

    def header(self, *, is_secure: bool) -> str:
        """Return the value of `Set-Cookie`: for all paths, and not for scripts."""
        morsel: Morsel[str] = SimpleCookie({self.name: self.value})[self.name]
        morsel.update(
            {"path": "/", "samesite": self.same_site, "httponly": "yes", "secure": "yes" if is_secure else ""}
        )
        if self.max_age is not None:
            # Not every browser takes a Max-Age of 0; a time in the past removes a cookie in all.
            morsel.update({"max-age": str(self.max_age)} if self.max_age else {"expires": format_timestamp(1)})
        return morsel.OutputString()


@dataclass(slots=True, kw_only=True)
class FileReply(HttpReply):
    """A file or a range of it, sent as fast as the client reads. `size` is the number of bytes of all `pieces`."""

    body: bytes = b""
    pieces: AsyncGenerator[bytes, None]
    size: int
    status: int = 200


class PlainText(HttpReply):
    """Plain text."""

    content_type = "text/plain; charset=UTF-8"


class Html(HttpReply):
    """A page."""

    content_type = "text/html; charset=UTF-8"


class Xml(HttpReply):
    """A provisioning document."""

    content_type = "application/xml"


class Png(HttpReply):
    """An image."""

    content_type = "image/png"


class Svg(HttpReply):
    """A drawing."""

    content_type = "image/svg+xml"


class VCards(HttpReply):
    """vCards 4.0."""

    content_type = "text/vcard; charset=UTF-8"


class Csv(HttpReply):
    """A table to download."""

    content_type = "text/csv; charset=UTF-8"


class Json(HttpReply):
    """JSON that is already encoded."""

    content_type = "application/json"


@dataclass(slots=True)
class PageReply(HttpReply):
    """A page with a status of its own."""

    content_type = "text/html; charset=UTF-8"
    status: int = 200


@dataclass(slots=True)
class SavedJson(HttpReply):
    """JSON about a record that was changed (200) or made (201)."""

    content_type = "application/json"
    other_statuses = (201,)
    status: int = 200


class Stylesheet(HttpReply):
    """A stylesheet."""

    content_type = "text/css; charset=UTF-8"


class Script(HttpReply):
    """A script."""

    content_type = "text/javascript; charset=UTF-8"


@dataclass(slots=True)
class Answer:
    """A finished answer: reply, status, and headers that the pipeline adds. `is_secret` forbids caches to store it."""

    status: int
    reply: HttpReply
    headers: Sequence[tuple[str, str]] = ()
    is_secret: bool = False
