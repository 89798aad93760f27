"""Export and import of accounts."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from flexiapi.cli.accounts import accounts
from flexiapi.cli.context import Installation, passed
from flexiapi.errors import ConfigurationError
from flexiapi.importing.seed_file import read
from flexiapi.model import Actor, Algorithm, ExternalAccount
from flexiapi.server.parts import Parts

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_GROUP = re.compile("[a-z0-9_-]{1,64}")
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


def _group(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not _GROUP.fullmatch(value):
        raise click.BadParameter("a group is up to 64 lower-case letters, digits, - and _")
    return value


class ExportedAccount(BaseModel):
    """An account in the exchange format; `password` is its hash, which is as good as the password."""

    model_config = ConfigDict(extra="ignore")

    username: str
    domain: str
    group: str
    password: str
    algorithm: Algorithm


_EXPORT = TypeAdapter(list[ExportedAccount])


@contextmanager
def _progress(length: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal only, because elsewhere its label would be a stray line."""
    if not sys.stderr.isatty():
        yield lambda _count: None
        return
    bar: ProgressBar[int] = click.progressbar(length=length, label="Accounts", file=sys.stderr)
    with bar:
        yield bar.update


@accounts.command("generate-external")
@click.argument("amount", type=click.IntRange(1, 1_000_000))
@click.argument("group", callback=_group)
@click.option("--yes", is_flag=True, help="Create the group without confirmation if it does not exist.")
@passed
def generate_external(context: Installation, amount: int, group: str, yes: bool) -> None:
    """Create AMOUNT activated accounts with random names and passwords in GROUP, to be handed out by another server.

    Transfer them with export-to-externals here and import-externals there.
    """

    async def generate(parts: Parts, actor: Actor) -> None:
        external = parts.services.accounts.external_accounts
        if not yes and not await external.has_group(group):
            click.confirm(f"There is no group {group} yet. Create it?", abort=True)
        with _progress(amount) as progress:
            await external.generate(amount, group, progress, actor)

    context.change(generate)
    click.echo(f"{amount} accounts created in the group {group}.")


@accounts.command("export-to-externals")
@click.argument("group", callback=_group)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("exported_accounts.json"),
    show_default=True,
    help="File to write; it must not exist.",
)
@passed
def export_to_externals(context: Installation, group: str, output: Path) -> None:
    """Write the accounts of GROUP to a file that import-externals reads on another server.

    The file holds password hashes, which are as good as passwords: only its owner may read it. Remove it afterwards.
    """

    async def export(parts: Parts) -> list[dict[str, str]]:
        if not await parts.services.accounts.external_accounts.has_group(group):
            raise ConfigurationError(f"There is no group {group}. Nothing was written.")
        return [
            {
                "username": one.username,
                "domain": one.domain,
                "group": one.group,
                "password": one.ha1,
                "algorithm": str(one.algorithm),
            }
            async for one in parts.services.accounts.external_accounts.of_group(group)
        ]

    exported = context.work(export)
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}. Nothing was written.") from error
    with os.fdopen(descriptor, "w") as file:
        json.dump(exported, file, indent=2)
    click.echo(f"{len(exported)} accounts of the group {group} written to {output}.")


@accounts.command("import-externals")
@click.argument("file", type=_EXISTING)
@passed
def import_externals(context: Installation, file: Path) -> None:
    """Add the accounts of FILE, written by export-to-externals on another server, to the pool of external accounts.

    With account.consume_external_account_on_create each new account takes one, and its provisioning has both. Accounts
    that are already in the pool are skipped.
    """
    try:
        exported = _EXPORT.validate_json(file.read_bytes())
    except ValidationError as error:
        raise ConfigurationError(f"{file} is not a file of export-to-externals.") from error
    externals = [
        ExternalAccount(one.username, one.domain.lower(), one.group, one.password, one.algorithm) for one in exported
    ]
    added = context.change(lambda parts, actor: parts.services.accounts.external_accounts.add(externals, actor))
    click.echo(f"{added} external accounts added, {len(externals) - added} known already.")


@accounts.command("seed")
@click.argument("file", type=_EXISTING)
@passed
def seed(context: Installation, file: Path) -> None:
    """Write the accounts of FILE, a JSON list as in the liblinphone tester, and replace those with the same ids.

    \b
      [{"type": "account", "id": 1, "username": "marie", "domain": "sip.example.org", "activated": true,
        "email": "marie@example.org", "alias": {"alias": "+33612345678"},
        "passwords": [{"hash": "secret", "algorithm": "CLRTXT"}]},
       {"type": "range", "id": "%id%", "username": "user_%usernamePostfix%", "domain": "sip.example.org",
        "iteration": 100, "idStart": 1000, "usernameStart": 1}]

    Without "email" the address is username@domain; null means no address. The accounts of a range have the password
    `secret`, so they are for tests only. The names are not validated. Unknown keys are reported and ignored.
    """  # noqa: D301  # click interprets the escape
    found = read(file.read_bytes())
    for key, names in found.unknown.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        click.echo(f"flexiapi: the key `{key}` is unknown and ignored: {names[0]}{more}.", err=True)
    seeds = found.accounts

    async def write(parts: Parts, actor: Actor) -> None:
        with _progress(len(seeds)) as progress:
            await parts.services.accounts.seeding.write(seeds, progress, actor)

    context.change(write)
    click.echo(f"{len(seeds)} accounts written.")
