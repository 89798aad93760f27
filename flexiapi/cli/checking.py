"""The command `flexiapi check`, which tests an installation and creates nothing."""

import asyncio
import contextlib
import os
import re
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime

import click

from flexiapi import files
from flexiapi.cli.context import Installation, passed
from flexiapi.cli.secret_files import readable_by_others
from flexiapi.cli.spaces import described
from flexiapi.crypto.keys import ApplicationKey, random_text
from flexiapi.errors import ApiError, ConfigurationError
from flexiapi.flexisip.configured import cli_socket_of
from flexiapi.flexisip.replica_file import group_id
from flexiapi.model import Space
from flexiapi.notify import Transport, configured_backends
from flexiapi.server.application_key import existing_key, key_file, key_missing
from flexiapi.server.assembly import build
from flexiapi.server.database import mongod_of
from flexiapi.server.parts import Parts
from flexiapi.server.tls import certificate_of
from flexiapi.services.names import compiled
from flexiapi.settings import ServerSettings, Settings
from flexiapi.settings.loading import misspelt, source_of
from flexiapi.store import EmbeddedMongod

_TABLES_DIFFER = "The first tables are applied at the start, others by `flexiapi spaces apply`."
_EXAMPLE = re.compile(r"(^|[.@/:])example\.(org|com|net)\b")
_NOWHERE = "mongodb://127.0.0.1:9/"


class Findings:
    """Prints findings and counts failures."""

    def __init__(self) -> None:
        self.failures = 0

    def right(self, part: str, text: str) -> None:
        """Print what works."""
        click.echo(f"{part:12}  {text}")

    def doubtful(self, part: str, text: str) -> None:
        """Print a warning: the server starts, but the setting is probably a mistake."""
        self.right(part, f"warning: {text}")

    def wrong(self, part: str, text: str) -> None:
        """Print and count what would not work."""
        self.failures += 1
        self.right(part, text)


@click.command()
@passed
def check(context: Installation) -> None:
    """Check that the server could work: settings, templates, backends, configured SIP services and database.

    It creates nothing: no key, database or index. The status is 1 if something would not work; lines with "warning" do
    not count. The embedded database is started for the check if its server is stopped.
    """
    settings, findings = context.settings, Findings()
    key = existing_key(settings)
    for path in readable_by_others(settings, source_of(context.file)):
        findings.doubtful("secrets", f"every user of this host can read {path}: chmod o-rwx {path}")
    with _database_of(settings) as uri:
        asyncio.run(_checked(settings, key, uri, findings))
    if findings.failures:
        sys.exit(1)


@contextlib.contextmanager
def _database_of(settings: Settings) -> Iterator[str | None]:
    """Yield the URI of the database, or `None` for an embedded one that does not exist yet."""
    if not settings.mongodb.is_embedded or EmbeddedMongod.has_data(settings.data.path):
        with mongod_of(settings) as uri:
            yield uri
        return
    EmbeddedMongod.could_start(settings.data.path)
    yield None


async def _checked(settings: Settings, key: ApplicationKey | None, uri: str | None, findings: Findings) -> None:
    # Without a key there are no seals yet, so any key will do to build the parts.
    parts = build(settings, uri or _NOWHERE, key=key or ApplicationKey(random_text(40)))
    async with parts.closing():
        findings.right("settings", "right")
        for text in _doubts(settings, parts):
            findings.doubtful("settings", text)
        _spaces(settings, parts, findings)
        _address(settings.server, findings)
        _certificate(settings, findings)
        parts.renderer.render_all_samples(space.language for space in parts.store.spaces)
        findings.right("templates", f"all render, in {', '.join(sorted(parts.renderer.translations.languages))}")
        for text in (*parts.renderer.translations.doubts(), *parts.renderer.catalogues.doubts()):
            findings.doubtful("templates", text)
        if parts.renderer.countries.description is not None:
            findings.right("countries", f"from {parts.renderer.countries.description}")
        for space in parts.store.spaces:
            parts.services.phones.provisioning.base({}, {}, space)
        findings.right("provisioning", "renders")
        await _backends(settings, parts, findings)
        await _sip(settings, parts, findings)
        _event_log(settings, findings)
        await _database(settings, key, parts if uri else None, findings)


def _doubts(settings: Settings, parts: Parts) -> Iterator[str]:
    """Yield settings that are valid but probably mistakes."""
    for variable, meant in misspelt(os.environ):
        yield f"{variable} is not a setting; did you mean {meant}?"
    path = settings.data.path
    if settings.app.env == "production" and not path.is_absolute():
        yield f"data.path (DATA_PATH) depends on where the server is started; from here it is {path.absolute()}"
    if settings.app.env == "production":
        unused = set() if configured_backends(settings, Transport.MAIL) else {"mail"}
        for name in _left_as_examples(settings.model_dump(mode="json", exclude=unused), ()):
            yield f"{name} still names a domain of the examples, which nobody owns; put your own there"
    for space in parts.store.spaces:
        yield from _doubts_about(space)


def _event_log(settings: Settings, findings: Findings) -> None:
    """Tell whether what Flexisip reports is kept."""
    days = settings.statistics.days
    kept = f"kept for {days} days" if days else "not kept: statistics.days (STATISTICS_DAYS) is 0"
    findings.right("event log", f"calls and messages that Flexisip reports are {kept}")


def _left_as_examples(value: object, place: tuple[str, ...]) -> Iterator[str]:
    """Yield the names of settings with a domain that is reserved for examples (RFC 2606)."""
    if isinstance(value, dict):
        for key, item in value.items():
            if _EXAMPLE.search(str(key)):
                yield f'[{place[0]}."{key}"]'
            yield from _left_as_examples(item, (*place, str(key)))
    elif isinstance(value, list):
        for item in value:
            yield from _left_as_examples(item, place)
    elif isinstance(value, str) and _EXAMPLE.search(value):
        *tables, key = place
        yield f"[{'.'.join(tables)}] {key} ({'_'.join(place).upper()})"


