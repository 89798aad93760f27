"""Commands on the link to Flexisip."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import click

from flexiapi.cli import flexisip_conf
from flexiapi.cli.context import Installation, Progress, passed
from flexiapi.errors import ConfigurationError, FlexiapiError, ReplicaUnavailable
from flexiapi.flexisip import conf_fragment, doctor, userdb
from flexiapi.flexisip.conf_doctor import ConfFinding, Grade, UsedKey
from flexiapi.flexisip.releases import RELEASES, release_of
from flexiapi.flexisip.replica import PAGE, Rebuilt, SignInReplica
from flexiapi.model import Account
from flexiapi.server.parts import Parts


@click.group()
def sip() -> None:
    """Provide accounts to Flexisip, and diagnose the link to it."""


@sip.command()
@passed
def rebuild(context: Installation) -> None:
    """Compare the sign-in replica with the database and correct it; safe while the server runs."""

    async def compare(parts: Parts) -> Rebuilt:
        return await _replica_of(parts).rebuild(Progress("compared"))

    try:
        done = context.work(compare)
    except ReplicaUnavailable as error:
        file = context.settings.flexisip.auth_replica
        raise ConfigurationError(f"{file} cannot be written now: {error.__cause__}. Run the command again.") from error
    click.echo(f"{done.compared} accounts compared, {done.corrected} corrected.")


@sip.command()
@passed
def follow(context: Installation) -> None:
    """Keep this host's sign-in replica current without serving HTTP, for a Flexisip on a host of its own."""

    async def run(parts: Parts) -> None:
        _replica_of(parts)
        async with parts.numbering.running(), parts.replication.followed():
            click.echo(f"Following into {parts.replication.path}. Ctrl-C ends it.", err=True)
            await asyncio.Event().wait()

    try:
        context.work(run)
    except KeyboardInterrupt:
        click.echo("Ended.", err=True)


@sip.command("export-userdb")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@passed
def export_userdb(context: Installation, file: Path) -> None:
    """Write the activated accounts to FILE, for Flexisip's `db-implementation=file`.

    FILE is replaced atomically and readable by its owner and flexisip.auth_replica_group. Accounts that the format
    cannot represent are named on standard error.
    """
    settings = context.settings

    async def export(parts: Parts) -> userdb.Report:
        accounts, md5 = _all(parts, Progress("read")), settings.account.md5
        group = settings.flexisip.auth_replica_group
        return await userdb.export(accounts, file, realm_of=parts.store.spaces.realm_of, md5=md5, group=group)

    try:
        report = context.work(export)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from error
    for address, why in report.left_out:
        click.echo(f"left out: {address!r}: {why}", err=True)
    click.echo(f"{report.written} accounts written to {file}, {len(report.left_out)} left out.")


@sip.command("config")
@click.option(
    "--flexisip", "release", default=str(RELEASES[-2]), show_default=True, help="Version of Flexisip, such as 2.5.0."
)
@click.option("--key", default=conf_fragment.PLACEHOLDER, help="API key to print in place of a placeholder.")
@click.option(
    "--with",
    "extras",
    multiple=True,
    type=click.Choice([extra.value for extra in conf_fragment.Extra]),
    help="Part that is commented out otherwise, because it needs more than this server; repeatable.",
)
@click.option("--providers", "of_bridge", is_flag=True, help="Print the file of providers of the B2BUA bridge instead.")
@passed
def config(context: Installation, release: str, key: str, extras: tuple[str, ...], *, of_bridge: bool) -> None:
    """Print the fragment of flexisip.conf that a version of Flexisip needs for this server.

    It has the sign-in of phones and every call that this version makes. `flexiapi api-keys create --scope flexisip`
    makes its API key.
    """
    if of_bridge:
        click.echo(conf_fragment.providers(context.settings), nl=False)
        return
    wanted = frozenset(map(conf_fragment.Extra, extras))
    click.echo(conf_fragment.fragment(context.settings, release_of(release), key, wanted), nl=False)


@sip.command("doctor")
@click.option("--user", help="The user that Flexisip runs as. Default: flexisip, if this host has it.")
@click.option(
    "--conf",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A flexisip.conf to examine, in place of the links.",
)
@click.option("--flexisip", "release", help="With --conf: version of Flexisip. Default: that in a dumped file, or 2.6.")
@click.option("--json", "as_json", is_flag=True, help="With --conf: one JSON object a line, for other programs.")
@passed
def run_doctor(
    context: Installation, user: str | None, file: Path | None, release: str | None, *, as_json: bool
) -> None:
    """Check every link between accounts and calls, and print what flexisip.conf needs.

    What is not configured is `off`, which is not wrong: each site needs a part of the links only. With --conf it says
    which calls Flexisip will make to this server, and what is wrong in that file.
    """
    if file is not None:
        found = flexisip_conf.examined(file, context.settings, None if release is None else release_of(release))
        found.findings += _of_keys(context, found.keys)
        flexisip_conf.report(found, as_json=as_json)
        sys.exit(any(finding.grade is Grade.ERROR for finding in found.findings))
    failures = asyncio.run(_looked_at(context, user))
    lines = doctor.flexisip_conf(context.settings)
    if lines:
        click.echo(f"\nflexisip.conf needs these settings:\n\n{lines}", nl=False)
    if failures:
        sys.exit(1)


def _of_keys(context: Installation, keys: Sequence[UsedKey]) -> list[ConfFinding]:
    """Ask the database about keys, if there are any and it answers."""
    try:
        return context.work(lambda parts: flexisip_conf.of_keys(keys, parts)) if keys else []
    except (FlexiapiError, OSError) as error:
        text = f"The database was not asked whether it knows the API keys: {error}"
        return [ConfFinding(Grade.NOTE, None, text)]


async def _looked_at(context: Installation, user: str | None) -> int:
    failures = 0
    async for finding in doctor.findings(context.settings, user):
        failures += not finding.is_right
        state = "WRONG" if not finding.is_right else "right" if finding.is_configured else "off  "
        click.echo(f"{state} {finding.link:15} {finding.text}")
        if state != "right" and finding.advice:
            click.echo(f"{'':21} -> {finding.advice}")
    return failures


def _replica_of(parts: Parts) -> SignInReplica:
    if parts.replication.replica is None:
        raise ConfigurationError("There is no sign-in replica. Set flexisip.auth_replica (FLEXISIP_AUTH_REPLICA).")
    return parts.replication.replica


async def _all(parts: Parts, progress: Progress) -> AsyncIterator[Account]:
    last, count = -1, 0
    while page := await parts.store.accounts.after(last, PAGE):
        for account in page:
            yield account
        last, count = page[-1].id, count + len(page)
        progress(count)
