"""The settings as they are in force, for administrators to read. Secrets are left out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from flexiapi.settings import BackendSettings, DirectorySettings, Settings
from flexiapi.settings.reference import meaning, toml
from flexiapi.settings.spaces import OVERRIDABLE, SpaceSettings, field_of

# User and password in a URL, and options of a URL that name secrets.
_USER_OF_URL = re.compile(r"(?<=://)[^/@\s]+@")
_SECRET_OPTIONS = re.compile(r"(?i)(?<=[?&])([^=&]*(?:password|secret|token|key)[^=&]*)=[^&]*")
HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """A setting: its value and default as the file has them, and its description.

    The value of a secret is empty when it is unset, and hidden when it is set.
    """

    key: str
    value: str
    default: str = ""
    description: str = ""
    is_changed: bool = False
    is_secret: bool = False


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table of the settings, such as `account` or `sms.main`."""

    name: str
    settings: Sequence[ShownSetting]


def tables(settings: Settings) -> Sequence[ShownTable]:
    """Return all tables but those of domains."""
    return [table for name in Settings.model_fields if name != "spaces" for table in _tables(settings, name)]


def tables_of_spaces(settings: Settings) -> Sequence[ShownTable]:
    """Return the tables of domains."""
    return [table_of_space(settings, domain) for domain in settings.spaces]


def table_of_space(settings: Settings, domain: str) -> ShownTable:
    """Return the table of a domain, with all settings that it may have; the defaults are those of the sections."""
    space = settings.spaces[domain]
    rows = [_shown("host", SpaceSettings.model_fields["host"], space.host, None)]
    for key, section in OVERRIDABLE.items():
        default = getattr(getattr(settings, section), field_of(key))
        rows.append(_shown(key, SpaceSettings.model_fields[key], space.overrides.get(key, default), default))
    return ShownTable(f'spaces."{domain}"', rows)


def _tables(settings: Settings, name: str) -> Iterator[ShownTable]:
    section = getattr(settings, name)
    if isinstance(section, Mapping):
        yield from _backends(name, section)
        return
    fields = type(section).model_fields
    yield ShownTable(
        name,
        [
            _shown(key, field, getattr(section, key), field.get_default(call_default_factory=True))
            for key, field in fields.items()
        ],
    )
    yield from _backends(name, section.model_extra or {})


def _backends(name: str, found: Mapping[str, BackendSettings | DirectorySettings]) -> Iterator[ShownTable]:
    for label, table in found.items():
        known = [
            _shown(key, field, getattr(table, key), field.get_default())
            for key, field in type(table).model_fields.items()
        ]
        # What a backend of a plugin calls its secrets is not known here.
        others = table.options if isinstance(table, BackendSettings) else ()
        options = [ShownSetting(key, HIDDEN, is_changed=True, is_secret=True) for key in others]
        yield ShownTable(f"{name}.{label}", [*known, *options])


def _shown(key: str, field: FieldInfo, value: Any, default: Any) -> ShownSetting:
    description, is_secret = meaning(field), _holds_secret(field.annotation) or _is_secret(value)
    required = field.is_required()
    if is_secret:
        text = HIDDEN if value else ""
        return ShownSetting(key, text, "", description, bool(value), is_secret=True)
    return ShownSetting(
        key, _text(value), "" if required else _text(default), description, required or value != default
    )


def _is_secret(value: Any) -> bool:
    return isinstance(value, SecretStr) or (isinstance(value, list | tuple) and any(map(_is_secret, value)))


def _holds_secret(annotation: Any) -> bool:
    if annotation is SecretStr:
        return True
    return any(map(_holds_secret, getattr(annotation, "__args__", ())))


def _text(value: Any) -> str:
    if value is None or value == "":
        return ""
    assert not isinstance(value, BaseModel)
    text = value if isinstance(value, str) else toml(value)
    return _SECRET_OPTIONS.sub(rf"\1={HIDDEN}", _USER_OF_URL.sub(f"{HIDDEN}@", text))
