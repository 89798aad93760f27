"""RFC 7616 arithmetic and syntax."""

import pytest

from flexiapi.crypto import digest

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
RESPONSES = {
    "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
}


@pytest.mark.parametrize("algorithm", RESPONSES)
def test_the_vectors_of_rfc_7616_section_3_9_1(algorithm):
    ha1 = digest.ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    answer = digest.response(algorithm, ha1, NONCE, "00000001", CNONCE, "auth", "GET", "/dir/index.html")
    assert answer == RESPONSES[algorithm]


def test_quoted_strings_may_hold_commas_quotes_and_equals_signs():
    scheme, parameters = digest.parse(r'Digest username="a,b\"c=d", nc=00000001,qop=auth , uri="/x?y=1,2"')
    assert scheme == "Digest"
    assert parameters == {"username": 'a,b"c=d', "nc": "00000001", "qop": "auth", "uri": "/x?y=1,2"}


@pytest.mark.parametrize("header", ['Digest a="b', "Digest a=b c=d", "Digest ,", 'Digest a="1",a="2"', "Digest =x"])
def test_what_is_no_parameter_list_is_refused(header):
    with pytest.raises(ValueError, match="parameter"):
        digest.parse(header)


def test_a_challenge_has_the_form_that_liblinphone_reads():
    assert digest.challenge("sip.example.org", "MD5", "n", "o") == (
        'Digest realm="sip.example.org",qop="auth",algorithm=MD5,nonce="n",opaque="o"'
    )


def test_an_authorization_is_parsed_back():
    parameters = {"username": "alice", "nc": "00000001", "algorithm": "MD5", "uri": "/a?b=c"}
    assert digest.parse(digest.authorization(parameters)) == ("Digest", parameters)


@pytest.mark.parametrize("rest", ["a" * 1_000_000, " " * 1_000_000 + "x", "a=b" + " " * 1_000_000 + "x"])
def test_a_long_header_costs_no_more_than_its_length(rest):
    """Time that grew with the square of it would run into the time limit of the test."""
    with pytest.raises(ValueError, match="parameter"):
        digest.parse(f"Digest {rest}")
