"""The usual spelling of names that can be spelt in several ways: phone numbers in E.164, user names in NFKC."""

import unicodedata
from functools import lru_cache

import phonenumbers

_MOST_REMEMBERED = 1024


@lru_cache(_MOST_REMEMBERED)
def e164(number: str) -> str:
    """Return a phone number (`+` and digits) as E.164 spells it: `+33612345678` for `+330612345678`.

    A number that cannot exist, such as `+1234`, stays as it is.
    """
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_possible_number(parsed):
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def usual_name(username: str) -> str:
    """Return a user name as it is compared with others: in NFKC, in lower case. ASCII names are that already."""
    return username if username.isascii() else unicodedata.normalize("NFKC", username).lower()
