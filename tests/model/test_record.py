"""Words by which searches find an account, and what its fields say about its number."""

import pytest

from flexiapi.model import folded, search_words, words_in
from tests.model.accounts import NUMBER, account, newcomer


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


@pytest.mark.parametrize(
    ("known", "is_claim", "shown", "texted"),
    [
        (account(phone=NUMBER), False, NUMBER, NUMBER),
        (account(username=NUMBER), False, None, NUMBER),
        (newcomer(), False, NUMBER, NUMBER),
        (newcomer(username=NUMBER), True, NUMBER, NUMBER),
        (newcomer(activated=True), False, None, NUMBER),
        (newcomer(phone="+33699999999"), False, "+33699999999", "+33699999999"),
        (account(), False, None, None),
    ],
)
def test_a_claimed_number_is_shown_before_the_activation_only(known, is_claim, shown, texted):
    assert (known.is_claim, known.shown_phone, known.texted_number) == (is_claim, shown, texted)
