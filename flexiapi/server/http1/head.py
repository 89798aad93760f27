"""The head of a request: request line and headers, read by llhttp and checked for what that lets pass."""

import re
from functools import lru_cache

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from tornado.httputil import RequestStartLine

from flexiapi.server.http1.headers import ReceivedHeaders
from flexiapi.server.http1.limits import HttpLimits
from flexiapi.server.http1.refusal import RefusedRequest

_METHODS = frozenset({b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"})
_VERSIONS = {b" HTTP/1.1": "HTTP/1.1", b" HTTP/1.0": "HTTP/1.0"}
_VERSION_LENGTH = len(b" HTTP/1.1")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# The form that clients use with proxies, and may use with every server.
_ABSOLUTE = re.compile(r"https?://([^/?#]+)([^#]*)", re.IGNORECASE)
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
# As Tornado's `HTTPServerRequest` has it: of RFC 3986 what matters to security, and no list of hosts.
_HOST = re.compile(r"(?:[\[\]:A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})*(?::[0-9]*)?")
# Names of the DNS have 253 at most. Hosts are remembered, here and by the application.
_MOST_HOST_CHARACTERS = 1000


class Sink:
    """The receiver of llhttp's callbacks, which only store: an exception in one would be taken for the client's."""

    __slots__ = ("is_complete", "keeps_alive", "lines", "parser", "pieces")

    def __init__(self) -> None:
        self.parser = HttpRequestParser(self)
        self.lines: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self.keeps_alive = False
        self.is_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header; those of a trailer come here too."""
        self.lines.append((name, value))

    def on_headers_complete(self) -> None:
        """Store whether the connection may go on."""
        self.keeps_alive = self.parser.should_keep_alive()

    def on_body(self, piece: bytes) -> None:
        """Store a piece of the body."""
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        """Store that the request is complete."""
        self.is_complete = True


class RequestHead:
    """A request line with its headers, and what follows from them.

    `length` is that of the body in bytes, and -1 if it is chunked.
    """

    __slots__ = ("headers", "keeps_alive", "length", "start_line", "wants_continue")

    def __init__(self, start_line: RequestStartLine, headers: ReceivedHeaders, *, keeps_alive: bool) -> None:
        self.start_line = start_line
        self.headers = headers
        self.keeps_alive = keeps_alive
        self.length = _length(start_line, headers)
        self.wants_continue = False
        if "Expect" in headers:
            if headers["Expect"].lower() != "100-continue":
                raise RefusedRequest("The expectation in the Expect header is not supported.", 417)
            self.wants_continue = start_line.version != "HTTP/1.0"


class RequestReader:
    """Reader of the requests of one connection, which it is given in whole heads and in pieces of bodies."""

    __slots__ = ("_limits", "sink")

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self.sink = Sink()

    def head(self, data: bytes) -> RequestHead:
        """Return a head, given with the empty line after it. Raises `RefusedRequest`."""
        start_line, checked = self._request_line(data)
        sink = self.sink
        lines: list[tuple[bytes, bytes]] = []
        sink.lines = lines
        sink.is_complete = False
        is_upgrade = False
        try:
            sink.parser.feed_data(checked)
        except HttpParserUpgrade:
            is_upgrade = True
        except HttpParserError as error:
            raise RefusedRequest("The request is not valid HTTP.") from error
        if len(lines) > self._limits.headers:
            raise RefusedRequest(f"The request has more than {self._limits.headers} headers.", 431)
        head = RequestHead(start_line, ReceivedHeaders(lines), keeps_alive=sink.keeps_alive)
        _check_host(start_line, head.headers)
        if start_line.path[0] != "/":
            _take_absolute(head)
        if is_upgrade:
            self._ignore_upgrade(head)
        return head

    def feed(self, data: bytes) -> None:
        """Read a piece of a body, with its framing. Raises `RefusedRequest`."""
        try:
            self.sink.parser.feed_data(data)
        except HttpParserError as error:
            raise RefusedRequest("The body of the request is not valid HTTP.") from error

    def begin_anew(self) -> None:
        """Forget what the parser has been told about the connection; the request that it has read is complete."""
        self.sink = Sink()
        self.sink.is_complete = True

    def _request_line(self, data: bytes) -> tuple[RequestStartLine, bytes]:
        """Return the request line, and the head in the form that llhttp is given."""
        end = data.index(b"\r\n")
        method, _, _ = data[:end].partition(b" ")
        target = data[len(method) + 1 : end - _VERSION_LENGTH]
        version = _VERSIONS.get(data[end - _VERSION_LENGTH : end])
        if version is None or not target:
            raise RefusedRequest("The request line is not one of HTTP/1.1 or HTTP/1.0.")
        if len(target) > self._limits.target_bytes:
            raise RefusedRequest(f"The request target is longer than {self._limits.target_bytes} bytes.", 414)
        if b" " in target:
            raise RefusedRequest("The request target contains a space.")
        start_line = RequestStartLine(method.decode("latin-1"), target.decode("latin-1"), version)
        if method in _METHODS and target.isascii():
            return start_line, data
        if not _TOKEN.fullmatch(method):
            raise RefusedRequest("The request method is not valid.")
        # llhttp knows only some methods, and gives CONNECT and others a meaning that they do not have here. It takes no
        # bytes beyond ASCII in a target, but old clients send UTF-8.
        target = _NOT_ASCII.sub(lambda found: b"%%%02X" % found[0][0], target)
        return start_line, b"%b %b%b" % (
            method if method in _METHODS else b"POST",
            target,
            data[end - _VERSION_LENGTH :],
        )

    def _ignore_upgrade(self, head: RequestHead) -> None:
        """Go on with a new parser: the old one takes the body, and all that follows, for another protocol."""
        self.sink = Sink()
        if head.length:
            framing = b"Transfer-Encoding: chunked" if head.length < 0 else b"Content-Length: %d" % head.length
            self.feed(b"POST / HTTP/1.1\r\nHost: localhost\r\n%b\r\n\r\n" % framing)


def _length(start_line: RequestStartLine, headers: ReceivedHeaders) -> int:
    if "Transfer-Encoding" in headers:
        # Proxies disagree about everything else, so that one request could hide in another.
        if headers["Transfer-Encoding"].lower() != "chunked" or start_line.version == "HTTP/1.0":
            raise RefusedRequest("The only transfer encoding is `chunked`, in HTTP/1.1.")
        return -1
    return int(headers.get("Content-Length", 0))


def _check_host(start_line: RequestStartLine, headers: ReceivedHeaders) -> None:
    hosts = headers.get_list("Host")
    if len(hosts) > 1:
        raise RefusedRequest("The request has more than one Host header.")
    if not hosts and start_line.version != "HTTP/1.0":
        raise RefusedRequest("The request has no Host header.")
    if hosts and not _is_host(hosts[0]):
        raise RefusedRequest("The Host header is not a host name.")


def _take_absolute(head: RequestHead) -> None:
    """Make an absolute target the path in it, and its host the one that counts, as RFC 9112 3.2.2 demands."""
    method, target, version = head.start_line
    if (target == "*" and method == "OPTIONS") or method == "CONNECT":
        return
    found = _ABSOLUTE.fullmatch(target)
    if found is None or not _is_host(found[1]) or found[1].startswith(":"):
        raise RefusedRequest("The request target is neither a path nor an address with a host name.")
    path = found[2] if found[2].startswith("/") else f"/{found[2]}"
    head.start_line = RequestStartLine(method, path, version)
    head.headers["Host"] = found[1]


def _is_host(text: str) -> bool:
    return len(text) <= _MOST_HOST_CHARACTERS and _is_valid_host(text)


@lru_cache(maxsize=1024)
def _is_valid_host(text: str) -> bool:
    return _HOST.fullmatch(text) is not None
