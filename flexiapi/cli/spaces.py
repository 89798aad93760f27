"""Commands on the tables of domains."""

from datetime import timedelta

import click

from flexiapi.cli.context import Installation, Progress, passed
from flexiapi.errors import ConfigurationError
from flexiapi.model import Space
from flexiapi.server.parts import Parts
from flexiapi.store import SPACES_WAIT, SpaceTablesCollide


@click.group()
def spaces() -> None:
    """Show the domains with a table of their own, and change the database to the tables of the settings."""


@spaces.command("show")
@passed
def show(context: Installation) -> None:
    """Print each space: its domain, where its requests arrive, and what its table overrides."""
    overrides = {domain: ", ".join(table.overrides) for domain, table in context.settings.spaces.items()}

    async def look(parts: Parts) -> list[str]:
        lines = [described(space, overrides.get(space.domain, "")) for space in parts.store.spaces]
        return lines + await parts.store.space_tables.differences()

    click.echo("\n".join(context.on_any_tables(look)))


def described(space: Space, overrides: str) -> str:
    """Return one line about a space for an operator."""
    if space.stored is None:
        return f"{space.domain}: every other domain; at {space.url} and every other host"
    return f"{space.domain}: at host {space.host}, {space.url}; overrides {overrides or 'nothing'}"


@spaces.command("apply")
@click.option(
    "--wait",
    "seconds",
    type=click.IntRange(0, 3600),
    default=int(SPACES_WAIT.total_seconds()),
    show_default=True,
    help="Seconds that running servers with other tables have to notice and to stop answering.",
)
@passed
def apply(context: Installation, seconds: int) -> None:
    """Change the database to the tables of domains in the settings.

    The accounts of the domains whose table came or went get other identifiers. If two of them would share a number or
    an address, they are named and nothing is changed. The command can be broken off and repeated. Servers answer no
    request while their tables differ from those of the database. Without a difference, it puts right what a server with
    other tables has written meanwhile.
    """

    async def change(parts: Parts) -> int | None:
        return await parts.store.space_tables.apply(timedelta(seconds=seconds), Progress("accounts read"))

    try:
        changed = context.on_any_tables(change)
    except SpaceTablesCollide as error:
        raise ConfigurationError(str(error)) from error
    if changed is None:
        raise ConfigurationError("Another process changes the tables of domains now. Try again later.")
    click.echo(f"The database has the tables of the settings. {changed} accounts were changed.")
