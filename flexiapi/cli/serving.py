"""Commands on the server itself."""

import json
import os
import socket
from pathlib import Path

import click

from flexiapi import observing
from flexiapi.cli.context import Installation, passed
from flexiapi.errors import ConfigurationError
from flexiapi.server import child, processes
from flexiapi.server.routes import ENDPOINTS
from flexiapi.server.shares import ConnectionShares
from flexiapi.settings.loading import load, misspelt
from flexiapi.settings.reference import document
from flexiapi.web.openapi import document_of
from flexiapi.web.throttle import Throttle


@click.command()
@click.option("--processes", "count", type=click.IntRange(0), help="Server processes; 0 is one per core.")
@click.option("--port", type=click.IntRange(0, 65535), help="TCP port; 0 takes a free one.")
@click.option("--address", help="IP address to listen on, or unix:/path.")
@passed
def serve(context: Installation, count: int | None, port: int | None, address: str | None) -> None:
    """Answer requests until Ctrl-C or SIGTERM.

    With the setting mongodb.uri = "embedded" (the default) a private mongod runs below data.path and ends with the
    server.
    """
    given = {"SERVER_PROCESSES": count, "SERVER_PORT": port, "SERVER_ADDRESS": address}
    options = {name: str(value) for name, value in given.items() if value is not None}
    settings = load(context.file, {**os.environ, **options})
    observing.configure(settings.log.level, settings.log.format)
    for variable, meant in misspelt(os.environ):
        observing.log.warning("unknown variable", variable=variable, did_you_mean=meant)
    processes.serve(settings, context.file)


@click.command(hidden=True)
@click.argument("listener", type=int)
@click.argument("table", type=int)
@click.argument("shares", type=int)
@click.argument("tell", type=int)
@click.argument("parent", type=int)
@click.argument("slot", type=int)
@click.option("--prepare", is_flag=True)
@passed
def worker(
    context: Installation, listener: int, table: int, shares: int, tell: int, parent: int, slot: int, prepare: bool
) -> None:
    """Serve on sockets of the parent."""
    child.die_with(parent)
    settings = context.settings
    observing.configure(settings.log.level, settings.log.format)
    child.serve(
        socket.socket(fileno=listener),
        settings,
        Throttle(settings.limits.requests_per_minute, table),
        ConnectionShares(shares, slot),
        child.ParentPipe(tell, parent),
        prepares=prepare,
    )


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
def settings(output: Path | None) -> None:
    """Print a settings file with every setting, its default and description."""
    if output is None:
        click.echo(document(), nl=False)
        return
    if output.exists():
        raise ConfigurationError(f"{output} exists already; nothing was written.")
    try:
        output.write_text(document(), "utf-8")
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {output}.")


@click.command()
@passed
def openapi(context: Installation) -> None:
    """Print the OpenAPI document of the API."""
    click.echo(
        json.dumps(document_of(ENDPOINTS, context.settings.app.url, context.settings.account.shortest), indent=2)
    )
