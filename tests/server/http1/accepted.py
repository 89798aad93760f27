"""Raw requests that are answered, each with what the application sees of them."""

from dataclasses import dataclass, field

from tests.server.http1.refused import GOOD, LIMITS, chunked, get, post

NEXT = {"uri": "/next"}
H2C = (
    b"Connection: Upgrade, HTTP2-Settings",
    b"Upgrade: h2c",
    b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
)
"""The offer of JDK's HttpClient with every cleartext request."""


@dataclass(frozen=True)
class Accepted:
    """Bytes that get these answers. A dict is what the application has seen, a number the status of its answer."""

    name: str
    raw: bytes
    answers: tuple = ({"uri": "/x"},)
    kept: bool = True
    """True if the connection is kept open after the last."""
    methods: tuple = ()
    absent: tuple = field(default=())
    """Names of headers that the application must not see."""


def _plain():
    yield Accepted("get", get(), ({"method": "GET", "uri": "/x", "version": "HTTP/1.1", "body": ""},))
    yield Accepted("query", get(target=b"/x?a=b&c=%20+d"), ({"uri": "/x?a=b&c=%20+d"},))
    yield Accepted("percent-encoded", get(target=b"/%C3%A9%2f%00%25"), ({"uri": "/%C3%A9%2f%00%25"},))
    yield Accepted("all of RFC 3986", get(target=b"/-._~!$&'()*+,;=:@/?/?"), ({"uri": "/-._~!$&'()*+,;=:@/?/?"},))
    yield Accepted("dots and slashes", get(target=b"//a/../b//"), ({"uri": "//a/../b//"},))
    yield Accepted(
        "body of known length", post(b"Content-Length: 3", body=b"abc"), ({"method": "POST", "body": "abc"},)
    )
    yield Accepted("body of any bytes", post(b"Content-Length: 5", body=b"\0\r\n\xff\n"), ({"body": "\0\r\n\xff\n"},))
    yield Accepted("no body", post(), ({"body": ""},))
    yield Accepted("empty body", post(b"Content-Length: 0"), ({"body": ""},))
    yield Accepted("zeros before the length", post(b"Content-Length: 003", body=b"abc"), ({"body": "abc"},))
    yield Accepted("space around the length", post(b"Content-Length: \t 3 ", body=b"abc"), ({"body": "abc"},))
    yield Accepted("no space before the length", post(b"content-length:3", body=b"abc"), ({"body": "abc"},))
    yield Accepted("body of a GET", get(b"Content-Length: 3") + b"abc", ({"method": "GET", "body": "abc"},))
    yield Accepted(
        "body that looks like a request",
        post(b"Content-Length: %d" % len(GOOD), body=GOOD),
        ({"body": GOOD.decode()},),
    )
    yield Accepted("delete", get().replace(b"GET", b"DELETE"), ({"method": "DELETE"},))
    yield Accepted("empty lines before", b"\r\n\r\n" + get())
    yield Accepted("empty line between", get() + b"\r\n" + GOOD, ({"uri": "/x"}, NEXT))
    yield Accepted("host with a port", get(host=b"Host: localhost:8080"))
    yield Accepted("host of IPv6", get(host=b"Host: [::1]:8080"))
    yield Accepted("host after others", get(b"X-Field: a", b"HOST: localhost", host=None))
    yield Accepted(
        "options of all", b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", ({"method": "OPTIONS", "uri": "*"},)
    )
    yield Accepted("two", get() + GOOD, ({"uri": "/x"}, NEXT))
    yield Accepted("three with bodies", post(b"Content-Length: 3", body=b"abc") * 3, ({"body": "abc"},) * 3)


