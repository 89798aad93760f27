"""Contacts as vCards (RFC 6350, version 4.0), in the form that the vCard list of liblinphone reads."""

import re
from collections.abc import Iterable, Iterator

from flexiapi.model import Account, Types

_PLAIN = re.compile(r"[^\x00-\x1f\x7f,\\]*").fullmatch
_CONTROLS = {chr(code): "" for code in (*range(0x20), 0x7F) if chr(code) != "\t"}
_ESCAPES = str.maketrans(_CONTROLS | {"\r": "\\n", "\n": "\\n", "\\": "\\\\", ",": "\\,"})


def cards(contacts: Iterable[Account], types: Types) -> str:
    """Return one card per contact, or a single line end for none, because liblinphone rejects an empty body.

    `types` has the types of the contacts.
    """
    lines = [line for contact in contacts for line in _card(contact, types)]
    return "\r\n".join([*lines, ""]) if lines else "\r\n"


def _card(contact: Account, types: Types) -> Iterator[str]:
    yield "BEGIN:VCARD"
    yield "VERSION:4.0"
    yield "KIND:individual"
    yield f"IMPP:sip:{contact.address}"
    yield f"FN:{_text(contact.display_name or contact.address)}"
    if contact.dtmf_protocol is not None:
        yield f"X-LINPHONE-ACCOUNT-DTMF-PROTOCOL:{contact.dtmf_protocol}"
    for account_type in types.get(contact.id, ()):
        yield f"X-LINPHONE-ACCOUNT-TYPE:{_text(account_type.key)}"
    if contact.dtmf_protocol is not None:
        for action in contact.actions:
            yield f"X-LINPHONE-ACCOUNT-ACTION:{_text(action.key)};{_text(action.code)}"
    yield "END:VCARD"


def _text(value: str) -> str:
    """Escape a text value (RFC 6350 section 3.4) as liblinphone reads it.

    A raw comma would end its reading of the list, and so would an escaped semicolon, which only structured values need.
    """
    if _PLAIN(value):
        return value
    return value.replace("\r\n", "\n").translate(_ESCAPES)
