import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexiapi.flexisip.sip_address import SipAddress


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("bob@sip.example.org", "sip:bob@sip.example.org"),
        ("sip:bob@sip.example.org", "sip:bob@sip.example.org"),
        ("SIP:Bob@Example.org:5071", "sip:Bob@Example.org:5071"),
        ("+33612345678@sip.example.org", "sip:+33612345678@sip.example.org"),
        ("b%20ob;x=1@127.0.0.1", "sip:b%20ob;x=1@127.0.0.1"),
        ("bob@[::1]:5060", "sip:bob@[::1]:5060"),
    ],
)
def test_reads_addresses_with_and_without_scheme(text, uri):
    assert SipAddress.parse(text).uri == uri


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        "+badid",
        "@example.org",
        "bob@",
        "sips:bob@example.org",
        "tel:+33612345678",
        "bob@example.org bob",
        "b ob@example.org",
        "bob@example.org\r\nX: y",
        "bob\n@example.org",
        "bob@example.org\n",
        "bob@example.org\0",
        "<bob@example.org>",
        '"bob"@example.org',
        "bob@exam_ple.org",
        "bob@-example.org",
        "bob@example..org",
        "bob@example.org:0",
        "bob@example.org:65536",
        "bob@example.org:",
        "bob@example.org;transport=tcp",
        "bob@example.org?Subject=x",
        "bob@[::1",
        "bob@[1:2]",
        "b%2ob%@example.org",
        "bób@example.org",
        "bob@" + "a" * 255,
    ],
)
def test_refuses_what_is_no_address(text):
    with pytest.raises(ValueError, match=r"."):
        SipAddress.parse(text)


@settings(deadline=None)
@given(st.text(st.sampled_from('ab1@:;.-[]<>" \r\n\t?%\0é&=/'), max_size=20))
def test_whatever_is_accepted_can_stand_in_a_header(text):
    try:
        uri = SipAddress.parse(text).uri
    except ValueError:
        return
    assert uri.isascii()
    assert uri.isprintable()
    assert not set(uri) & set(' <>"')