def _fields():
    line = b"X-Field: "
    yield Accepted(
        "field without a value", get(b"X-Field:", b"X-Other: b"), ({"headers": {"X-Field": "", "X-Other": "b"}},)
    )
    yield Accepted("space around a value", get(line + b" \t a b\t "), ({"headers": {"X-Field": "a b"}},))
    yield Accepted("tab in a value", get(line + b"a\tb"), ({"headers": {"X-Field": "a\tb"}},))
    yield Accepted("Latin-1 in a value", get(line + b"\xe9\xff"), ({"headers": {"X-Field": "\xe9\xff"}},))
    yield Accepted("UTF-8 in a value", get(line + b"\xc3\xa9"), ({"headers": {"X-Field": "\xc3\xa9"}},))
    yield Accepted("colons in a value", get(line + b": a:b"), ({"headers": {"X-Field": ": a:b"}},))
    yield Accepted("all of a token", get(b"!#$%&'*+-.^_`|~09az: b"), ({"headers": {"!#$%&'*+-.^_`|~09az": "b"}},))
    longest = LIMITS.target_bytes - 1
    yield Accepted("long target", get(target=b"/" + b"a" * longest), ({"uri": "/" + "a" * longest},))
    yield Accepted("long value", get(line + b"a" * 30_000), ({"headers": {"X-Field": "a" * 30_000}},))
    yield Accepted("many fields", get(*(b"X-Field-%d: a" % n for n in range(99))), ({"headers": {"X-Field-98": "a"}},))
    yield Accepted("equal fields", get(line + b"a", line + b"b"), ({"headers": {"X-Field": "a,b"}},))


def _chunks():
    yield Accepted("chunks", chunked(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), ({"body": "abcde"},))
    yield Accepted("no chunk", chunked(b"0\r\n\r\n"), ({"body": ""},))
    yield Accepted("zeros of a size", chunked(b"0003\r\nabc\r\n000\r\n\r\n"), ({"body": "abc"},))
    yield Accepted(
        "letters of a size",
        chunked(b"A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n"),
        ({"body": "01234567890123456789a"},),
    )
    yield Accepted("line ends in a chunk", chunked(b"4\r\n\r\n\r\n\r\n0\r\n\r\n"), ({"body": "\r\n\r\n"},))
    yield Accepted("chunks and another request", chunked(b"3\r\nabc\r\n0\r\n\r\n") + GOOD, ({"body": "abc"}, NEXT))
    yield Accepted("chunk extension", chunked(b'3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n'), ({"body": "abc"},))
    yield Accepted("long chunk extension", chunked(b"3;" + b"a" * 250 + b"\r\nabc\r\n0\r\n\r\n"), ({"body": "abc"},))
    yield Accepted(
        "chunked by capitals", post(b"TRANSFER-ENCODING: Chunked", body=b"3\r\nabc\r\n0\r\n\r\n"), ({"body": "abc"},)
    )
    injected = (
        b"0\r\nX-Forwarded-For: 192.0.2.1\r\nx-api-key: stolen\r\nAuthorization: stolen\r\nHost: evil\r\n"
        b"Cookie: a=b\r\n\r\n"
    )
    yield Accepted(
        "trailers are dropped",
        chunked(b"3\r\nabc\r\n" + injected) + GOOD,
        ({"body": "abc", "headers": {"Host": "localhost"}}, NEXT),
        absent=("X-Forwarded-For", "X-Api-Key", "Authorization", "Cookie"),
    )
    # A front server that passes trailers on may send the next request for another client.
    for line in (b"Connection: close", b"Connection: Upgrade\r\nUpgrade: h2c", b"Connection: close\r\nUpgrade: h2c"):
        yield Accepted(
            f"trailer for the connection: {line.decode()!r}",
            chunked(b"3\r\nabc\r\n0\r\n" + line + b"\r\n\r\n") + GOOD,
            ({"body": "abc"}, NEXT),
        )


