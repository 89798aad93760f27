"""Construction of routes and backends from the settings tables."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flexiapi.errors import ConfigurationError
from flexiapi.notify.discovery import InstalledBackend, Transport, backend_class, configured, installed_backends
from flexiapi.notify.outlet import Outlet
from flexiapi.notify.routing import Route
from flexiapi.settings import BackendSettings, MailSettings, Settings
from flexiapi.settings.delivery import OF_MAIL_BACKENDS

# Other spellings of the encryption modes of the SMTP backend.
_ENCRYPTIONS = {"": "none", "ssl": "tls"}

_PREFIX = re.compile(r"\+[0-9]{1,15}")


def configured_backends(settings: Settings, transport: Transport) -> dict[str, BackendSettings]:
    """Return the backend tables of a transport by label, or that of `delivery.fallback_backend` if it has none."""
    named = tables(settings, transport)
    fallback = settings.delivery.fallback_backend
    if not named and fallback is not None:
        return {fallback: BackendSettings(backend=fallback)}
    return named


def tables(settings: Settings, transport: Transport) -> dict[str, BackendSettings]:
    """Return the configured backends of a transport by label, without the fallback."""
    if transport is Transport.PUSH:
        return settings.push
    if transport is Transport.SMS:
        return settings.sms
    return _mail_tables(settings.mail)


def _mail_tables(mail: MailSettings) -> dict[str, BackendSettings]:
    named: dict[str, BackendSettings] = dict(mail.model_extra or {})
    if mail.host is None:
        return named
    if "smtp" in named:
        raise ConfigurationError(
            "[mail] host makes a backend `smtp`, and [mail.smtp] is another. Rename or remove one."
        )
    return {"smtp": BackendSettings.model_validate(_smtp_options(mail, mail.host)), **named}


def _smtp_options(mail: MailSettings, host: str) -> dict[str, Any]:
    return {
        "backend": "smtp",
        "host": host,
        "port": mail.port,
        "encryption": _ENCRYPTIONS.get(mail.encryption, mail.encryption),
        "username": mail.username,
        "password": mail.password,
        "verify_peer": mail.verify_peer,
    }


def routes(settings: Settings) -> dict[Transport, list[Route]]:
    """Return the routes of each transport. Raises `ConfigurationError`."""
    # To look for installed backends takes as long as all the rest.
    installed = installed_backends()
    return {
        transport: [
            _route(settings, installed, transport, label, table)
            for label, table in configured_backends(settings, transport).items()
        ]
        for transport in Transport
    }


def _route(
    settings: Settings,
    installed: Sequence[InstalledBackend],
    transport: Transport,
    label: str,
    table: BackendSettings,
) -> Route:
    name = f"{transport}.{label}"
    _validate_prefixes(transport, table, name)
    loaded = backend_class(installed, transport, table.backend, name)
    options = {**_inherited(settings, transport, loaded.Config.model_fields), **table.options}
    backend = configured(loaded, options, settings.data.path, name)
    return Route(Outlet(transport, label, backend, settings.delivery), table.order, table.prefixes)


def _inherited(settings: Settings, transport: Transport, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the transport's own table that the backend has settings for."""
    if transport is not Transport.MAIL:
        return {}
    values = {name: getattr(settings.mail, name) for name in OF_MAIL_BACKENDS if name in fields}
    # What is unset there is the backend's own default, also if that is not None.
    return {name: value for name, value in values.items() if value is not None}


def _validate_prefixes(transport: Transport, table: BackendSettings, name: str) -> None:
    if table.prefixes and transport is not Transport.SMS:
        raise ConfigurationError(f"[{name}] prefixes: only SMS backends have them. Remove it.")
    wrong = [prefix for prefix in table.prefixes if not _PREFIX.fullmatch(prefix)]
    if wrong:
        raise ConfigurationError(f"[{name}] prefixes: {', '.join(wrong)}: write `+` and digits, such as +33.")
