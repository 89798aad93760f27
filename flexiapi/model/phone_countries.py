"""Countries by the calling codes of their phone numbers."""

from typing import NamedTuple

import phonenumbers

from flexiapi.model.spellings import e164

_LONGEST_CODE = 3


class PhoneCountry(NamedTuple):
    """A country, by its two letters, its calling code in digits, and whether numbers of it may be new."""

    code: str
    calling_code: str
    is_activated: bool


def calling_codes() -> dict[str, str]:
    """Return the calling code of each country, by its two letters in order."""
    return {code: str(phonenumbers.country_code_for_region(code)) for code in sorted(phonenumbers.SUPPORTED_REGIONS)}


def calling_code_of(number: str) -> str | None:
    """Return the calling code of a phone number, `None` for a number of none. No code begins another one."""
    digits = e164(number).removeprefix("+")
    beginnings = (digits[:length] for length in range(1, _LONGEST_CODE + 1))
    return next((one for one in beginnings if int(one or 0) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), None)
