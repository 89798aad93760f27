"""Contacts as vCards (RFC 6350, version 4.0), in the form that the vCard list of liblinphone reads."""

import re
from collections.abc import Iterable

from flexiapi.model import AsContact, Types

_BEGINNING = "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:individual\r\n"
_PLAIN = re.compile(r"[^\x00-\x1f\x7f,\\]*").fullmatch
_CONTROLS = {chr(code): "" for code in (*range(0x20), 0x7F) if chr(code) != "\t"}
_ESCAPES = str.maketrans(_CONTROLS | {"\r": "\\n", "\n": "\\n", "\\": "\\\\", ",": "\\,"})


def cards(contacts: Iterable[AsContact], types: Types) -> str:
    """Return one card per contact, or a single line end for none, because liblinphone rejects an empty body.

    `types` has the types of the contacts.
    """
    return "".join([_card(contact, types) for contact in contacts]) or "\r\n"


def _card(contact: AsContact, types: Types) -> str:
    address, protocol = contact.address, contact.dtmf_protocol
    name = _text(contact.display_name or address)
    more = []
    if protocol is not None:
        more.append(f"X-LINPHONE-ACCOUNT-DTMF-PROTOCOL:{protocol}\r\n")
    more += [f"X-LINPHONE-ACCOUNT-TYPE:{_text(one.key)}\r\n" for one in types.get(contact.id, ())]
    if protocol is not None:
        more += [f"X-LINPHONE-ACCOUNT-ACTION:{_text(one.key)};{_text(one.code)}\r\n" for one in contact.actions]
    return f"{_BEGINNING}IMPP:sip:{address}\r\nFN:{name}\r\n{''.join(more)}END:VCARD\r\n"


def _text(value: str) -> str:
    """Escape a text value (RFC 6350 section 3.4) as liblinphone reads it.

    A raw comma would end its reading of the list, and so would an escaped semicolon, which only structured values need.
    """
    if _PLAIN(value):
        return value
    return value.replace("\r\n", "\n").translate(_ESCAPES)
