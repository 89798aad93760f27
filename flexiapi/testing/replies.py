"""What gateways are asked, and what they answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it arrived; header names are in lower case, `client` is the client certificate's name."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    client: str | None = None

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The query's fields."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """The body, read as `application/x-www-form-urlencoded`."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


Fault = Literal["reset", "garbage", "silence", "goaway"]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, after `delay` seconds; with a `fault`, none that is worth the name."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    fault: Fault | None = None


RESET = Reply(fault="reset")
"""The connection is reset in place of an answer."""

GARBAGE = Reply(fault="garbage")
"""Bytes that are no answer in the gateway's protocol."""

SILENCE = Reply(fault="silence")
"""No answer ever comes."""

GOAWAY = Reply(fault="goaway")
"""The server says goodbye (HTTP/2: GOAWAY) and closes, requests under way unanswered."""


def reply(
    status: int = 200,
    json_body: object = None,
    *,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
    delay: float = 0.0,
) -> Reply:
    """An answer with a JSON body, or with `body` as it is; for SMTP the status is the code and `body` the text."""
    if body is None:
        content = b"" if json_body is None else json.dumps(json_body).encode()
        types = {} if json_body is None else {"content-type": "application/json"}
    else:
        content = body.encode() if isinstance(body, str) else body
        types = {}
    return Reply(status, content, {**types, **(headers or {})}, delay)
