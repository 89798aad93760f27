"""Strategies of Hypothesis for requests, well-formed and nearly so."""

import itertools

from hypothesis import strategies as st

METHODS = (b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"HEAD", b"PATCH")
TARGETS = (
    b"/",
    b"/x",
    b"/x?a=b",
    b"/%C3%A9",
    b"*",
    b"http://localhost/x",
    b"/a;b,c",
    b"//x",
    b"/x#y",
    b"x",
    b"/\xc3\xa9",
    b"",
)
VERSIONS = (b"HTTP/1.1",) * 12 + (
    b"HTTP/1.0",
    b"HTTP/1.0",
    b"HTTP/1.2",
    b"HTTP/2.0",
    b"HTTP/0.9",
    b"http/1.1",
    b"RTSP/1.0",
    b"",
)
HOSTS = (b"Host: localhost",) * 12 + (
    b"Host: a:80",
    b"host:b",
    b"Host: [::1]",
    b"Host:",
    b"Host: a b",
    b"Host: a,b",
    b"Host: a/b",
    b"Host: a@b",
)
LINES = (
    b"X-Field: a",
    b"X-Field:",
    b"x-field: \t b \t",
    b"X-Field: \xe9",
    b"Accept: */*",
    b"Cookie: a=b; c=d",
    b"Connection: keep-alive",
    b"Connection: close",
    b"Connection: Close, x",
    b"Connection: Upgrade, HTTP2-Settings",
    b"Upgrade: h2c",
    b"Upgrade: websocket",
    b"Expect: 100-continue",
    b"Host: other",
    b"X-Field : a",
    b" folded: a",
    b"\tfolded",
    b"X(Field: a",
    b"no colon",
    b": a",
    b"Content-Length: 0",
    b"Content-Length: 3",
    b"content-length: 003",
    b"Content-Length: 3, 3",
    b"Content-Length: +3",
    b"Content-Length: 0x3",
    b"Content-Length: -1",
    b"Content-Length:",
    b"Content-Length: 3 ",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding: CHUNKED",
    b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: chunked;q=1",
    b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding : chunked",
    b"Trailer: X-Field",
)
ENDS = (b"\r\n",) * 30 + (b"\n", b"\r", b"\r\r\n", b"\n\n")
SIZES = (b"3",) * 6 + (
    b"003",
    b"3;a=b",
    b'3;a="b"',
    b"3 ;a",
    b"3 ",
    b" 3",
    b"+3",
    b"0x3",
    b"-3",
    b"3\x00",
    b"",
    b"g",
    b"2",
    b"4",
    b"A",
    b"f" * 17,
)
BREAKS = (b"\r\n",) * 12 + (b"\n", b"\r", b"", b"\r\n\r\n")
TRAILERS = (b"",) * 6 + (
    b"X-Api-Key: a\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"bad\r\n",
    b" x: y\r\n",
    b"Host: evil\r\n",
)
PIECES = (
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"\0",
    b"\x0b",
    b"\x0c",
    b"\x7f",
    b"\x80",
    b"\xff",
    b'"',
    b"0",
    b"3",
    b"chunked",
    b"Content-Length: 3\r\n",
    b"\r\n\r\n",
    b"HTTP/1.1",
    b"GET / ",
)


@st.composite
def chunks(draw):
    """A chunked body, most often a right one."""
    parts = []
    for _ in range(draw(st.integers(0, 2))):
        parts += [draw(st.sampled_from(SIZES)), draw(st.sampled_from(BREAKS)), b"abc", draw(st.sampled_from(BREAKS))]
    last = draw(st.sampled_from((b"0",) * 8 + (b"000", b"0;a", b"00 ", b"-0", b"0x0")))
    return b"".join(
        [*parts, last, draw(st.sampled_from(BREAKS)), draw(st.sampled_from(TRAILERS)), draw(st.sampled_from(BREAKS))]
    )


@st.composite
def request(draw):
    """A request, most often one with a single fault or none."""
    chosen = draw(st.sampled_from(("none", "length", "chunked", "any")))
    lines = [draw(st.sampled_from(HOSTS)), *draw(st.lists(st.sampled_from(LINES), max_size=2))]
    body = b""
    if chosen == "length":
        lines.append(b"Content-Length: 3")
        body = b"abc"
    elif chosen == "chunked":
        lines.append(b"Transfer-Encoding: chunked")
        body = draw(chunks())
    elif chosen == "any":
        body = draw(st.one_of(st.just(b"abc"), chunks()))
    lines = draw(st.permutations(lines))
    start = b" ".join((draw(st.sampled_from(METHODS)), draw(st.sampled_from(TARGETS)), draw(st.sampled_from(VERSIONS))))
    head = b"".join(line + draw(st.sampled_from(ENDS)) for line in (start, *lines))
    return head + draw(st.sampled_from(ENDS)) + body


@st.composite
def stream(draw):
    """One to three requests, with at most two changes of a few bytes."""
    data = b"".join(draw(st.lists(request(), min_size=1, max_size=3)))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 1, 2)))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.sampled_from((0, 0, 1, 1, 2, 4)))
        data = data[:at] + draw(st.sampled_from((b"", *PIECES))) + data[at + gone :]
    return data


@st.composite
def pieces(draw, data):
    """These bytes, split at up to three positions."""
    cuts = sorted({0, len(data), *draw(st.lists(st.integers(0, len(data)), max_size=3))})
    return [data[begin:end] for begin, end in itertools.pairwise(cuts)]
