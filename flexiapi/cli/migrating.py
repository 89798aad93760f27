"""The command `flexiapi migrate`, which changes the layout of the documents."""

import asyncio
import sys
import time
from collections.abc import Iterator

import click

from flexiapi.cli.context import Installation, holder, passed
from flexiapi.server.assembly import build
from flexiapi.server.database import mongod_of
from flexiapi.server.parts import Parts
from flexiapi.settings import Settings
from flexiapi.store import EmbeddedMongod, Layout, LayoutStep, MigrationPlan, ServerProcessRecord

_LINE_SECONDS = 10.0
_AGAIN_SECONDS = 1.0


@click.command()
@click.option("--check", is_flag=True, help="Only show the state. The status is 1 if steps are left.")
@click.option(
    "--old-servers-stopped",
    is_flag=True,
    help="Confirm that no server of a release before heartbeats runs on this database any more.",
)
@passed
def migrate(context: Installation, check: bool, old_servers_stopped: bool) -> None:
    """Show the layout of the documents in the database, and run the steps that are left.

    Servers do the same by themselves, so this command is for an upgrade that should be watched. It may run while they
    do. The status is 1 if steps are left that have to wait.

    \b
    An expanding step adds what older releases ignore. It runs at once.
    A contracting step ends what older releases rely on. It runs when none of
    their servers has been seen for two minutes; afterwards they refuse to start.

    Upgrade several hosts one after the other: each works beside the others. When the last one is upgraded, the
    contracting steps run. Until then you can go back; afterwards only with the backup.

    Releases before heartbeats show up nowhere. After an upgrade from one of them, stop all their servers, then confirm
    it once with --old-servers-stopped. With an embedded database the server does that by itself when it starts.
    """  # noqa: D301  # click interprets the escape
    if check and old_servers_stopped:
        raise click.UsageError("--check changes nothing, so it cannot be combined with --old-servers-stopped.")
    settings = context.settings
    if settings.mongodb.is_embedded and not EmbeddedMongod.has_data(settings.data.path):
        click.echo("There is no database yet. The first start makes it with the layout of this release.")
        return
    with mongod_of(settings) as uri:
        left = asyncio.run(_migrated(settings, uri, check, old_servers_stopped))
    if left.pending:
        sys.exit(1)


async def _migrated(settings: Settings, uri: str, check: bool, old_servers_stopped: bool) -> MigrationPlan:
    parts = build(settings, uri)
    store = parts.store
    async with parts.closing():
        if check:
            await store.migrations.refuse_newer()
        else:
            await store.prepare()
        if old_servers_stopped:
            await store.migrations.old_servers_stopped()
        plan = await _show(parts)
        if plan.next is None or check:
            return plan
        await _run(parts)
        click.echo()
        return await _show(parts)


async def _show(parts: Parts) -> MigrationPlan:
    """Print the state and return what is left."""
    migrations = parts.store.migrations
    layout, servers, plan = await migrations.layout(), await parts.store.servers.seen(), await migrations.plan()
    for part, text in _lines(layout, migrations.newest, servers, plan):
        click.echo(f"{part:10}  {text}")
    return plan


def _lines(
    layout: Layout, newest: int, servers: list[ServerProcessRecord], plan: MigrationPlan
) -> Iterator[tuple[str, str]]:
    if layout.version > newest:
        yield "layout", f"step {layout.version}, made by a newer release; this one knows {newest} and may use it"
    else:
        yield "layout", f"step {layout.version} of {newest}"
    for server in servers:
        seen = round(server.age.total_seconds())
        yield "server", f"{server}: writes step {server.writes}, knows step {server.knows}, seen {seen} s ago"
    for step in plan.pending:
        length = "; long, while requests are served" if step.is_long else ""
        yield f"step {step.number}", f"{step.sentence} ({step.kind}{length})"
    if plan.waits_for:
        yield "waits for", f"{plan.waits_for}."
    elif not plan.pending:
        yield "", "Nothing is left."


async def _run(parts: Parts) -> None:
    """Run what may run, or wait for the process that does."""
    migrations, me, report, told = parts.store.migrations, holder(), StepReport(), None
    while (await migrations.plan()).next is not None:
        if await migrations.advance(me, report) is not None:
            continue
        runner = await migrations.runner()
        if runner not in (None, told):
            click.echo(f"The steps are run by {runner}. Waiting for it.")
            told = runner
        await asyncio.sleep(_AGAIN_SECONDS)


class StepReport:
    """Progress of a step: a counter on terminals, else a line now and then."""

    def __init__(self) -> None:
        self._step = 0
        self._documents = 0
        self._told_at = time.monotonic()

    def __call__(self, step: LayoutStep, documents: int) -> None:
        """Count the documents of a batch."""
        if step.number != self._step:
            self._step, self._documents = step.number, 0
        self._documents += documents
        text = f"step {step.number}: {self._documents} documents"
        if sys.stderr.isatty():
            click.echo(f"\r{text}", nl=False, err=True)
        elif time.monotonic() - self._told_at >= _LINE_SECONDS:
            self._told_at = time.monotonic()
            click.echo(text, err=True)
