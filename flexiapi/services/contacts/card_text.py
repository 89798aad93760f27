"""The text of a vCard (RFC 6350; RFC 2426 for version 3.0): what is wrong with it, and the form that is kept.

Each line is looked at once, from left to right. Parsers that match whole lines by a pattern can be kept busy for hours
by a line of a few kB, and those that rewrite what they read change what they do not know (decision 0107).
"""

import re
from collections.abc import Iterator

from flexiapi.errors import ValidationFailed
from flexiapi.model import MOST_CARD_BYTES, Card

_LONGEST_UID = 255
_LONGEST_NAME = 255
_VERSIONS = ("3.0", "4.0")

_FOLD = re.compile(r"\n[ \t]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_NAME = re.compile(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+)")
_PARAMETER = re.compile(r";[A-Za-z0-9-]+")
_PARAMETER_VALUE = re.compile(r'[=,](?:"[^"]*"|[^";:,]*)')
_PIECE = re.compile(r"\\.|,|[^\\,]+|\\")


class CardMalformed(ValidationFailed):
    """The text is no vCard that can be kept."""

    def __init__(self, text: str) -> None:
        super().__init__({"vcard": [text]})


def card_of(text: str) -> Card:
    """Return the card of a text. Raises `CardMalformed`."""
    if len(text.encode()) > MOST_CARD_BYTES:
        raise CardMalformed(f"The vCard has more than {MOST_CARD_BYTES} bytes.")
    lines = list(_lines(text))
    if [line.upper() for line in (lines[0], lines[-1])] != ["BEGIN:VCARD", "END:VCARD"]:
        raise CardMalformed("A vCard begins with BEGIN:VCARD and ends with END:VCARD.")
    properties = [(*_split(line), line) for line in lines[1:-1]]
    names = [name for name, _, _ in properties]
    if "BEGIN" in names or "END" in names:
        raise CardMalformed("Send one vCard at a time.")
    values = {name: value for name, value, _ in reversed(properties)}
    if names.count("VERSION") != 1 or values["VERSION"].strip() not in _VERSIONS:
        raise CardMalformed("The vCard must have the VERSION 4.0 or 3.0.")
    uid = values.get("UID", "").strip()
    if names.count("UID") != 1 or not 0 < len(uid) <= _LONGEST_UID:
        raise CardMalformed(f"The vCard must have one UID of 1 to {_LONGEST_UID} characters.")
    if not values.get("FN", "").strip():
        raise CardMalformed("The vCard must have a name (FN).")
    # liblinphone wants the version first.
    kept = [_kept(*one) for one in properties if one[0] != "VERSION"]
    whole = ["BEGIN:VCARD", f"VERSION:{values['VERSION'].strip()}", *kept, "END:VCARD", ""]
    return Card(uid, _plain(values["FN"])[:_LONGEST_NAME], "\n".join(whole))


def _lines(text: str) -> Iterator[str]:
    """Yield the lines that are not empty, unfolded; one empty line for none. Raises `CardMalformed`."""
    unix = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROL.search(unix):
        raise CardMalformed("The vCard has control characters.")
    lines = [line for line in _FOLD.sub("", unix).split("\n") if line.strip()]
    yield from lines or [""]


def _split(line: str) -> tuple[str, str]:
    """Return the name of a property in upper case, and its value. Raises `CardMalformed`."""
    name = _NAME.match(line)
    if name is None:
        raise CardMalformed(_OF_LINE)
    place = name.end()
    while parameter := _PARAMETER.match(line, place):
        place = parameter.end()
        while value := _PARAMETER_VALUE.match(line, place):
            place = value.end()
    if line[place : place + 1] != ":":
        raise CardMalformed(_OF_LINE)
    return name[1].upper(), line[place + 1 :]


_OF_LINE = "A line of the vCard is not NAME:value, or NAME;PARAMETER=value:value."


def _kept(name: str, value: str, line: str) -> str:
    """Return a line as liblinphone can read it: a raw comma or an escaped semicolon in FN would end its whole list."""
    if name != "FN":
        return line
    spelt = "".join(_SPELLINGS.get(piece, piece) for piece in _PIECE.findall(value))
    return line[: len(line) - len(value)] + spelt


_SPELLINGS = {",": "\\,", "\\;": ";", "\\": "\\\\"}


def _plain(value: str) -> str:
    """Return a text value without its escapes, a line break as space."""
    return "".join(_PLAIN.get(piece, piece.removeprefix("\\") or piece) for piece in _PIECE.findall(value)).strip()


_PLAIN = {"\\n": " ", "\\N": " ", "\\\\": "\\"}