def _upgrades():
    yield Accepted("h2c", get(*H2C) + GOOD, ({"uri": "/x", "body": ""}, NEXT))
    yield Accepted("h2c with a body", post(*H2C, b"Content-Length: 3", body=b"abc") + GOOD, ({"body": "abc"}, NEXT))
    yield Accepted(
        "h2c after the length",
        post(b"Content-Length: 3", *H2C, body=b"abc") + post(*H2C, b"Content-Length: 3", body=b"def"),
        ({"body": "abc"}, {"body": "def"}),
    )
    yield Accepted(
        "h2c with chunks",
        post(*H2C, b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") + GOOD,
        ({"body": "abcde"}, NEXT),
    )
    yield Accepted("h2c with an empty body", post(*H2C, b"Content-Length: 0") + GOOD, ({"body": ""}, NEXT))
    yield Accepted(
        "h2c with trailers",
        post(*H2C, b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\nx-api-key: stolen\r\n\r\n") + GOOD,
        ({"body": "abc"}, NEXT),
        absent=("X-Api-Key",),
    )
    yield Accepted(
        "h2c and close",
        post(b"Connection: close, Upgrade", b"Upgrade: h2c", b"Content-Length: 3", body=b"abc") + GOOD,
        ({"body": "abc"},),
        kept=False,
    )
    yield Accepted("websocket", get(b"Connection: Upgrade", b"Upgrade: websocket") + GOOD, ({"uri": "/x"}, NEXT))
    yield Accepted("upgrade without connection", get(b"Upgrade: h2c") + GOOD, ({"uri": "/x"}, NEXT))
    big = b"POST /next" * 1000
    yield Accepted(
        "h2c with a body that looks like a request",
        post(*H2C, b"Content-Length: %d" % len(big), body=big) + GOOD,
        ({"body": big.decode()}, NEXT),
    )


def _connections():
    closing = {"close": b"close", "Close": b"Close", "close first": b"close, x", "close last": b"keep-alive, close"}
    for name, value in closing.items():
        yield Accepted(f"connection: {name}", get(b"Connection: " + value) + GOOD, kept=False)
    yield Accepted("connection: close, then garbage", get(b"Connection: close") + b"\0\xff" * 50, kept=False)
    yield Accepted(
        "connection: close with a body",
        post(b"Connection: close", b"Content-Length: 3", body=b"abc") + GOOD,
        kept=False,
    )
    yield Accepted("connection: keep-alive", get(b"Connection: keep-alive") + GOOD, ({"uri": "/x"}, NEXT))
    yield Accepted("connection: 1.0", get(version=b"HTTP/1.0") + GOOD, ({"version": "HTTP/1.0"},), kept=False)
    yield Accepted(
        "connection: 1.0 without host", get(version=b"HTTP/1.0", host=None), ({"version": "HTTP/1.0"},), kept=False
    )
    yield Accepted(
        "connection: 1.0 kept",
        get(b"Connection: keep-alive", version=b"HTTP/1.0") + GOOD,
        ({"version": "HTTP/1.0"}, NEXT),
    )
    yield Accepted(
        "connection: 1.0 with a body",
        post(b"Content-Length: 3", body=b"abc", version=b"HTTP/1.0") + GOOD,
        ({"version": "HTTP/1.0", "body": "abc"},),
        kept=False,
    )
    yield Accepted(
        "connection: 1.0 kept with a body",
        post(b"Connection: Keep-Alive", b"Content-Length: 3", body=b"abc", version=b"HTTP/1.0") + GOOD,
        ({"version": "HTTP/1.0", "body": "abc"}, NEXT),
    )


def _methods():
    yield Accepted("head", get().replace(b"GET", b"HEAD") + GOOD, (200, NEXT), methods=("HEAD",))
    yield Accepted("204", get(target=b"/status/204") + GOOD, (204, NEXT))
    yield Accepted("304", get(target=b"/status/304") + GOOD, (304, NEXT))
    yield Accepted(
        "head of 204", get(target=b"/status/204").replace(b"GET", b"HEAD") + GOOD, (204, NEXT), methods=("HEAD",)
    )
    yield Accepted(
        "head of 304", get(target=b"/status/304").replace(b"GET", b"HEAD") + GOOD, (304, NEXT), methods=("HEAD",)
    )
    yield Accepted(
        "head of much", get(target=b"/big/100000").replace(b"GET", b"HEAD") + GOOD, (200, NEXT), methods=("HEAD",)
    )
    yield Accepted("much", get(target=b"/big/100000") + GOOD, (200, NEXT))
    yield Accepted("stream", get(target=b"/stream/131072") + GOOD, (200, NEXT))
    yield Accepted(
        "100-continue", post(b"Expect: 100-continue", b"Content-Length: 3", body=b"abc") + GOOD, ({"body": "abc"}, NEXT)
    )
    yield Accepted("100-Continue", post(b"expect: 100-Continue", b"Content-Length: 3", body=b"abc"), ({"body": "abc"},))


ACCEPTED = [*_plain(), *_fields(), *_chunks(), *_upgrades(), *_connections(), *_methods()]
