"""Cards as an independent parser reads them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from flexiapi.model import Account, AccountType, Action, DtmfProtocol
from flexiapi.rendering.vcards import cards

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ALICE = Account(id=1, username="alice", domain="sip.example.org", created_at=NOW, updated_at=NOW)
TYPES = {2: (AccountType(1, "phone"), AccountType(2, "device_audio_intercom"))}
DOOR = replace(
    ALICE,
    id=2,
    username="door",
    display_name="Front door",
    dtmf_protocol=DtmfProtocol.SIPINFO,
    type_ids=(1, 2),
    actions=(Action(1, "open", "123"), Action(2, "light", "7a")),
)


def test_the_whole_card():
    assert cards([DOOR], TYPES) == (
        "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:individual\r\nIMPP:sip:door@sip.example.org\r\nFN:Front door\r\n"
        "X-LINPHONE-ACCOUNT-DTMF-PROTOCOL:sipinfo\r\nX-LINPHONE-ACCOUNT-TYPE:phone\r\n"
        "X-LINPHONE-ACCOUNT-TYPE:device_audio_intercom\r\nX-LINPHONE-ACCOUNT-ACTION:open;123\r\n"
        "X-LINPHONE-ACCOUNT-ACTION:light;7a\r\nEND:VCARD\r\n"
    )


def test_actions_need_a_protocol():
    assert "ACTION" not in cards([replace(DOOR, dtmf_protocol=None)], TYPES)


def test_a_list_is_card_after_card():
    parsed = list(vobject.readComponents(cards([ALICE, DOOR], TYPES)))
    assert [card.fn.value for card in parsed] == ["alice@sip.example.org", "Front door"]
    assert [card.impp.value for card in parsed] == ["sip:alice@sip.example.org", "sip:door@sip.example.org"]
    assert [card.version.value for card in parsed] == ["4.0", "4.0"]
    assert parsed[1].contents["x-linphone-account-type"][1].value == "device_audio_intercom"


def test_no_contact_is_one_line_end():
    assert cards([], TYPES) == "\r\n"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Martin, Alice; \\o/", "FN:Martin\\, Alice; \\\\o/"),
        ("a\r\nEND:VCARD\nb", "FN:a\\nEND:VCARD\\nb"),
        ("bell\x07\x00", "FN:bell"),
        ("Zoé", "FN:Zoé"),
        ("x" * 200, "FN:" + "x" * 200),
        ("", "FN:alice@sip.example.org"),
    ],
)
def test_names_are_escaped_and_never_folded(name, line):
    assert cards([replace(ALICE, display_name=name)], TYPES).split("\r\n")[4] == line


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], include_characters="\n"), min_size=1))
def test_names_are_read_back(name):
    card = vobject.readOne(cards([replace(ALICE, display_name=name)], TYPES), allowQP=False)
    assert card.fn.value.strip() == name.strip()
    assert card.impp.value == "sip:alice@sip.example.org"
