"""Commands on notification backends."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from flexiapi.cli.context import Installation, passed
from flexiapi.cli.scaffold import write_distribution
from flexiapi.errors import ConfigurationError, DeliveryFailed
from flexiapi.notify import Notifier, Transport, configured_backends, installed_backends
from flexiapi.plugin import DeliveryError, Receipt
from flexiapi.settings import Settings

T = TypeVar("T")


@click.group(invoke_without_command=True)
@click.pass_context
def plugins(context: click.Context) -> None:
    """Notification backends: list, check, try and create them.

    \b
      flexiapi plugins                                    installed and configured backends
      flexiapi plugins check                              check that every backend could send now
      flexiapi plugins send main --to +33612345678        send a test message
      flexiapi plugins new sms example                    create a new one
    """  # noqa: D301  # click interprets the escape
    if context.invoked_subcommand is None:
        context.invoke(list_)


@plugins.command("list")
@passed
def list_(context: Installation) -> None:
    """Show the installed backends and which of them are configured."""
    rows = [("transport", "name", "distribution", "configured as"), *_rows(context.settings)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip())


def _rows(settings: Settings) -> list[tuple[str, str, str, str]]:
    labels = _labels(settings)
    rows = []
    for backend in installed_backends():
        configured = labels.pop((backend.transport, backend.name), [])
        rows.append((backend.transport.value, backend.name, str(backend), ", ".join(configured) or "-"))
    missing = [(transport.value, name, "NOT INSTALLED", ", ".join(used)) for (transport, name), used in labels.items()]
    return rows + missing


def _labels(settings: Settings) -> dict[tuple[Transport, str], list[str]]:
    labels: dict[tuple[Transport, str], list[str]] = {}
    for transport in Transport:
        for label, table in configured_backends(settings, transport).items():
            labels.setdefault((transport, table.backend), []).append(f"[{transport}.{label}]")
    return labels


def _with_notifier(settings: Settings, use: Callable[[Notifier], Awaitable[T]]) -> T:
    async def whole() -> T:
        notifier = Notifier(settings)
        await notifier.start()
        try:
            return await use(notifier)
        finally:
            await notifier.close()

    return asyncio.run(whole())


@plugins.command()
@click.argument("label", required=False)
@passed
def check(context: Installation, label: str | None) -> None:
    """Check that every configured backend, or the one with LABEL, could send now. Sends nothing."""
    results = _with_notifier(context.settings, lambda notifier: notifier.check(label))
    if not results:
        raise ConfigurationError("No backend is configured. Make a table such as [sms.main].")
    for result in results:
        name = f"{result.transport}.{result.label}"
        reports = f"; takes delivery reports at /callbacks/{name}" if result.takes_reports else ""
        credit = "" if result.credit is None else f"; credit {result.credit:g}"
        click.echo(f"{name}  {result.error or 'could send now'}{credit}{reports}")
        for text in result.warnings:
            click.echo(f"{name}  warning: {text}")
    if any(result.error for result in results):
        raise click.exceptions.Exit(1)


@plugins.command()
@click.argument("label")
@click.option(
    "--to", required=True, help="Phone number (+...), mail address, or pn-provider=...;pn-param=...;pn-prid=..."
)
@click.option("--voice", is_flag=True, help="Call the number, and read the text out.")
@passed
def send(context: Installation, label: str, to: str, voice: bool) -> None:
    """Send a test message through the backend with LABEL (`main`, or `sms.main` if the label is not unique)."""

    async def send_test(notifier: Notifier) -> Receipt:
        try:
            return await notifier.send_test(label, to, "voice" if voice else "text")
        except DeliveryFailed as error:
            cause = error.__cause__
            reason = cause.reason if isinstance(cause, DeliveryError) else error.message
            raise ConfigurationError(f"`{label}` did not send: {reason}") from error

    receipt = _with_notifier(context.settings, send_test)
    click.echo(f"Accepted{f', as {receipt.id}' if receipt.id else ''}.")


@plugins.command()
@click.argument("transport", type=click.Choice([transport.value for transport in Transport]))
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Parent of the new folder. Default: the current directory.",
)
def new(transport: str, name: str, directory: Path) -> None:
    """Create a distribution with a new backend NAME and tests that pass."""
    folder = write_distribution(Transport(transport), name, directory)
    click.echo(f"Wrote {folder}. Next:\n  cd {folder}\n  pip install -e .[test]\n  pytest")
