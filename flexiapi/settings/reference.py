"""The document that explains every setting: a TOML file, made from the declarations."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from flexiapi.settings import Settings

_WIDTH = 118
_WORDS = {"ge": "at least", "gt": "more than", "le": "at most"}
_BACKEND_TABLES: Mapping[str, str] = {
    "push": """\
Backends that push, one table each, under any label. `flexiapi plugins` lists the installed ones; the README of each
has its settings. `order` (0) says which comes first. Example:

[push.android]
backend = "fcm"
service_account_file = "/etc/flexiapi/firebase.json"
""",
    "sms": """\
Backends that send SMS, as above. One with `prefixes` serves only numbers that start so. Example:

[sms.main]
backend = "http"
url = "https://gateway.example.org/send"
order = 0
prefixes = ["+33", "+32"]
""",
}
_HEAD = """\
# Settings of flexiapi, made by `flexiapi settings`.
#
# Every setting is here with its default. Take away the `#` before the name of what you change. The environment wins
# over this file: table and key make the variable, as in ACCOUNT_EMAIL_UNIQUE for [account] email_unique; lists are
# written with commas there. Where the default is "", the setting is not made.
#
# `flexiapi --config FILE check` tells whether it is right. A name that does not exist is an error."""


def document() -> str:
    """Every setting with its default and what it means, commented out."""
    return "\n".join(
        [_HEAD, *(line for table, field in Settings.model_fields.items() for line in _table(table, field))]
    )


def _table(name: str, field: FieldInfo) -> Iterator[str]:
    section = field.annotation
    yield "\n"
    if name in _BACKEND_TABLES:
        yield from (f"# {line}".rstrip() for line in _BACKEND_TABLES[name].splitlines())
        return
    assert isinstance(section, type)
    assert issubclass(section, BaseModel)
    yield f"# {(section.__doc__ or '').splitlines()[0]}"
    yield f"[{name}]"
    for key, setting in section.model_fields.items():
        yield ""
        yield from textwrap.wrap(_meaning(setting), _WIDTH, initial_indent="# ", subsequent_indent="# ")
        yield f"#{key} = {_toml(setting.default)}"


def _meaning(setting: FieldInfo) -> str:
    text = (setting.description or "").rstrip(".")
    return f"{text[:1].upper()}{text[1:]}{_bounds(setting)}."


def _bounds(setting: FieldInfo) -> str:
    """What may be set, when that is not any text or any number."""
    choices = [choice for choice in get_args(setting.annotation) if isinstance(choice, str) and choice]
    if choices:
        return f" ({', '.join(choices)})"
    limits = {name: bound for limit in setting.metadata for name in _WORDS if (bound := getattr(limit, name, None))}
    if "ge" in limits and "le" in limits:
        return f" ({limits['ge']} to {limits['le']})"
    bounds = ", ".join(f"{_WORDS[name]} {bound}" for name, bound in limits.items())
    return f" ({bounds})" if bounds else ""


def _toml(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return f"'{text}'" if "\\" in text or '"' in text else f'"{text}"'
