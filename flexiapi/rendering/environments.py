"""Jinja2 environments: of the messages of a language, and of pages in a language."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    pass_context,
    select_autoescape,
)
from jinja2.bccache import Bucket
from jinja2.runtime import Context

from flexiapi.rendering.catalogues import Catalogue
from flexiapi.rendering.countries import Countries
from flexiapi.rendering.wording import ago, day, direction, duration, moment, number, prose

_BY_LANGUAGE: Mapping[str, Callable[..., str]] = {
    "duration": duration,
    "moment": moment,
    "date": day,
    "ago": ago,
    "number": number,
}


class CompiledOnce(BytecodeCache):
    """The code of templates, which is the same in all languages, so that a further language costs little."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template the code that it had in another language."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Remember the code of a template."""
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


def environment_of_messages(
    places: Sequence[Path], language: str, variables: Mapping[str, str], countries: Countries
) -> Environment:
    """Return the environment of the mails and SMS of a language, whose templates are in these folders."""
    return _environment(places, language, variables, countries)


def environment_of_pages(
    places: Sequence[Path],
    language: str,
    variables: Mapping[str, str],
    countries: Countries,
    catalogue: Catalogue,
    compiled: CompiledOnce,
) -> Environment:
    """Return the environment of pages, whose templates are in these folders and whose texts are in a catalogue.

    `_()` gives text, which is escaped as any other; what is in `{% trans %}` may have HTML.
    """
    i18n = ["jinja2.ext.i18n"]
    environment = _environment(places, language, variables, countries, extensions=i18n, bytecode_cache=compiled)
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        catalogue.gettext,
        catalogue.ngettext,
        newstyle=True,
        pgettext=catalogue.pgettext,
        npgettext=catalogue.npgettext,
    )
    environment.globals.update(_=catalogue.text, told=partial(_told, catalogue))
    said = {"said": catalogue.said, **{name: environment.filters[name] for name in (*_BY_LANGUAGE, "country")}}
    environment.filters.update({name: _when_rendered(one) for name, one in said.items()})
    return environment


def _told(catalogue: Catalogue, text: str, field: str, label: str) -> str:
    """Return an English text about a field with an English label."""
    return catalogue.told(text, field, catalogue.gettext(label))


def _environment(
    places: Sequence[Path], language: str, variables: Mapping[str, str], countries: Countries, **options: Any
) -> Environment:
    # Values are escaped in HTML only. A misspelled variable is an error, so that it cannot leave a gap.
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(place) for place in places]),
        autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=False, default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        **options,
    )
    environment.filters.update({name: partial(said, language=language) for name, said in _BY_LANGUAGE.items()})
    environment.filters.update(prose=prose, country=partial(countries.of, language=language))
    environment.globals.update(variables, language=language, direction=direction(language))
    return environment


def _when_rendered(said: Callable[..., str]) -> Callable[..., str]:
    """Return a filter whose results for constants do not become part of the code, which serves all languages."""

    @pass_context
    def filtered(_: Context, value: object, *args: object) -> str:
        return said(value, *args)

    return filtered
