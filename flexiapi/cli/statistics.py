"""The command that removes what the SIP server reported."""

from datetime import timedelta

import click

from flexiapi.cli.context import Installation, passed
from flexiapi.server.parts import Parts


@click.group()
def statistics() -> None:
    """Manage the calls, messages and conferences that Flexisip reports. The server may be running or stopped."""


@statistics.command("clear")
@click.option("--days", type=click.IntRange(0, 36_500), required=True, help="Age of what is removed, in days.")
@click.option("--apply", is_flag=True, help="Remove it; otherwise only count.")
@passed
def clear(context: Installation, days: int, apply: bool) -> None:
    """Remove records of calls, messages and conferences that were first reported more than that many days ago.

    The server itself removes them after statistics.days.
    """

    async def work(parts: Parts) -> int:
        return await parts.services.calls.call_log.clear(timedelta(days=days), apply=apply)

    count = context.work(work)
    click.echo(f"{count} records {'removed' if apply else 'would be removed; use --apply to remove them'}.")
