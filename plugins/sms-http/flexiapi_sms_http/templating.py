"""Jinja2 templates of the settings, in a sandbox."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from jinja2 import ChainableUndefined, StrictUndefined, TemplateSyntaxError, meta
from jinja2.sandbox import SandboxedEnvironment

MESSAGE_NAMES = frozenset(
    {"phone", "digits", "text", "kind", "code", "language", "sender", "id", "validity", "channel", "secrets"}
)

# The writers of JSON, forms and headers escape values; HTML escaping would corrupt them.
_TEMPLATES = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)

_URLS = SandboxedEnvironment(undefined=ChainableUndefined, finalize=lambda inserted: quote(str(inserted), safe=""))


def fill(template: Any, names: Mapping[str, Any]) -> Any:
    """Fill in a template, or each template in a table or list."""
    if isinstance(template, str):
        return _TEMPLATES.from_string(template).render(names)
    if isinstance(template, Mapping):
        return {key: fill(item, names) for key, item in template.items()}
    if isinstance(template, list | tuple):
        return [fill(item, names) for item in template]
    return template


def fill_url(template: str, names: Mapping[str, Any]) -> str:
    """Fill in the URL with percent-encoded values; missing ones are left out."""
    return _URLS.from_string(template).render(names)


def validate_template(template: Any) -> None:
    """Raise `ValueError` with the reason if a template is not valid."""
    if isinstance(template, str):
        validate_names(template, MESSAGE_NAMES)
    elif isinstance(template, Mapping):
        for item in template.values():
            validate_template(item)
    elif isinstance(template, list | tuple):
        for item in template:
            validate_template(item)


def validate_names(source: str, known: frozenset[str]) -> None:
    """Raise `ValueError` with the reason if a template is not valid, or uses other names."""
    try:
        used = meta.find_undeclared_variables(_TEMPLATES.parse(source))
    except TemplateSyntaxError as error:
        raise ValueError(f"is not a Jinja2 template: {error.message}") from error
    unknown = sorted(used - known - set(_TEMPLATES.globals))
    if unknown:
        raise ValueError(f"knows {', '.join(sorted(known))}, not {', '.join(unknown)}")
