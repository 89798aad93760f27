"""Jinja2 environment: the operator's template folder first, the built-in templates next."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from flexiapi.errors import ConfigurationError
from flexiapi.files import shared
from flexiapi.rendering import samples
from flexiapi.rendering.messages import Mail, Sms
from flexiapi.rendering.pages import Page
from flexiapi.settings import TemplateSettings

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905


class RenderedMail(NamedTuple):
    """The parts of a mail; the subject is one line."""

    subject: str
    text: str
    html: str


class Renderer:
    """Renders messages and pages. Templates are read once: a changed file needs a restart.

    `app_name` and `signature` are those of samples, and of messages and pages that are rendered without others.

    Raises `ConfigurationError` if `templates.path` is not a folder.
    """

    def __init__(self, templates: TemplateSettings, app_name: str, signature: str) -> None:
        folders = [shared("templates")]
        if templates.path is not None:
            if not templates.path.is_dir():
                raise ConfigurationError(f"templates.path: {templates.path} is not a folder")
            folders.insert(0, templates.path)
        # Values are escaped in HTML only. A misspelled variable is an error, so that it cannot leave a gap.
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
            autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=False, default=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(duration=duration, moment=moment, prose=prose)
        self._environment.globals.update(app_name=app_name, signature=signature)

    def mail(self, mail: Mail, app_name: str | None = None, signature: str | None = None) -> RenderedMail:
        """Return the parts of a mail, in the name of a service."""
        values = _values(mail) | _named(app_name, signature)
        subject, text, html = (
            self._render(f"mail/{mail.name}{suffix}", values) for suffix in (".subject.txt", ".txt", ".html")
        )
        return RenderedMail(" ".join(subject.split()), text.strip() + "\n", html)

    def sms(self, sms: Sms, app_name: str | None = None) -> str:
        """Return the text of an SMS, in one line, in the name of a service."""
        return " ".join(self._render(f"sms/{sms.name}.txt", _values(sms) | _named(app_name)).split())

    def page(self, page: Page, app_name: str | None = None) -> str:
        """Return the HTML of a page of a service."""
        return self._render(f"{page.folder}/{page.name}.html", _values(page) | _named(app_name))

    def render_all_samples(self) -> None:
        """Render every template once. Raises `ConfigurationError` naming each that fails and why."""
        failures = [failure for failure in map(_failure, self._all()) if failure]
        if failures:
            raise ConfigurationError("templates that cannot be rendered: " + "; ".join(failures))

    def _all(self) -> Iterator[tuple[str, Callable[[], object]]]:
        for mail in samples.MAILS:
            yield f"mail/{mail.name}", lambda mail=mail: self.mail(mail)  # type: ignore[misc]
        for sms in samples.SMS:
            yield f"sms/{sms.name}", lambda sms=sms: self.sms(sms)  # type: ignore[misc]
        for page in samples.PAGES:
            yield f"{page.folder}/{page.name}", lambda page=page: self.page(page)  # type: ignore[misc]

    def _render(self, template: str, values: dict[str, Any]) -> str:
        return self._environment.get_template(template).render(values)


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


def duration(value: timedelta) -> str:
    """Format a duration in words, in the largest unit that is exact: `10 minutes`, `1 hour`."""
    seconds = max(0, round(value.total_seconds()))
    unit, length = next(
        (unit, length) for unit, length in _UNITS if (seconds % length == 0 and seconds >= length) or length == 1
    )
    count = seconds // length
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def moment(value: datetime) -> str:
    """Format a time in words: `1 November 2026, 09:05 UTC`."""
    utc = value.astimezone(UTC)
    return f"{utc.day} {_MONTHS[utc.month - 1]} {utc.year}, {utc:%H:%M} UTC"


def prose(text: str) -> Markup:
    """Convert a docstring to HTML: words in backticks are code, an empty line ends a paragraph."""
    paragraphs = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text.strip()))).split("\n\n")
    return Markup("").join(Markup(f"<p>{paragraph}</p>") for paragraph in paragraphs)  # noqa: S704  # escaped above
