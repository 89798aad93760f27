"""Raw requests that are refused, each with its status."""

from dataclasses import dataclass

from flexiapi.server.http1.limits import HttpLimits

LIMITS = HttpLimits()
GOOD = b"GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True)
class Refused:
    """Bytes that get one answer of this status, as JSON, after which the connection is closed."""

    name: str
    raw: bytes
    status: int = 400
    methods: tuple = ()


def post(*lines, body=b"", version=b"HTTP/1.1", host=b"Host: localhost"):
    """A POST request with these header lines."""
    return b"\r\n".join([b"POST /x " + version, *([host] if host else []), *lines, b"", body])


def get(*lines, target=b"/x", version=b"HTTP/1.1", host=b"Host: localhost"):
    """A GET request with these header lines."""
    return b"\r\n".join([b"GET " + target + b" " + version, *([host] if host else []), *lines, b"", b""])


def chunked(body):
    """A POST request with this chunked body."""
    return post(b"Transfer-Encoding: chunked", body=body)


def _lengths():
    """A body of three bytes, which is a request when the length is taken for none."""
    bad = {
        "plus": b"+3",
        "minus": b"-3",
        "hexadecimal": b"0x3",
        "list of equal ones": b"3, 3",
        "list of unequal ones": b"3, 4",
        "list without space": b"3,3",
        "two numbers": b"3 3",
        "empty": b"",
        "decimal point": b"3.0",
        "exponent": b"3e0",
        "underscore": b"0_3",
        "letters": b"three",
        "semicolon": b"3;",
        "quoted": b'"3"',
        "form feed before": b"\x0c3",
        "vertical tab after": b"3\x0b",
        "nul after": b"3\x00",
        "digit of Latin-1": b"\xb3",
        "digit of another script": "\u0663".encode(),
        "two to the 64": b"18446744073709551616",
        "two to the 64 and three": b"18446744073709551619",
        "forty digits": b"9" * 40,
    }
    for name, length in bad.items():
        yield Refused(f"length: {name}", post(b"Content-Length: " + length, body=b"abc"))
    yield Refused("lengths: two equal", post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"))
    yield Refused("lengths: two unequal", post(b"Content-Length: 3", b"Content-Length: 4", body=b"abc"))
    yield Refused("lengths: zero and three", post(b"Content-Length: 0", b"content-length: 3", body=b"abc"))
    yield Refused("lengths: two unequal on GET", get(b"Content-Length: 0", b"Content-Length: 44") + GOOD)


def _codings():
    end = b"0\r\n\r\n"
    bad = {
        "gzip first": b"gzip, chunked",
        "twice": b"chunked, chunked",
        "not last": b"chunked, gzip",
        "identity": b"identity",
        "identity last": b"chunked, identity",
        "identity first": b"identity, chunked",
        "another": b"gzip",
        "unknown": b"xchunked",
        "empty": b"",
        "comma first": b",chunked",
        "comma last": b"chunked,",
        "parameter": b"chunked;q=1",
        "quoted": b'"chunked"',
        "form feed": b"\x0cchunked",
        "vertical tab": b"chunked\x0b",
        "nul": b"chunked\x00",
        "two words": b"chunked chunked",
    }
    for name, coding in bad.items():
        yield Refused(f"coding: {name}", post(b"Transfer-Encoding: " + coding, body=end))
    coding = b"Transfer-Encoding: chunked"
    yield Refused("coding: after a length", post(b"Content-Length: 5", coding, body=end))
    yield Refused("coding: before a length", post(coding, b"Content-Length: 5", body=end))
    yield Refused("coding: before a length on GET", get(coding, b"Content-Length: 5") + end)
    yield Refused("coding: repeated line", post(coding, coding, body=end))
    yield Refused("coding: line with another", post(coding, b"Transfer-Encoding: gzip", body=end))
    yield Refused("coding: line after another", post(b"Transfer-Encoding: gzip", coding, body=end))
    yield Refused("coding: line with identity", post(coding, b"Transfer-Encoding: identity", body=end))
    yield Refused("coding: 1.0", post(coding, body=end, version=b"HTTP/1.0"))
    yield Refused("coding: 1.0 kept alive", post(coding, b"Connection: keep-alive", body=end, version=b"HTTP/1.0"))


def _chunks():
    bad = {
        "plus": b"+3\r\nabc\r\n0\r\n\r\n",
        "minus": b"-3\r\nabc\r\n0\r\n\r\n",
        "hexadecimal mark": b"0x3\r\nabc\r\n0\r\n\r\n",
        "space before": b" 3\r\nabc\r\n0\r\n\r\n",
        "not hexadecimal": b"g\r\nabc\r\n0\r\n\r\n",
        "underscore": b"0_3\r\nabc\r\n0\r\n\r\n",
        "no size": b"\r\nabc\r\n0\r\n\r\n",
        "only an extension": b";a=b\r\nabc\r\n0\r\n\r\n",
        "two to the 64": b"10000000000000000\r\nabc\r\n0\r\n\r\n",
        "two to the 64 and three": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
        "bare LF after the size": b"3\nabc\r\n0\r\n\r\n",
        "bare CR after the size": b"3\rabc\r\n0\r\n\r\n",
        "bare LF after the data": b"3\r\nabc\n0\r\n\r\n",
        "nothing after the data": b"3\r\nabc0\r\n\r\n",
        "longer than said": b"3\r\nabcd\r\n0\r\n\r\n",
        "bare LF in the extension": b"3;\nabc\r\n0\r\n\r\n",
        "CR in the extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
        "LF in a quoted extension": b'3;a="\n"\r\nabc\r\n0\r\n\r\n',
        "nul in the extension": b"3;a=\x00\r\nabc\r\n0\r\n\r\n",
        "extension too long": b"3;" + b"a" * 300 + b"\r\nabc\r\n0\r\n\r\n",
        "extension of the last too long": b"3\r\nabc\r\n0;" + b"a" * 300 + b"\r\n\r\n",
        "bare LF at the end": b"3\r\nabc\r\n0\r\n\n" + GOOD,
        "bare LFs at the end": b"3\r\nabc\r\n0\n\n" + GOOD,
    }
    for name, body in bad.items():
        yield Refused(f"chunk: {name}", chunked(body))
    for name, line in {
        "no colon": b"X-Trailer",
        "space before the colon": b"X-Trailer : 1",
        "folded": b"X-Trailer: 1\r\n 2",
        "bare LF": b"X-Trailer: 1\nX-Other: 2",
        "nul": b"X-Trailer: \x00",
    }.items():
        yield Refused(f"trailer: {name}", chunked(b"0\r\n" + line + b"\r\n\r\n"))


def _fields():
    bad = {
        "folded": b"X-Field: a\r\n b",
        "folded with a tab": b"X-Field: a\r\n\tb",
        "folded length": b"Content-Length:\r\n 3",
        "empty and folded": b"X-Field:\r\n b",
        "bare CR in a value": b"X-Field: a\rb",
        "bare CR at the end": b"X-Field: a\r",
        "bare CR before a field": b"X-Field: a\rContent-Length: 3",
        "bare LF": b"X-Field: a\nX-Other: b",
        "nul in a value": b"X-Field: a\x00b",
        "control in a value": b"X-Field: a\x01b",
        "escape in a value": b"X-Field: a\x1bb",
        "vertical tab in a value": b"X-Field: a\x0bb",
        "delete in a value": b"X-Field: a\x7fb",
        "space before the colon": b"X-Field : a",
        "tab before the colon": b"X-Field\t: a",
        "length with space before the colon": b"Content-Length : 3",
        "coding with space before the colon": b"Transfer-Encoding : chunked",
        "no colon": b"X-Field",
        "no name": b": a",
        "space in a name": b"X Field: a",
        "parenthesis in a name": b"X(Field: a",
        "nul in a name": b"X\x00Field: a",
        "CR in a name": b"X\rField: a",
        "Latin-1 in a name": b"X-F\xeeld: a",
        "quote in a name": b'"X": a',
    }
    for name, line in bad.items():
        yield Refused(f"field: {name}", get(line))
        yield Refused(f"first field: {name}", get(line, b"Host: localhost", host=None))
    yield Refused("field: space before the first", get(b" Host: localhost", host=None))
    yield Refused("field: bare LFs all through", GOOD.replace(b"\r\n", b"\n"))
    yield Refused("field: bare LF at the end of the block", GOOD[:-2] + b"\n")


def _hosts():
    yield Refused("host: none", get(host=None))
    yield Refused("host: two", get(b"Host: other"))
    yield Refused("host: two equal", get(b"Host: localhost"))
    yield Refused("host: two on 1.0", get(b"Host: other", version=b"HTTP/1.0"))
    bad = {
        "space": b"a b",
        "comma": b"a,b",
        "slash": b"a/b",
        "user": b"a@b",
        "question mark": b"a?b",
        "number sign": b"a#b",
        "backslash": b"a\\b",
        "quote": b'a"b',
        "angle bracket": b"<a>",
        "Latin-1": b"a\xe9",
        "UTF-8": "\u00e9".encode(),
        "percent": b"a%zz",
        "scheme": b"http://a",
    }
    for name, host in bad.items():
        yield Refused(f"host: {name}", get(host=b"Host: " + host))
    yield Refused("host: invalid on 1.0", get(host=b"Host: a b", version=b"HTTP/1.0"))


def _start_lines():
    end = b"\r\nHost: localhost\r\n\r\n"
    bad = {
        "1.2": b"GET / HTTP/1.2",
        "1.9": b"GET / HTTP/1.9",
        "2.0": b"GET / HTTP/2.0",
        "0.9": b"GET / HTTP/0.9",
        "3.0": b"GET / HTTP/3.0",
        "1.10": b"GET / HTTP/1.10",
        "01.1": b"GET / HTTP/01.1",
        "one number": b"GET / HTTP/1",
        "no minor": b"GET / HTTP/1.",
        "small letters": b"GET / http/1.1",
        "another protocol": b"GET / HTTQ/1.1",
        "no version": b"GET /",
        "no version but a space": b"GET / ",
        "no target": b"GET HTTP/1.1",
        "empty target": b"GET  HTTP/1.1",
        "no method": b"/ HTTP/1.1",
        "space first": b" GET / HTTP/1.1",
        "space last": b"GET / HTTP/1.1 ",
        "words last": b"GET / HTTP/1.1 and more",
        "two spaces": b"GET  / HTTP/1.1",
        "tab": b"GET\t/ HTTP/1.1",
        "space in the target": b"GET /a b HTTP/1.1",
        "nul in the target": b"GET /\x00 HTTP/1.1",
        "control in the target": b"GET /\x01 HTTP/1.1",
        "delete in the target": b"GET /\x7f HTTP/1.1",
        "CR in the target": b"GET /\rX HTTP/1.1",
        "LF in the target": b"GET /\nX: / HTTP/1.1",
        "bare CR": b"GET / HTTP/1.1\rX: 1",
        "nul in the method": b"G\x00T / HTTP/1.1",
        "brackets in the method": b"G[]T / HTTP/1.1",
        "colon in the method": b"GET: / HTTP/1.1",
        "Latin-1 in the method": b"G\xc8T / HTTP/1.1",
        "RTSP": b"DESCRIBE rtsp://localhost/ RTSP/1.0",
        "RTSP with GET": b"GET / RTSP/1.0",
        "ICE": b"SOURCE /x ICE/1.0",
        "ICE with GET": b"GET /x ICE/1.0",
        "only words": b"hello",
    }
    for name, line in bad.items():
        yield Refused(f"start: {name}", line + end)
    yield Refused("start: HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    yield Refused("start: TLS", bytes.fromhex("16030100c8010000c40303") + bytes(200))
    yield Refused("start: nothing but nul", bytes(40))
    yield Refused("start: version and no more", b"GET /\r\n\r\n")


def _sizes():
    yield Refused("size: target", get(target=b"/" + b"a" * LIMITS.target_bytes), 414)
    yield Refused("size: target without an end", b"GET /" + b"a" * 100_000, 414)
    yield Refused("size: query", get(target=b"/?a=" + b"a" * LIMITS.target_bytes), 414)
    yield Refused("size: one field", get(b"X-Field: " + b"a" * 33_000), 431)
    yield Refused("size: name of a field", get(b"X" * 33_000 + b": a"), 431)
    yield Refused("size: field without an end", get()[:-2] + b"X-Field: " + b"a" * 100_000, 431)
    yield Refused("size: name of a field without an end", get()[:-2] + b"X" * 100_000, 431)
    yield Refused("size: many fields", get(*(b"X-Field-%d: a" % n for n in range(101))), 431)
    yield Refused("size: many equal fields", get(*[b"X-Field: a"] * 101), 431)
    yield Refused("size: fields together", get(*(b"X-Field-%d: " % n + b"a" * 1000 for n in range(40))), 431)
    yield Refused("size: body", post(b"Content-Length: 16777217", body=b"abc"), 413)
    yield Refused("size: body of 10 digits", post(b"Content-Length: 4294967299", body=b"abc"), 413)
    yield Refused("size: chunk", chunked(b"1000001\r\nabc"), 413)
    yield Refused("size: chunk of 32 bits", chunked(b"100000003\r\nabc"), 413)
    yield Refused("size: chunk of 63 bits", chunked(b"7fffffffffffffff\r\nabc"), 413)
    yield Refused("size: body that waits", post(b"Content-Length: 16777217", b"Expect: 100-continue"), 413)


def _expectations():
    for name, value in {"another": b"something", "with another": b"100-continue, something"}.items():
        yield Refused(f"expectation: {name}", post(b"Expect: " + value, b"Content-Length: 3", body=b"abc"), 417)


REFUSED = [
    *_lengths(),
    *_codings(),
    *_chunks(),
    *_fields(),
    *_hosts(),
    *_start_lines(),
    *_sizes(),
    *_expectations(),
]