def _doubts_about(space: Space) -> Iterator[str]:
    def named(key: str) -> str:
        return f"account.{key} (ACCOUNT_{key.upper()})" if space.stored is None else f"{space.table} {key}"

    for item in space.names.blacklist:
        if compiled(item) is None:
            yield (f"{named('blacklisted_usernames')}: {item!r} is not a regular expression; it blocks this name only")
    base = space.provisioning_rc_file
    if base is not None and not base.exists():
        yield f"{named('provisioning_rc_file')}: there is no {base}; phones are provisioned without it"


def _spaces(settings: Settings, parts: Parts, findings: Findings) -> None:
    """Explain the tables of domains, if there are any."""
    if settings.spaces:
        for space in parts.store.spaces:
            table = settings.spaces.get(space.domain)
            findings.right("space", described(space, ", ".join(table.overrides) if table else ""))


def _address(server: ServerSettings, findings: Findings) -> None:
    """Check that this host has the address; the port, or the unix socket, may be in use by the running server."""
    if server.unix_path is not None:
        if not os.access(server.unix_path.parent, os.W_OK | os.X_OK):
            findings.wrong(
                "address",
                f"server.address (SERVER_ADDRESS): {server.unix_path.parent} is not there, or no unix socket can be "
                "made in it. Make the folder, and give it to the user of the server.",
            )
        return
    try:
        family, kind, _, _, place = socket.getaddrinfo(server.address, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.bind(place)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such name"
        findings.wrong(
            "address",
            f"server.address (SERVER_ADDRESS): cannot listen on {server.address}: {reason}. Name an IP "
            "address of this host; 0.0.0.0 is all addresses.",
        )


def _certificate(settings: Settings, findings: Findings) -> None:
    """Check the server's own certificate and key, if there are any."""
    try:
        certificate = certificate_of(settings.server)
    except ConfigurationError as error:
        findings.wrong("certificate", str(error))
        return
    if certificate is None:
        return
    names = ", ".join(certificate.names) or "no host"
    findings.right("certificate", f"for {names}, until {certificate.ends_at:%Y-%m-%d}")
    for doubt in certificate.doubts(datetime.now(UTC)):
        findings.doubtful("certificate", doubt)
    if settings.app.url.startswith("http:"):
        findings.doubtful("certificate", f"links begin with {settings.app.url}: app.url (APP_URL) is not https")


async def _backends(settings: Settings, parts: Parts, findings: Findings) -> None:
    await parts.notifier.start()
    for checked in await parts.notifier.check():
        tell = findings.right if checked.error is None else findings.wrong
        advice = f"{checked.error} Look at {_table_of(settings, checked.transport, checked.label)}."
        name = f"{checked.transport}.{checked.label}"
        tell(name, advice if checked.error else "could send now")
        for text in checked.warnings:
            findings.doubtful(name, text)


def _table_of(settings: Settings, transport: Transport, label: str) -> str:
    """Return where the settings of a backend are. `[mail] host` makes one without a table."""
    if transport is Transport.MAIL and label == "smtp" and settings.mail.host is not None:
        return "[mail] host, port, encryption, username and password (MAIL_HOST, MAIL_PORT ...)"
    return f"the table [{transport}.{label}]"


async def _sip(settings: Settings, parts: Parts, findings: Findings) -> None:
    """Check the configured links to the SIP server; `sip doctor` checks them all and advises."""
    group, cli = settings.flexisip.auth_replica_group, cli_socket_of(settings.flexisip)
    if group is not None:
        try:
            group_id(group)
        except ConfigurationError as error:
            findings.wrong("replica", str(error))
    if parts.registrar is not None:
        await _link("registrar", parts.registrar.check, "[redis]", findings)
    if cli is not None:
        await _link("cli socket", cli.check, "flexisip.cli_socket", findings)
    if parts.sender is not None:
        name = "flexisip.proxy" if settings.flexisip.proxy else "app.linphone_daemon_unix_path"
        await _link("messages", parts.sender.check, name, findings)


async def _link(part: str, ask: Callable[[], Awaitable[None]], setting: str, findings: Findings) -> None:
    try:
        await ask()
    except (ApiError, ConfigurationError) as error:
        reason = str(error.__cause__ or "") or str(error)
        findings.wrong(part, f"does not answer: {reason.rstrip('.')}. See {setting}, and `flexiapi sip doctor`.")
    else:
        findings.right(part, "answers")


async def _database(settings: Settings, key: ApplicationKey | None, parts: Parts | None, findings: Findings) -> None:
    if parts is not None:
        await parts.store.ping()
        try:
            await parts.store.check()
        except ConfigurationError:
            if key is None:
                raise key_missing(settings) from None
            raise
        findings.right("database", "answers")
        await _layout(parts, findings)
        for text in await parts.store.space_tables.differences():
            findings.doubtful("spaces", f"{text} {_TABLES_DIFFER}")
    else:
        findings.right("database", f"none yet: the first start makes it below {settings.data.path.absolute()}")
    if key is None:
        files.check_data_path(settings.data.path)
        findings.right("key", f"none yet: the first start makes {key_file(settings).absolute()}")


async def _layout(parts: Parts, findings: Findings) -> None:
    plan = await parts.store.migrations.plan()
    if plan.pending:
        findings.doubtful("layout", f"{len(plan.pending)} steps are left; see `flexiapi migrate --check`")
    else:
        findings.right("layout", "is that of this release")
