import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexiapi.flexisip.sip_wire import SipRequest, content_length, parse_response

FRAGMENTS = [
    b"SIP/2.0 ",
    b"200 OK",
    b"\r\n",
    b"\n",
    b" ",
    b"\t",
    b"Via: x;branch=z9",
    b":",
    b";",
    b",",
    b"l: 3",
    b"\xff",
    b"\0",
]
NOISE = st.lists(st.sampled_from(FRAGMENTS) | st.binary(max_size=4)).map(b"".join)


def test_reads_status_reason_and_headers():
    response = parse_response(
        b"SIP/2.0 407 Proxy Authentication Required\r\nv: SIP/2.0/UDP h;rport; BRANCH = z9hG4bK1 ,SIP/2.0/UDP i\r\n"
        b"CSeq: 2  MESSAGE\r\nProxy-Authenticate:\r\n Digest a=b\r\nproxy-authenticate: Basic\r\n\r\nbody: no"
    )
    assert (response.status, response.reason) == (407, "Proxy Authentication Required")
    assert response.all("proxy-authenticate") == ["Digest a=b", "Basic"]
    assert response.all("body") == []
    assert response.answers("z9hG4bK1", "MESSAGE")
    assert not response.answers("z9hG4bK2", "MESSAGE")
    assert not response.answers("z9hG4bK1", "OPTIONS")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"SIP/2.0 2000",
        b"SIP/2.0 700 OK\r\n",
        b"SIP/1.0 200 OK\r\n",
        b"SIP/2.0 200 OK\r\nNo",
        b"INFO x SIP/2.0\r\n",
    ],
)
def test_what_is_no_response_is_a_value_error(text):
    with pytest.raises(ValueError, match="not a"):
        parse_response(text)


@given(NOISE)
def test_no_bytes_make_it_fail_otherwise(noise):
    for data in (noise, b"SIP/2.0 200 OK\r\n" + noise):
        try:
            response = parse_response(data)
            response.answers("z9", "MESSAGE")
        except ValueError:
            pass
        with contextlib.suppress(ValueError):
            content_length(data)


@given(st.binary(max_size=40))
def test_the_body_is_counted_in_bytes_and_stands_after_the_headers(body):
    message = SipRequest("MESSAGE", "sip:bob@h", "sip:api@h", "id", "tag", body).encode("SIP/2.0/UDP h;branch=z9", 1)
    head, _, rest = message.partition(b"\r\n\r\n")
    assert rest == body
    assert content_length(head) == len(body)
