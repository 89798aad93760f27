"""Texts that Twilio reads out in a call, as TwiML."""

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

_TIMES = "2"

# The first of a language is for those that name no country.
_LANGUAGES = [
    "ca-ES",
    "da-DK",
    "de-DE",
    "en-US",
    "en-GB",
    "en-AU",
    "en-CA",
    "en-IN",
    "es-ES",
    "es-MX",
    "fi-FI",
    "fr-FR",
    "fr-CA",
    "it-IT",
    "ja-JP",
    "ko-KR",
    "nb-NO",
    "nl-NL",
    "pl-PL",
    "pt-PT",
    "pt-BR",
    "ru-RU",
    "sv-SE",
    "zh-CN",
    "zh-HK",
    "zh-TW",
]

# XML has no other control characters, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def spoken_language(language: str | None, more: Mapping[str, str]) -> str | None:
    """Return the language of Twilio's voice for that of a text, `None` for Twilio's own default."""
    if not language:
        return None
    wanted = language.replace("_", "-").lower()
    known = {name.lower(): name for name in _LANGUAGES}
    known.update({"no": "nb-NO", **{name.lower(): locale for name, locale in more.items()}})
    first = next((name for name in _LANGUAGES if name.lower().startswith(f"{wanted.partition('-')[0]}-")), None)
    return known.get(wanted) or known.get(wanted.partition("-")[0]) or first


def read_out(text: str, language: str | None) -> str:
    """Return the TwiML of a call in which a text is read twice."""
    response = ET.Element("Response")
    attributes = {"loop": _TIMES} if language is None else {"language": language, "loop": _TIMES}
    ET.SubElement(response, "Say", attributes).text = _NOT_XML.sub("", text)
    return ET.tostring(response, encoding="unicode")
