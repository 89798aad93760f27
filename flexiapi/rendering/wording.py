"""Durations, times and numbers in words, by language: filters of templates."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_timedelta
from babel.numbers import format_decimal
from babel.units import format_unit
from markupsafe import Markup, escape

from flexiapi.language_tags import chain

_ENGLISH = "en"
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


@lru_cache(maxsize=256)
def duration(value: timedelta, language: str = _ENGLISH) -> str:
    """Format a duration in words, in the largest unit that is exact: `10 minutes`, `1 hour`."""
    seconds = max(0, round(value.total_seconds()))
    unit, length = next(
        (unit, length) for unit, length in _UNITS if (seconds % length == 0 and seconds >= length) or length == 1
    )
    return format_unit(seconds // length, f"duration-{unit}", locale=locale_of(language))


def moment(value: datetime, language: str = _ENGLISH) -> str:
    """Format a time in words: `1 November 2026, 09:05 UTC`."""
    utc = value.astimezone(UTC)
    return f"{day(utc, language=language)}, {utc:%H:%M} UTC"


def day(value: date, length: Literal["long", "medium"] = "long", language: str = _ENGLISH) -> str:
    """Format a date in words: `1 November 2026`, or `1 Nov 2026`. That of a time is its date in UTC."""
    if isinstance(value, datetime):
        value = value.astimezone(UTC).date()
    return format_date(value, length, locale=locale_of(language))


def ago(value: datetime, now: datetime | None = None, language: str = _ENGLISH) -> str:
    """Say how long ago a time was, or when it will be: `5 minutes ago`, `in 2 hours`."""
    since = value - (now or datetime.now(UTC))
    return format_timedelta(since, granularity="minute", threshold=1, add_direction=True, locale=locale_of(language))


def number(value: float, language: str = _ENGLISH) -> str:
    """Format a number: `12,345`."""
    return format_decimal(value, locale=locale_of(language))


@cache
def locale_of(language: str) -> Locale:
    """Return the words and dates of a language, or of English if it is unknown."""
    # In English, the day comes before the month, unless the language is more exact.
    for tag in ["en-GB"] if language == _ENGLISH else chain(language):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en", "GB")


def territory(code: str, language: str = _ENGLISH) -> str:
    """Return the name of a country by its code (ISO 3166-1); an empty text for an unknown code."""
    return locale_of(language).territories.get(code) or locale_of(_ENGLISH).territories.get(code) or ""


def direction(language: str) -> str:
    """Return the direction in which a language is written, as the attribute `dir` has it."""
    return "rtl" if locale_of(language).character_order == "right-to-left" else "ltr"


def own_name(language: str) -> str:
    """Return the name of a language as its speakers have it: `English`, `Français`."""
    known = locale_of(language)
    if known.language != language.partition("-")[0]:
        return language
    name = Locale.parse(language, sep="-").get_display_name() or language
    return name[:1].upper() + name[1:]


def prose(text: str) -> Markup:
    """Convert a docstring to HTML: words in backticks are code, an empty line ends a paragraph."""
    paragraphs = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text.strip()))).split("\n\n")
    return Markup("").join(Markup(f"<p>{paragraph}</p>") for paragraph in paragraphs)  # noqa: S704  # escaped above
