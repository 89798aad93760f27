"""Catalogues: the texts of pages in other languages than English, which is that of the source.

A catalogue is a gettext file, `TAG/pages.po` in a folder of templates. An entry of the operator's folder wins over that
of the built-in one; what neither has is shown in English. Files are read when their language is first needed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from flexiapi.errors import ConfigurationError
from flexiapi.language_tags import chain, is_tag, matched, spelt
from flexiapi.observing import log

SOURCE = "en"
"""The language of the texts in the source and in the templates."""

FILE = "pages.po"
_FIELD = "{field}"
_PLACES = re.compile(r"%\(\w+\)[a-z]|%%|%|\{\w+\}")
_BRACED = re.compile(r"\{(\w+)\}")


def marked(text: str) -> str:
    """Return a text as it is: its calls are what the catalogues gather. Templates translate it with `_()`."""
    return text


# Values of these names are words of ours, all others are data.
_NAMING = ("what",)
_CHOICE = marked("{first} or {last}")


class Catalogue:
    """The texts of a language: those of its files, the first ones first, and the English ones where they have none."""

    def __init__(self, catalogs: Sequence[Catalog] = ()) -> None:
        self._texts = NullTranslations()
        for texts in map(_usable, reversed(catalogs)):
            texts.add_fallback(self._texts)
            self._texts = texts
        ids = {message.id for catalog in catalogs for message in catalog if isinstance(message.id, str)} - {_CHOICE}
        # The entry with the most letters outside of its placeholders says best which text it is.
        ordered = sorted((one for one in ids if _BRACED.search(one)), key=lambda one: (-len(_BRACED.sub("", one)), one))
        self._patterns = [(one, _pattern(one)) for one in ordered]

    def text(self, message: str, **values: object) -> str:
        """Return a text in this language, with values in place of `%(name)s`; without values, `%` stands for itself."""
        found = self.gettext(message)
        return found % values if values else found

    def gettext(self, message: str) -> str:
        """Return a text in this language."""
        # An empty one would be the head of the file.
        return self._texts.gettext(message) if message else message

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """Return a text about a number in this language."""
        return self._texts.ngettext(singular, plural, number)

    def pgettext(self, context: str, message: str) -> str:
        """Return a text in this language that has several translations, by context."""
        return self._texts.pgettext(context, message)

    def npgettext(self, context: str, singular: str, plural: str, number: int) -> str:
        """Return a text about a number in this language, by context."""
        return self._texts.npgettext(context, singular, plural, number)

    def said(self, message: str) -> str:
        """Return a message that was made in English, with its values, in this language."""
        found = self.gettext(message)
        return found if found != message else self._filled(message) or message

    def told(self, text: str, field: str, label: str) -> str:
        """Return a text about a field, which begins with the field's name, in this language and with the field's label.

        The label is in this language already.
        """
        if not text.startswith(f"{field} "):
            return self.said(text)
        text = f"{_FIELD}{text.removeprefix(field)}"
        return self._filled(text, label) or text.replace(_FIELD, label, 1)

    def _filled(self, text: str, label: str = "") -> str | None:
        """Return the translation of the entry that a text is made from; `None` if no entry fits."""
        for message, pattern in self._patterns:
            if (found := pattern.fullmatch(text)) is not None:
                values = {name: self._value(name, value) for name, value in found.groupdict().items()}
                return _with(values | {"field": label}, self.gettext(message))
        return None

    def _value(self, name: str, value: str) -> str:
        """Return a value: a word that has an entry itself, or alternatives, whose last is named in this language."""
        if name in _NAMING:
            return self.gettext(value)
        first, between, last = value.rpartition(" or ")
        if between and first.endswith("'") and last.startswith("'"):
            return _with({"first": first, "last": last}, self.gettext(_CHOICE))
        return value


class Catalogues:
    """The catalogues in folders of templates: the operator's, if there is one, before the built-in.

    `languages` are English and the tags that have a catalogue, or those of them that are in `only`.
    """

    def __init__(self, folders: Sequence[Path], only: Sequence[str] = ()) -> None:
        self._folders = folders
        self._there = frozenset({SOURCE, *(tag for folder in folders for tag in _tags(folder))})
        self.languages = self._there.intersection(only) if only else self._there

    def language(self, wanted: Sequence[str], usual: str) -> tuple[str, str]:
        """Return the language of a page, and the same as exactly as it was asked for.

        It is the first of those that are wanted and that there are, else that of the domain, else English.
        """
        if (found := matched(wanted, self.choices(usual))) is not None:
            return found, found
        found = matched([usual], self._there) or SOURCE
        return found, usual if found in chain(usual) else found

    def choices(self, usual: str) -> frozenset[str]:
        """Return the languages that a person may choose on pages of a domain whose language is `usual`."""
        own = matched([usual], self._there)
        return self.languages | {own or SOURCE}

    def made(self, language: str) -> Catalogue:
        """Return the catalogue of a language. A file that cannot be read is logged, and left out."""
        files = (folder / tag / FILE for folder in self._folders for tag in chain(language))
        return Catalogue([*map(_read_or_left_out, filter(Path.is_file, files))])

    def doubts(self) -> Iterator[str]:
        """Yield what is probably a mistake in the operator's catalogues: entries that nothing uses or that do not fit.

        Raises `ConfigurationError` for a file that cannot be read.
        """
        if len(self._folders) == 1:
            return
        own, built_in = self._folders[0], self._folders[-1]
        known = {_key(message) for tag in _tags(built_in) for message in read(built_in / tag / FILE)}
        files = [own / tag / FILE for tag in sorted(_tags(own))]
        for file in sorted({*own.rglob("*.po")}.difference(files)):
            yield f"nothing uses {file}: catalogues are in folders of languages, TAG/{FILE}"
        for file in files:
            for message in read(file):
                if message.id and _key(message) not in known:
                    yield f"{file}: nothing uses the entry {_key(message)[1]!r}"
                elif not _fits(message):
                    yield f"{file}: the translation of {_key(message)[1]!r} has other placeholders than its text"


def _tags(folder: Path) -> Iterator[str]:
    """Yield the languages that have a catalogue in a folder."""
    for path in folder.glob(f"*/{FILE}"):
        if is_tag(tag := path.parent.name) and tag == spelt(tag):
            yield tag


def read(file: Path) -> Catalog:
    """Return a catalogue as it is written. Raises `ConfigurationError`."""
    try:
        with file.open("rb") as opened:
            return read_po(opened, abort_invalid=True)
    except (OSError, ValueError, PoFileError) as error:
        raise ConfigurationError(f"{file} cannot be read as catalogue: {error}") from error


def _read_or_left_out(file: Path) -> Catalog:
    try:
        return read(file)
    except ConfigurationError as error:
        log.error("catalogue left out", reason=str(error))
        return Catalog()


def _usable(catalog: Catalog) -> GNUTranslations:
    """Return the entries that are translated, and whose placeholders can be filled."""
    for message in catalog:
        if not _fits(message):
            message.string = "" if isinstance(message.id, str) else ("",) * len(message.id)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)


def _key(message: Message) -> tuple[str | None, str]:
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


def _fits(message: Message) -> bool:
    """Return whether the translation of an entry has placeholders of its text only."""
    known = set(_PLACES.findall(" ".join(_each(message.id))))
    return not message.id or known.issuperset(place for one in _each(message.string) for place in _PLACES.findall(one))


def _each(texts: Any) -> Sequence[str]:
    return (texts,) if isinstance(texts, str) else tuple(texts or ())


def _with(values: Mapping[str, str], text: str) -> str:
    """Return a text with values in place of their names in braces."""
    return _BRACED.sub(lambda found: values.get(found[1], found[0]), text)


def _pattern(message: str) -> re.Pattern[str]:
    """Return an expression for the texts that are made from an entry; `{field}` stands for itself."""
    text, *others = _BRACED.split(message)
    pieces = [re.escape(text)]
    for name, after in zip(others[::2], others[1::2], strict=True):
        pieces += [re.escape(_FIELD) if name == "field" else f"(?P<{name}>.+?)", re.escape(after)]
    return re.compile("".join(pieces), re.DOTALL)
