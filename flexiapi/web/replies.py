"""What an endpoint may answer beside a JSON value."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A body that is not made from the return annotation, with its headers."""

    content_type: ClassVar[str] = "application/octet-stream"

    body: bytes
    headers: Sequence[tuple[str, str]] = ()
    cookies: Sequence["Cookie"] = ()


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set; `max_age` is in seconds."""

    name: str
    value: str
    max_age: int


class PlainText(HttpReply):
    """Text for a person or a simple client."""

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


class VCards(HttpReply):
    """vCards 4.0."""

    content_type = "text/vcard; charset=UTF-8"


class Json(HttpReply):
    """JSON that also sets cookies or headers; the body is encoded already."""

    content_type = "application/json"


@dataclass(frozen=True, slots=True)
class PageReply(HttpReply):
    """A page with a status of its own; for what people see in a browser."""

    content_type = "text/html; charset=UTF-8"
    status: int = 200
