"""Conversions of parameters that clients send in several forms: flags, page numbers, codes, times."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from flexiapi.errors import Violations
from flexiapi.model import MOST_ENTRIES, KeyScope, e164
from flexiapi.sip_address import SipAddress

_MOST_DIGITS = 15
_BEYOND_THE_END = 10**_MOST_DIGITS
_MOST_DIGITS_OF_CODE = 64
_BETWEEN_DIGITS = re.compile(r"[\s().\-/\u2010-\u2015\u200e\u200f\u202a-\u202e\u2060]")
_ID = re.compile("[0-9]{1,18}")
_LONGEST_ENTRY = 255
_DICTIONARY_KEY = re.compile(rf"(?!\.{{1,2}}$)[^/\x00-\x1f\x7f-\x9f\u2028\u2029]{{1,{_LONGEST_ENTRY}}}", re.DOTALL)
_NUMBER = re.compile(r"\+[0-9]{3,20}")


def flag(value: Any) -> bool:
    """Accept exactly `true, false, 1, 0, "1", "0"`: clients send strings. Words of forms are booleans by then."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | str) and str(value) in ("0", "1"):
        return str(value) == "1"
    raise Violations("{field} must be true or false")


def page_number(value: Any) -> int:
    """Read a page number. A malformed one means the first page, a very large one a page after the last."""
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdecimal()):
        return 1
    number = text.lstrip("0")
    return _BEYOND_THE_END if len(number) > _MOST_DIGITS else int(number or 1)


def digits(value: Any) -> Any:
    """Accept a code that came as a JSON number; its field says how many digits it may have."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**_MOST_DIGITS_OF_CODE:
        return str(value)
    return value


def typed_digits(value: Any) -> Any:
    """Return a code as people copy it, `12 34` or `1-2-3-4`, as its digits alone."""
    return _BETWEEN_DIGITS.sub("", value) if isinstance(value, str) else digits(value)


def typed_number(value: Any) -> Any:
    """Return a phone number as people write it, `0033 (0)6-12.34` or `+33 6 12 34`, in the form of E.164.

    A number without its country's code is ambiguous, so it stays as it is, and its field refuses it.
    """
    if not isinstance(value, str):
        return value
    number = _BETWEEN_DIGITS.sub("", value)
    number = f"+{number[2:]}" if number.startswith("00") else number
    return e164(number) if _NUMBER.fullmatch(number) else number


def record_id(value: Any) -> int:
    """Read the id of a record, which forms send as text."""
    text = str(value)
    if isinstance(value, bool) or not _ID.fullmatch(text):
        raise Violations("{field} must be an id")
    return int(text)


def forwarding_kind(value: Any) -> Any:
    """Return the kind of a rule, for which the original's name until July 2026 is understood too."""
    return "no_answer" if value == "away" else value


def sip_uri(value: str) -> str:
    """Return a SIP URI without parameters, its scheme and host in lower case."""
    scheme, _, address = value.partition(":")
    refusal = Violations("{field} must be a SIP URI, such as sip:bob@sip.example.org")
    if scheme.lower() not in ("sip", "sips") or ":" in address.partition("@")[0]:
        raise refusal
    try:
        parsed = SipAddress.parse(address)
    except ValueError as error:
        raise refusal from error
    lowered = replace(parsed, host=parsed.host.lower())
    return f"{scheme.lower()}{lowered.uri.removeprefix('sip')}"


def typed_sip_uri(value: Any) -> Any:
    """Return a SIP URI that a person may have typed without its scheme."""
    return f"sip:{value}" if isinstance(value, str) and "@" in value and ":" not in value.partition("@")[0] else value


def key_scopes(value: Any) -> tuple[KeyScope, ...]:
    """Read the scopes of a named API key, each once. Raises `Violations`."""
    known = {scope.value: scope for scope in KeyScope}
    given = value if isinstance(value, list | tuple) else [value]
    if not given or not all(isinstance(name, str) and name in known for name in given):
        names = ", ".join(known)
        raise Violations(f"{{field}} must be one or more of {names}")
    return tuple(dict.fromkeys(known[name] for name in given))


def dictionary(value: Any) -> dict[str, str]:
    """Read an object of texts, without the space around them. Raises `Violations`."""
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise Violations("{field} must be an object whose values are strings")
    entries = {key: text.strip() for key, text in value.items()}
    faults = []
    if len(entries) > MOST_ENTRIES:
        faults.append(f"{{field}} must have at most {MOST_ENTRIES} entries")
    if not all(map(is_dictionary_key, entries)):
        faults.append(f"{{field}} must have keys of 1 to {_LONGEST_ENTRY} characters, without / and control characters")
    if not all(0 < len(text) <= _LONGEST_ENTRY and is_encodable(text) for text in entries.values()):
        faults.append(f"{{field}} must have values of 1 to {_LONGEST_ENTRY} characters")
    if faults:
        raise Violations(*faults)
    return entries


def is_dictionary_key(key: str) -> bool:
    """Return whether a text may be a key of a dictionary: one that a path can name."""
    return _DICTIONARY_KEY.fullmatch(key) is not None and is_encodable(key)


def is_encodable(text: str) -> bool:
    """Return whether a text has no half of a surrogate pair, which no document can hold."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def expiry(value: Any) -> datetime:
    """Read a time of the form `2040-12-12 12:12:12`, which is in UTC."""
    if not isinstance(value, str):
        raise Violations("{field} must be a string")
    try:
        moment = datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise Violations("{field} must be a time of the form Y-m-d H:i:s") from error
    if f"{moment:%Y-%m-%d %H:%M:%S}".rjust(19, "0") != value:
        raise Violations("{field} must be a time of the form Y-m-d H:i:s")
    return moment
