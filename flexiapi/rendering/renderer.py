"""Jinja2 environments, one for each language: the operator's template folder first, the built-in templates next."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.units import format_unit
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from flexiapi.errors import ConfigurationError
from flexiapi.files import shared
from flexiapi.language_tags import chain
from flexiapi.rendering import samples
from flexiapi.rendering.messages import Mail, Sms
from flexiapi.rendering.pages import Page
from flexiapi.rendering.translations import BUILT_IN, Translations
from flexiapi.settings import TemplateSettings

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


class Language(NamedTuple):
    """The language of a message: that of its templates, and as exact as it was asked for."""

    templates: str
    name: str


class RenderedMail(NamedTuple):
    """The parts of a mail; the subject is one line."""

    subject: str
    text: str
    html: str


class Renderer:
    """Renders messages and pages. Templates are read once: a changed file needs a restart.

    `app_name` and `signature` are those of samples, and of messages and pages that are rendered without others.
    Messages are rendered in a language that `language` returned, pages in that of the templates outside of folders of
    languages.

    Raises `ConfigurationError` if `templates.path` is not a folder that can be read.
    """

    def __init__(self, templates: TemplateSettings, app_name: str, signature: str) -> None:
        folders = [shared("templates")]
        if templates.path is not None:
            if not templates.path.is_dir():
                raise ConfigurationError(f"templates.path: {templates.path} is not a folder")
            folders.insert(0, templates.path)
        try:
            self.translations = Translations(folders, templates.languages)
        except OSError as error:
            raise ConfigurationError(f"templates.path: {error.filename} cannot be read: {error.strerror}") from error
        self._globals = {"app_name": app_name, "signature": signature}
        # Callers choose what they want: few of their wishes are remembered.
        self._chosen = lru_cache(maxsize=1024)(self.translations.language)
        self._environments: dict[str, Environment] = {}

    def _environment(self, language: str) -> Environment:
        """Return the environment of a language, made when it is first needed."""
        known = self._environments.get(language)
        return known or self._environments.setdefault(language, self._made(language))

    def _made(self, language: str) -> Environment:
        # Values are escaped in HTML only. A misspelled variable is an error, so that it cannot leave a gap.
        environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in self.translations.places(language)]),
            autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=False, default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        in_words = {"duration": partial(duration, language=language), "moment": partial(moment, language=language)}
        environment.filters.update(in_words, prose=prose)
        environment.globals.update(self._globals, language=language)
        return environment

    def language(self, message: Mail | Sms, wanted: Sequence[str], usual: str) -> Language:
        """Return the language of a message for a person who prefers `wanted`, in a domain whose language is `usual`."""
        return Language(*self._chosen(_place(message), tuple(wanted), usual))

    def mail(
        self, mail: Mail, app_name: str | None = None, signature: str | None = None, *, language: str = BUILT_IN
    ) -> RenderedMail:
        """Return the parts of a mail, in the name of a service."""
        values = _values(mail) | _named(app_name, signature)
        subject, text, html = (
            self._render(f"{_place(mail)}{suffix}", values, language) for suffix in (".subject.txt", ".txt", ".html")
        )
        return RenderedMail(" ".join(subject.split()), text.strip() + "\n", html)

    def sms(self, sms: Sms, app_name: str | None = None, *, language: str = BUILT_IN) -> str:
        """Return the text of an SMS, in one line, in the name of a service."""
        return " ".join(self._render(f"{_place(sms)}.txt", _values(sms) | _named(app_name), language).split())

    def page(self, page: Page, app_name: str | None = None) -> str:
        """Return the HTML of a page of a service."""
        return self._render(f"{page.folder}/{page.name}.html", _values(page) | _named(app_name))

    def render_all_samples(self, usual: Iterable[str] = (BUILT_IN,)) -> None:
        """Render every template once, a message in each language that it may be sent in.

        `usual` are the languages of the domains. Raises `ConfigurationError` naming each that fails and why.
        """
        attempts = [*self._messages(list(usual)), *self._pages()]
        failures = [failure for failure in map(_failure, attempts) if failure]
        if failures:
            raise ConfigurationError("templates that cannot be rendered: " + "; ".join(dict.fromkeys(failures)))

    def _messages(self, usual: Sequence[str]) -> Iterator[tuple[str, Callable[[], object]]]:
        for mail in samples.MAILS:
            for name, language in self._sent_in(mail, usual):
                yield name, partial(self.mail, mail, language=language)
        for sms in samples.SMS:
            for name, language in self._sent_in(sms, usual):
                yield name, partial(self.sms, sms, language=language)

    def _sent_in(self, message: Mail | Sms, usual: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield the languages that a message may be sent in, each after its name in findings."""
        wishes = [(), *((language,) for language in self.translations.languages)]
        for language in sorted({self.language(message, wanted, one).templates for wanted in wishes for one in usual}):
            yield _place(message) if language == BUILT_IN else f"{language}: {_place(message)}", language

    def _pages(self) -> Iterator[tuple[str, Callable[[], object]]]:
        for page in samples.PAGES:
            yield f"{page.folder}/{page.name}", partial(self.page, page)

    def _render(self, template: str, values: dict[str, Any], language: str = BUILT_IN) -> str:
        return self._environment(language).get_template(template).render(values)


def _place(message: Mail | Sms) -> str:
    return f"{'mail' if isinstance(message, Mail) else 'sms'}/{message.name}"


def _values(declared: Mail | Sms | Page) -> dict[str, Any]:
    return {field.name: getattr(declared, field.name) for field in fields(declared)}


def _named(app_name: str | None, signature: str | None = None) -> dict[str, Any]:
    given = {"app_name": app_name, "signature": signature}
    return {name: value for name, value in given.items() if value is not None}


def _failure(attempt: tuple[str, Callable[[], object]]) -> str | None:
    name, render = attempt
    try:
        render()
    except Exception as error:  # noqa: BLE001 - templates are operators' programs: anything may be raised
        return f"{name}: {error or type(error).__name__}"
    return None


@lru_cache(maxsize=256)
def duration(value: timedelta, language: str = BUILT_IN) -> str:
    """Format a duration in words, in the largest unit that is exact: `10 minutes`, `1 hour`."""
    seconds = max(0, round(value.total_seconds()))
    unit, length = next(
        (unit, length) for unit, length in _UNITS if (seconds % length == 0 and seconds >= length) or length == 1
    )
    return format_unit(seconds // length, f"duration-{unit}", locale=_locale(language))


def moment(value: datetime, language: str = BUILT_IN) -> str:
    """Format a time in words: `1 November 2026, 09:05 UTC`."""
    utc = value.astimezone(UTC)
    return f"{format_date(utc.date(), 'long', locale=_locale(language))}, {utc:%H:%M} UTC"


@cache
def _locale(language: str) -> Locale:
    """Return the words and dates of a language, or of English if it is unknown."""
    # In English, the day comes before the month, unless the language is more exact.
    for tag in ["en-GB"] if language == BUILT_IN else chain(language):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en", "GB")


def prose(text: str) -> Markup:
    """Convert a docstring to HTML: words in backticks are code, an empty line ends a paragraph."""
    paragraphs = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text.strip()))).split("\n\n")
    return Markup("").join(Markup(f"<p>{paragraph}</p>") for paragraph in paragraphs)  # noqa: S704  # escaped above
