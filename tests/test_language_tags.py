"""Language tags, and those of `Accept-Language` in the order of their weights."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flexiapi.language_tags import accepted, chain, is_tag, matched, spelt


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("", ()),
        ("fr", ("fr",)),
        ("da, en-gb;q=0.8, en;q=0.7", ("da", "en-GB", "en")),
        ("en;q=0.5,fr-CA ; q=0.9, *;q=0.1", ("fr-CA", "en", "*")),
        ("fr;q=0, de", ("de",)),
        ("fr;Q=1.000, de;q=0.999", ("fr", "de")),
        ("de;q=0.2, de;q=0.9, fr;q=0.5", ("de", "fr")),
        ("fr;q=2, de;q=-1, it;q=0.1234, es;level=1, ;q=1, e, ../fr, pt", ("pt",)),
        ("," * 1000, ()),
    ],
)
def test_the_most_wanted_comes_first_and_what_is_malformed_is_left_out(header, languages):
    assert accepted(header) == languages


@given(st.text())
def test_any_header_gives_tags_only(header):
    assert all(tag == "*" or is_tag(tag) for tag in accepted(header))


@pytest.mark.parametrize(
    ("tag", "usual"), [("PT-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("FR", "fr"), ("de-1996", "de-1996")]
)
def test_a_tag_has_one_spelling(tag, usual):
    assert spelt(tag) == spelt(usual) == usual


@pytest.mark.parametrize(
    "text", ["", "f", "french", "fr_CA", "fr-", "-fr", "fr-123456789", "fr/../..", "fr-" + "a-" * 20]
)
def test_what_is_no_tag(text):
    assert not is_tag(text)


def test_shorter_forms_follow():
    assert chain("zh-Hant-TW") == ["zh-Hant-TW", "zh-Hant", "zh"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["pt-BR"], "pt-BR"),
        (["PT-br"], "pt-BR"),
        (["pt-PT"], None),
        (["pt"], "pt-BR"),
        (["fr-CA", "en"], "fr"),
        (["de", "en-US"], "en"),
        (["de"], None),
        (["*", "fr"], None),
        ([], None),
    ],
)
def test_a_language_matches_itself_then_its_shorter_then_its_longer_forms(wanted, found):
    assert matched(wanted, {"fr", "en", "pt-BR"}) == found


def test_no_more_of_a_long_header_is_remembered_than_counts():
    beginning = "fr-FR, fr;q=0.9, " * 50
    assert accepted(f"{beginning}{'a' * 9000}") is accepted(f"{beginning}{'b' * 9000}")
