"""The command that shows events."""

import asyncio
import dataclasses
import json
import sys
from typing import Any

import click

from flexiapi.cli.context import Installation, passed
from flexiapi.errors import ChangesLost
from flexiapi.model import ActorKind, Event, EventSelection
from flexiapi.server.parts import Parts

_MOST = 2**62
_MISSING = 3
_KINDS = {
    "accounts": "account",
    "account_types": "type",
    "contacts_lists": "contacts list",
    "external_accounts": "external account",
    "named_keys": "API key",
}


def _actor(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None or value in list(ActorKind):
        return value
    number = value.removeprefix(f"{ActorKind.KEY}:")
    if number.isdecimal() and int(number) <= _MOST:
        return value
    kinds = ", ".join(kind for kind in ActorKind)
    raise click.BadParameter(f"is neither the id of an account, nor key:ID, nor one of {kinds}")


@click.command()
@click.option("-n", "--lines", type=click.IntRange(0, 100_000), default=20, show_default=True, help="Events to show.")
@click.option("-f", "--follow", is_flag=True, help="Show new events too, until Ctrl-C.")
@click.option("--after", type=click.IntRange(0, _MOST), help="Show all after this number, not the last ones.")
@click.option("--name", help="Only events of this name; * stands for any characters, as in 'account.*'.")
@click.option("--account", "account_id", type=click.IntRange(1, _MOST), help="Only changes of this account, by id.")
@click.option(
    "--actor",
    callback=_actor,
    help="Only changes by this account id, key:ID, or: account, key, anonymous, cli, system.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for other programs.")
@passed
def events(
    context: Installation,
    lines: int,
    after: int | None,
    name: str | None,
    account_id: int | None,
    actor: str | None,
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """Show the changes that were made: which, of what, by whom.

    With --after, -n counts for nothing, and the status is 3 if events that were asked for are missing.

    Every change of accounts, types, lists, external accounts, API keys and tokens is an event with a number, kept for
    events.days. It names the fields that changed, not their values.

    \b
      flexiapi events                              the last 20
      flexiapi events -f --name 'account.*'        those of accounts, as they are made
      flexiapi events -n 1000 --account 12         the history of account 12
      flexiapi events --actor cli                  what commands have changed
      flexiapi events --after 5120 --json          all after number 5120, for another program
    """  # noqa: D301  # click interprets the escape
    wanted = EventSelection(name, account_id, actor)

    async def run(parts: Parts) -> bool:
        return await _shown(parts, wanted, lines, after, for_ever=follow, as_json=as_json)

    try:
        if not context.on_any_tables(run):
            sys.exit(_MISSING)
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo(err=True)


async def _shown(
    parts: Parts, wanted: EventSelection, lines: int, after: int | None, *, for_ever: bool, as_json: bool
) -> bool:
    """Show events. Return False if some of them are missing."""
    last, is_whole = await parts.history.last(), True
    if after is None and lines:
        for event in await parts.history.newest(wanted, lines, last):
            _show(event, as_json=as_json)
    async for shown in parts.history.follow(wanted, last if after is None else after, for_ever=for_ever):
        is_whole = is_whole and not isinstance(shown, ChangesLost)
        _show(shown, as_json=as_json)
    return is_whole


def _show(event: Event | ChangesLost, *, as_json: bool) -> None:
    if isinstance(event, ChangesLost):
        click.echo(f"flexiapi: events are missing here: {event}.", err=True)
    else:
        click.echo(json.dumps(_as_object(event), default=str) if as_json else _as_line(event))


def _as_line(event: Event) -> str:
    fields = ", ".join(event.details.get("fields", ()))
    parts = [
        f"{event.number:>7}  {event.at:%Y-%m-%d %H:%M:%S}  {event.name:<32}",
        _subject(event),
        f"by {_by(event)}",
        f"({fields})" if fields else "",
        f"role {role}" if (role := event.details.get("role")) else "",
    ]
    return "  ".join(part for part in parts if part)


def _subject(event: Event) -> str:
    kind = _KINDS.get(event.collection)
    if kind is None:
        return ""
    if event.subject is None:
        ids = event.details.get("ids")
        return f"{len(ids)} {kind}s" if ids is not None else ""
    return f"{kind} {event.subject} {event.details.get('address', '')}".rstrip()


def _by(event: Event) -> str:
    actor = event.actor
    who = actor.label if actor.account_id is None else f"account {actor.account_id}"
    return f"{who} from {actor.address}" if actor.address else who


def _as_object(event: Event) -> dict[str, Any]:
    actor = event.actor
    who = {
        "kind": actor.kind,
        "account_id": actor.account_id,
        "key_id": actor.key_id,
        "sign_in": actor.sign_in,
        "address": actor.address,
        "user_agent": actor.user_agent,
    }
    parts = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return {**parts, "at": event.at.isoformat(), "actor": who}
