"""Words by which searches find an account."""

import pytest

from flexiapi.model import folded, search_words, words_in


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alice.martin-jones_2", ["alice", "martin", "jones", "2"]),
        ("+33612345678", ["33612345678"]),
        ("Amélie  Dûpont\u00a0(Ärztin)", ["amelie", "dupont", "(arztin)"]),
        ("alice@Mail.Example.org", ["alice", "mail", "example", "org"]),
        ("\uff21\uff22\uff23 straße", ["abc", "strasse"]),
        (".-_+@ ", []),
    ],
)
def test_words_are_split_and_folded(text, words):
    assert words_in(folded(text)) == words


def test_names_are_searched_as_a_whole_too_and_each_once():
    found = search_words("alice.martin", "alice@example.org", "+33612345678", "Alice Martin")
    assert found == [
        *("alice.martin", "alice@example.org", "+33612345678"),
        *("alice", "martin", "example", "org", "33612345678"),
    ]
    assert search_words("bob", None, None, None) == ["bob"]
