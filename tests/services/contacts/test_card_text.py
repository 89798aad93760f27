"""The form in which vCards are kept, and those that are refused."""

import time

import pytest
import vobject

from flexiapi.services.contacts.card_text import CardMalformed, card_of

LONG = "x" * 200
WILD = (
    f"\ufeffbegin:vcard\r\nFN;LANGUAGE=fr:Martin\\; Zoé, Dr \\\\ co\\n{LONG[:40]}\r\n {LONG[40:]}\r\nversion:4.0\r\n"
    'UID:urn:uuid:1\r\nitem1.TEL;VALUE=uri;TYPE="voice,home";PREF=1:tel:+33-6\r\nN:Martin;Zoé;;;\r\n'
    "IMPP:sip:zoe@sip.example.org\r\nTEL;HOME:1\r\n\r\nNOTE:a:b;c\\,d\r\nX-EMPTY:\r\nEND:VCARD"
)


def test_lines_are_unfolded_and_end_with_a_line_feed_and_the_rest_stays():
    card = card_of(WILD)
    assert card.uid == "urn:uuid:1"
    assert card.text.split("\n") == [
        "BEGIN:VCARD",
        "VERSION:4.0",
        f"FN;LANGUAGE=fr:Martin; Zoé\\, Dr \\\\ co\\n{LONG}",
        "UID:urn:uuid:1",
        'item1.TEL;VALUE=uri;TYPE="voice,home";PREF=1:tel:+33-6',
        "N:Martin;Zoé;;;",
        "IMPP:sip:zoe@sip.example.org",
        "TEL;HOME:1",
        "NOTE:a:b;c\\,d",
        "X-EMPTY:",
        "END:VCARD",
        "",
    ]
    assert card.name == f"Martin; Zoé, Dr \\ co {LONG}"[:255]
    assert card_of(card.text) == card


def test_another_parser_reads_the_same_of_what_is_kept():
    before, after = (vobject.readOne(text, transform=False, validate=False) for text in (WILD[1:], card_of(WILD).text))
    names = ("uid", "tel", "n", "impp", "note")
    assert {name: after.contents[name][0].value for name in names} == {
        name: before.contents[name][0].value for name in names
    }


def card(*lines, version="4.0"):
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])


MALFORMED = {
    "nothing": "",
    "no card": "hello",
    "no end": "BEGIN:VCARD\nVERSION:4.0\nUID:1\nFN:a",
    "two cards": card("UID:1", "FN:a") + card("UID:2", "FN:b"),
    "nested": card("UID:1", "FN:a", "BEGIN:VCARD", "END:VCARD"),
    "no UID": card("FN:a"),
    "empty UID": card("UID: ", "FN:a"),
    "two UIDs": card("UID:1", "UID:2", "FN:a"),
    "long UID": card("UID:" + "x" * 256, "FN:a"),
    "no FN": card("UID:1"),
    "version 2.1": card("UID:1", "FN:a", version="2.1"),
    "no version": "BEGIN:VCARD\nUID:1\nFN:a\nEND:VCARD",
    "no colon": card("UID:1", "FN:a", "NOTE"),
    "no name": card("UID:1", "FN:a", ":x"),
    "open quote": card("UID:1", "FN:a", 'TEL;TYPE="voice:1'),
    "control": card("UID:1", "FN:a\x00b"),
    "too long": card("UID:1", "FN:a", "NOTE:" + "x" * 65536),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_single_whole_card_is_refused(name):
    with pytest.raises(CardMalformed) as refused:
        card_of(MALFORMED[name])
    assert list(refused.value.errors) == ["vcard"]


def test_a_uid_of_255_characters_and_a_card_of_64_kib_are_kept():
    fill = 65536 - len(card("UID:" + "x" * 255, "FN:a", "NOTE:"))
    assert card_of(card("UID:" + "x" * 255, "FN:a", "NOTE:" + "x" * fill)).size <= 65536
    assert card_of(card("UID:1", "FN:a", version="3.0")).text.startswith("BEGIN:VCARD\nVERSION:3.0\n")


HOSTILE = ("X" + ";A=b" * 15000, 'X;A="' + "b" * 60000, "X;A=" + '"b",' * 14000, "X;" + "a=" * 30000, "a." * 30000)


def test_no_line_keeps_the_server_busy():
    """vobject's pattern for a line takes hours for the first of these."""
    begun = time.process_time()
    for line in HOSTILE:
        with pytest.raises(CardMalformed):
            card_of(card("UID:1", "FN:a", line))
    assert time.process_time() - begun < 5
