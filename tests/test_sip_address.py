import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flexiapi.sip_address import NameAddr, SipAddress, from_http, from_sip, user_and_domain


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


ALICE = ("alice", "example.org")


@pytest.mark.parametrize(
    ("header", "http", "sip"),
    [
        ("sip:alice@example.org", ALICE, ALICE),
        ("SIPS:alice@EXAMPLE.org:5061", ALICE, ALICE),
        ("sip:%61lice@example.org;tag=1", ALICE, ALICE),
        (' "Alice \\" <sip:bob@example.org>" <sip:alice@example.org> ', ALICE, ALICE),
        ("Alice <sip:alice@example.org;transport=tls>;tag=1", ALICE, ALICE),
        ("<tel:+33612345678>", None, None),
        ("<sip:alice@example.org", None, None),
        ("<sip:example.org>", None, None),
        ("alice@example.org", None, None),
        # People write names that no user agent sends.
        ("Martin, Alice <sip:alice@example.org>", ALICE, None),
        ("< sip:alice@example.org >", ALICE, None),
        ("sip:alice:x@example.org", ("alice:x", "example.org"), None),
        ("sip:alice@[::1]", ("alice", "[::1]"), ("alice", "[")),
        ("sip:zoé@example.org", ("zoé", "example.org"), ("zoé", "example.org")),
        # What follows the host, the proxy has parsed.
        ("<sip:alice@example.org:port>", None, ALICE),
        ("<sip:alice@example.org> bob", None, ALICE),
        ("sip:alice@example.org bob", None, ALICE),
        ("<sip:alice@example.org;x=<y>", None, ALICE),
        ("sip:alice@ex!ample.org", None, ("alice", "ex!ample.org")),
        ("<sip:al ice@example.org>", None, ("al ice", "example.org")),
        ("<sip:alice@example.org>\nX", None, None),
    ],
)
def test_from_headers(header, http, sip):
    assert from_http(header) == http
    assert from_sip(header) == sip


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("alice@example.org", ALICE),
        ("SIPS:alice@EXAMPLE.org", ALICE),
        ("alice@example.org@bob", ALICE),
        ("sip:sip:alice@example.org", ("sip:alice", "example.org")),
        ("Al%69ce@example.org:5060", ("Al%69ce", "example.org:5060")),
        ("alice", None),
        ("alice@", None),
        ("@example.org", None),
        ("sip:@example.org", None),
        ("", None),
    ],
)
def test_path_parameters(text, parts):
    assert user_and_domain(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("<sip:a@b>", NameAddr("", "sip:a@b", "")),
        ('"A <x> \\"" <sip:a@b;c=<d>;q=1', NameAddr('"A <x> \\"" ', "sip:a@b;c=<d", ";q=1")),
        ("A <sip:a@b", NameAddr("A ", "sip:a@b", None)),
        ("sip:a@b", None),
        ('"A <sip:a@b>', None),
        ("", None),
    ],
)
def test_angle_brackets(text, parts):
    assert NameAddr.split(text) == parts


@pytest.mark.parametrize(
    ("start", "repeated", "end", "sip"),
    [
        ("", '"', "", None),
        ("", '"\\', "", None),
        ("", '"a', "", None),
        ("", " <", "", None),
        ("<sip:", " ", "", None),
        ("<sip:", "a", "", None),
        ("<sip:a@", "b", "!\n", None),
        ("sip:a@", "b", "!\n!", None),
        ("sip:a@b", " ", "!", ("a", "b")),
        ('"a"', " ", "!<", None),
    ],
)
def test_hostile_text_takes_linear_time(start, repeated, end, sip):
    """A quadratic grammar would take longer than a test may."""
    text = start + repeated * 300_000 + end
    assert from_http(text) is None
    assert from_sip(text) == sip
