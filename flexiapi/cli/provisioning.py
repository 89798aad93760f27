"""Commands on provisioning."""

import sys
from pathlib import Path

import click

from flexiapi.errors import ConfigurationError
from flexiapi.provisioning.lint import faults


@click.group()
def provisioning() -> None:
    """Look at what phones are given."""


@provisioning.command("lint")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def lint(file: Path) -> None:
    """Look for faults in a base FILE (`account.provisioning_rc_file`), before phones get it.

    Exits with status 1 if there are errors, with 0 if there are only warnings or none.
    """
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8 text.") from error
    found = faults(text)
    for fault in found:
        click.echo(f"{'error' if fault.is_error else 'warning'}: {fault.text}")
    if not found:
        click.echo("Nothing is wrong.")
    if any(fault.is_error for fault in found):
        sys.exit(1)
