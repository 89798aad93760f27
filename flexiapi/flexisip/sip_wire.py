"""SIP messages on the wire (RFC 3261 section 7): encoding of requests, parsing of responses."""

import re
from dataclasses import dataclass, replace
from typing import Self

_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?")
_FOLD = re.compile(r"\r\n[ \t]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;,\s]+)", re.IGNORECASE)
_COMPACT = {"v": "via", "l": "content-length"}


@dataclass(frozen=True, slots=True)
class Response:
    """A response's status, reason phrase and headers: pairs of lower-case name and value, in order."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]

    @property
    def is_final(self) -> bool:
        """True if no other response will follow."""
        return self.status >= 200  # noqa: PLR2004 - below are the provisional ones

    @property
    def succeeded(self) -> bool:
        """True if the request was accepted."""
        return self.status // 100 == 2  # noqa: PLR2004 - the class of success

    @property
    def failed_at_server(self) -> bool:
        """True if the server is at fault, not the request."""
        return self.status // 100 == 5  # noqa: PLR2004 - the class of server failures

    def all(self, name: str) -> list[str]:
        """Return every value of a header; `name` in lower case."""
        return [value for found, value in self.headers if found == name]

    def answers(self, branch: str, method: str) -> bool:
        """Return True if it belongs to the client transaction (RFC 3261 section 17.1.3)."""
        via, cseq = self.all("via"), self.all("cseq")
        found = _BRANCH.search(via[0]) if via else None
        return found is not None and found[1] == branch and bool(cseq) and cseq[0].split()[1:] == [method]


@dataclass(frozen=True, slots=True)
class SipRequest:
    """The parts that all tries of a request share. They must be validated: line ends are not escaped."""

    method: str
    uri: str
    sender: str
    call_id: str
    tag: str
    body: bytes = b""
    more: tuple[tuple[str, str], ...] = ()

    def having(self, header: tuple[str, str]) -> Self:
        """Return the same request with one more header, such as credentials."""
        return replace(self, more=(header,))

    def encode(self, via: str, cseq: int) -> bytes:
        """Encode the request for one transaction, which has its own Via value and sequence number."""
        headers = [
            ("Via", via),
            ("Max-Forwards", "70"),
            ("From", f"<{self.sender}>;tag={self.tag}"),
            ("To", f"<{self.uri}>"),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {self.method}"),
            *self.more,
            ("User-Agent", "flexiapi"),
        ]
        if self.body:
            headers.append(("Content-Type", "text/plain;charset=UTF-8"))
        headers.append(("Content-Length", str(len(self.body))))
        lines = [f"{self.method} {self.uri} SIP/2.0", *(f"{name}: {value}" for name, value in headers), "", ""]
        return "\r\n".join(lines).encode() + self.body


def parse_response(head: bytes) -> Response:
    """Parse a response up to the end of its headers, ignoring the rest. Raises `ValueError` on anything else."""
    text = head.partition(b"\r\n\r\n")[0].decode(errors="replace")
    start, *lines = _FOLD.sub(" ", text).split("\r\n")
    status_line = _STATUS_LINE.fullmatch(start)
    if status_line is None or any(_CONTROL.search(line) for line in lines):
        raise ValueError("not a SIP response")
    return Response(int(status_line[1]), status_line[2] or "", tuple(_header(line) for line in lines))


def content_length(head: bytes) -> int:
    """Return the length in bytes of the body after the headers, on a stream. Raises `ValueError` if it is malformed."""
    lines = _FOLD.sub(" ", head.decode(errors="replace")).split("\r\n")[1:]
    for name, value in (_header(line) for line in lines if line):
        if name == "content-length":
            return int(value)
    return 0


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError("not a header")
    lowered = name.strip().lower()
    return _COMPACT.get(lowered, lowered), value.strip()
