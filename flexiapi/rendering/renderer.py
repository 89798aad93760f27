"""Jinja2 environments, one for each language: the operator's template folder first, the built-in templates next."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from functools import lru_cache, partial
from math import ceil
from typing import Any, NamedTuple

from jinja2 import Environment

from flexiapi.errors import ConfigurationError
from flexiapi.files import shared
from flexiapi.rendering import samples
from flexiapi.rendering.assets import Assets
from flexiapi.rendering.catalogues import Catalogue, Catalogues
from flexiapi.rendering.countries import Countries
from flexiapi.rendering.environments import CompiledOnce, environment_of_messages, environment_of_pages
from flexiapi.rendering.messages import Mail, Sms
from flexiapi.rendering.pages import HtmlPage
from flexiapi.rendering.panel.samples import PANEL_PAGES
from flexiapi.rendering.translations import BUILT_IN, Translations
from flexiapi.rendering.wording import own_name
from flexiapi.settings import TemplateSettings

# The alphabet of GSM 03.38, one septet each, and its extension, two.
_ONE_SEPTET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWO_SEPTETS = frozenset("^{}\\[~]|€\f")
# An SMS has 140 bytes; each of several loses 6 to say which it is.
_SEPTETS, _SEPTETS_OF_SEVERAL = 160, 153
_UNITS, _UNITS_OF_SEVERAL = 70, 67


class Language(NamedTuple):
    """The language of a message or page: that of its texts, and as exact as it was asked for."""

    templates: str
    name: str


class OfferedLanguage(NamedTuple):
    """A language that people may choose on pages: its tag, and its name in itself."""

    tag: str
    name: str


class RenderedMail(NamedTuple):
    """The parts of a mail; the subject is one line."""

    subject: str
    text: str
    html: str


class Renderer:
    """Renders messages and pages. Templates are read once: a changed file needs a restart.

    `app_name` and `signature` are those of samples, and of messages and pages that are rendered without others.
    Messages are rendered in a language that `language` returned, from templates of it; pages in one that
    `page_language` returned, from one template for all, whose texts a catalogue translates. `countries` are those that
    are shown beside network addresses, by default none.

    Raises `ConfigurationError` if `templates.path` is not a folder that can be read.
    """

    def __init__(
        self, templates: TemplateSettings, app_name: str, signature: str, countries: Countries | None = None
    ) -> None:
        folders = [shared("templates")]
        if templates.path is not None:
            if not templates.path.is_dir():
                raise ConfigurationError(f"templates.path: {templates.path} is not a folder")
            folders.insert(0, templates.path)
        try:
            self.translations = Translations(folders, templates.languages)
            self.catalogues = Catalogues(folders, templates.languages)
            self.assets = Assets.of(folders)
        except OSError as error:
            raise ConfigurationError(f"templates.path: {error.filename} cannot be read: {error.strerror}") from error
        self.countries = countries or Countries(None)
        self._folders = folders
        self._globals = {"app_name": app_name, "signature": signature}
        # Callers choose what they want: few of their wishes are remembered.
        self._chosen = lru_cache(maxsize=1024)(self.translations.language)
        self._chosen_for_pages = lru_cache(maxsize=1024)(self.catalogues.language)
        self._messages_in: dict[str, Environment] = {}
        self._pages_in: dict[str, Environment] = {}
        self._catalogues_in: dict[str, Catalogue] = {}
        self._compiled = CompiledOnce()

    def _of_messages(self, language: str) -> Environment:
        """Return the environment of the messages of a language, made when it is first needed."""
        if language not in self._messages_in:
            places = self.translations.places(language)
            self._messages_in[language] = environment_of_messages(places, language, self._globals, self.countries)
        return self._messages_in[language]

    def _of_pages(self, language: str) -> Environment:
        """Return the environment of the pages of a language, made when it is first needed."""
        if language not in self._pages_in:
            catalogue = self.catalogue(language)
            self._pages_in[language] = environment_of_pages(
                self._folders, language, self._globals, self.countries, catalogue, self._compiled
            )
        return self._pages_in[language]

    def catalogue(self, language: str) -> Catalogue:
        """Return the texts of pages in a language that `page_language` returned."""
        if language not in self._catalogues_in:
            self._catalogues_in[language] = self.catalogues.made(language)
        return self._catalogues_in[language]

    def page_language(self, wanted: Sequence[str], usual: str) -> Language:
        """Return the language of a page for a person who prefers `wanted`, in a domain whose language is `usual`."""
        return Language(*self._chosen_for_pages(tuple(wanted), usual))

    def page_languages(self, usual: str) -> Sequence[OfferedLanguage]:
        """Return the languages that people may choose on the pages of a domain whose language is `usual`."""
        return [OfferedLanguage(tag, own_name(tag)) for tag in sorted(self.catalogues.choices(usual))]

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
        """Return the text of an SMS, in one line, in the name of a service.

        It has its link unless that takes more SMS than the text without: each costs, and some phones get them apart.
        """
        text = self._one_line(sms, app_name, language)
        if sms.link is None:
            return text
        plain = self._one_line(replace(sms, link=None), app_name, language)
        return text if number_of_sms(text) <= number_of_sms(plain) else plain

    def _one_line(self, sms: Sms, app_name: str | None, language: str) -> str:
        return " ".join(self._render(f"{_place(sms)}.txt", _values(sms) | _named(app_name), language).split())

    def page(self, page: HtmlPage, app_name: str | None = None, *, language: str = BUILT_IN) -> str:
        """Return the HTML of a page of a service, in a language that `page_language` returned."""
        template = self._of_pages(language).get_template(f"{page.folder}/{page.name}.html")
        return template.render(_values(page) | _named(app_name))

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
        for language in sorted(self.catalogues.languages):
            for page in (*samples.PAGES, *PANEL_PAGES):
                name = f"{page.folder}/{page.name}"
                shown = name if language == BUILT_IN else f"{language}: {name}"
                yield shown, partial(self.page, page, language=language)

    def _render(self, template: str, values: dict[str, Any], language: str = BUILT_IN) -> str:
        return self._of_messages(language).get_template(template).render(values)


def septets(text: str) -> int | None:
    """Return the length of a text in the alphabet of GSM 03.38, `None` if it has other characters."""
    if not _ONE_SEPTET.union(_TWO_SEPTETS).issuperset(text):
        return None
    return len(text) + sum(character in _TWO_SEPTETS for character in text)


def number_of_sms(text: str) -> int:
    """Return how many SMS a text takes: of 160 characters, or of 70 if one of them is not in the GSM alphabet."""
    length, most, most_of_several = septets(text), _SEPTETS, _SEPTETS_OF_SEVERAL
    if length is None:
        length, most, most_of_several = len(text.encode("utf-16-le")) // 2, _UNITS, _UNITS_OF_SEVERAL
    return 1 if length <= most else ceil(length / most_of_several)


def _place(message: Mail | Sms) -> str:
    return f"{'mail' if isinstance(message, Mail) else 'sms'}/{message.name}"


def _values(declared: Mail | Sms | HtmlPage) -> dict[str, Any]:
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
