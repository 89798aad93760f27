"""Requests that gateways receive, and answers that they give."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as received; header names are in lower case, `client` is the client certificate's common name."""

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
        """The fields of the query."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def json(self) -> Any:
        """Parse the body as JSON."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        """Parse the body as `application/x-www-form-urlencoded`."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


Fault = Literal["reset", "garbage", "silence", "goaway"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, given after `delay` seconds, or a `fault` in its place."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    fault: Fault | None = None


RESET = Reply(fault="reset")
"""The connection is reset instead of an answer."""

GARBAGE = Reply(fault="garbage")
"""Bytes that do not belong to the gateway's protocol."""

SILENCE = Reply(fault="silence")
"""The answer never comes."""

GOAWAY = Reply(fault="goaway")
"""The server announces the end (HTTP/2: GOAWAY) and closes without answering the requests under way."""


def reply(
    status: int = 200,
    json_body: object = None,
    *,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
    delay: float = 0.0,
) -> Reply:
    """Return an answer with a JSON body, or with `body` as it is; for SMTP `status` is the code and `body` the text."""
    if body is None:
        content = b"" if json_body is None else json.dumps(json_body).encode()
        types = {} if json_body is None else {"content-type": "application/json"}
    else:
        content = body.encode() if isinstance(body, str) else body
        types = {}
    return Reply(status, content, {**types, **(headers or {})}, delay)
