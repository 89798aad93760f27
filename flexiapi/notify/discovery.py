"""Installed backends, found by entry points, and their validated settings."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flexiapi.errors import ConfigurationError
from flexiapi.notify.origin import defined_at, raised_at
from flexiapi.observing import log
from flexiapi.plugin import ANY_PROVIDER, Backend, BackendConfig, MailBackend, PushBackend, SmsBackend

AnyBackend = Backend[Any, Any]


class Transport(StrEnum):
    """A kind of message that backends carry; its value is the name of the settings table."""

    PUSH = "push"
    SMS = "sms"
    MAIL = "mail"

    @property
    def group(self) -> str:
        """The entry point group of its backends."""
        return f"flexiapi.{self.value}"


_BASES: dict[str, Any] = {
    Transport.PUSH: PushBackend,
    Transport.SMS: SmsBackend,
    Transport.MAIL: MailBackend,
}


@dataclass(frozen=True, slots=True)
class InstalledBackend:
    """A backend that an installed distribution offers; it is not imported."""

    transport: Transport
    name: str
    entry_point: EntryPoint

    @property
    def distribution(self) -> str:
        """The name of the distribution."""
        return self.entry_point.dist.name if self.entry_point.dist else "?"

    @property
    def version(self) -> str:
        """The version of the distribution."""
        return self.entry_point.dist.version if self.entry_point.dist else "?"

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


def installed_backends() -> list[InstalledBackend]:
    """Return the backends of all installed distributions, by transport and name, without importing any."""
    points = entry_points()
    return [
        InstalledBackend(transport, point.name, point)
        for transport in Transport
        for point in sorted(points.select(group=transport.group), key=lambda point: (point.name, point.value))
    ]


def backend_class(
    installed: Sequence[InstalledBackend], transport: Transport, name: str, table: str
) -> type[AnyBackend]:
    """Import the backend class of this name. Raises `ConfigurationError` if there is none, several, or a broken one."""
    of_transport = [backend for backend in installed if backend.transport is transport]
    found = [backend for backend in of_transport if backend.name == name]
    if not found:
        names = ", ".join(sorted({backend.name for backend in of_transport})) or "none"
        raise ConfigurationError(
            f"[{table}] no {transport} backend `{name}` is installed. Installed: {names}. "
            f"Install the distribution that has it, or name one of these."
        )
    if len(found) > 1:
        rivals = " and ".join(str(backend) for backend in found)
        raise ConfigurationError(
            f"[{table}] {transport} backend `{name}` is in {rivals}. Uninstall all but one of these distributions."
        )
    return _imported(found[0], table)


@cache
def declared_providers() -> frozenset[str]:
    """Return the values of `pn_provider` that the installed push backends declare by name. Imports all of them."""
    declared: set[str] = set()
    for backend in installed_backends():
        if backend.transport is not Transport.PUSH:
            continue
        try:
            declared |= _imported(backend, backend.name).providers
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may be wrong in any way, and the others serve
            log.warning("push backend cannot be used", backend=str(backend), kind=type(error).__name__)
    return frozenset(name for name in declared if isinstance(name, str)) - {ANY_PROVIDER}


def _imported(backend: InstalledBackend, table: str) -> type[Any]:
    which = f"[{table}] {backend.transport} backend `{backend.name}` of {backend}"
    try:
        loaded = backend.entry_point.load()
    except Exception as error:
        what = error.msg if isinstance(error, SyntaxError) else f"{error}"
        place = raised_at(error, sys.modules.get(backend.entry_point.value.partition(":")[0]))
        raise ConfigurationError(
            f"{which} cannot be imported: {what} ({type(error).__name__} at {place}). "
            "Install what it depends on, or correct it there."
        ) from error
    base = _BASES[backend.transport]
    if not (isinstance(loaded, type) and issubclass(loaded, base)):
        raise ConfigurationError(f"{which} is not a {base.__name__}. Ask its makers to correct it.")
    lacking = _lacking(loaded)
    if lacking is not None:
        raise ConfigurationError(
            f"{which} lacks {lacking}. Add it to the class {loaded.__name__} at {defined_at(loaded)}."
        )
    return loaded


def _lacking(loaded: type[AnyBackend]) -> str | None:
    """Return the members that every backend must have and this one lacks, or `None`."""
    config = getattr(loaded, "Config", None)
    if not (isinstance(config, type) and issubclass(config, BackendConfig)):
        return "a `Config` that is a BackendConfig"
    missing = sorted(getattr(loaded, "__abstractmethods__", ()))
    return ", ".join(f"`{name}`" for name in missing) or None


def configured(loaded: type[AnyBackend], options: Mapping[str, Any], data_path: Path, table: str) -> AnyBackend:
    """Return an instance with validated settings. Raises `ConfigurationError` with the table and every wrong field."""
    try:
        return loaded(_validated(loaded.Config, options, data_path, table))
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - a plugin may be wrong in any way
        wrong = f"{type(error).__name__} at {raised_at(error, loaded.__init__)}"
    # Raised here, and without its text, so that an error that quotes the settings is not chained.
    raise ConfigurationError(
        f"[{table}] {loaded.__name__} cannot be made of its settings: {wrong}. It is called with its `Config` alone: "
        "correct it there, or ask its makers to."
    )


def _validated(config: type[BackendConfig], options: Mapping[str, Any], data_path: Path, table: str) -> BackendConfig:
    try:
        return config.model_validate(options, context={"data_path": data_path})
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    # Raised here so that the validation error, which quotes the values, is not chained.
    raise ConfigurationError("\n".join(_explained(detail, config, table) for detail in details))


def _explained(detail: ErrorDetails, config: type[BackendConfig], table: str) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    field = _field(config, detail["loc"])
    purpose = f" ({field})" if field else ""
    if detail["type"] == "extra_forbidden":
        return f"[{table}] {where}: there is no such setting. There are: {', '.join(config.model_fields)}."
    if detail["type"] == "missing":
        return f"[{table}] {where}{purpose} is missing. Set it in the table [{table}]."
    return f"[{table}] {where or 'settings'}{purpose}: {detail['msg']}. Correct it in the table [{table}]."


def _field(config: type[BaseModel], location: tuple[int | str, ...]) -> str | None:
    field = config.model_fields.get(str(location[0])) if location else None
    return field.description if field else None
