"""Commands for named API keys."""

import json
from collections.abc import Sequence

import click

from flexiapi.cli.context import Installation, passed
from flexiapi.errors import ConfigurationError, RecordNotFound
from flexiapi.model import Actor, ActorKind, KeyScope, Space, Spaces
from flexiapi.server.parts import Parts
from flexiapi.services.sign_in import ListedKey, NewNamedKey

_SCOPES = [scope.value for scope in KeyScope]
_DAYS = click.IntRange(1, 3650)
_DOMAIN = click.option(
    "--domain", help="The SIP domain whose service the key is for. Default: the one of app.sip_domain."
)
_LONGEST_NAME = 64
_COLUMNS = ("id", "name", "scopes", "made by", "last used", "ends", "state")


def _name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not (value.strip() and value.isprintable() and len(value) <= _LONGEST_NAME):
        raise click.BadParameter(f"must be 1 to {_LONGEST_NAME} characters that can be seen")
    return value and value.strip()


@click.group("api-keys")
def api_keys() -> None:
    """Keys with a name and scopes, for servers and programs.

    A key does what its scopes say, and nothing else:

    \b
      flexisip          all calls of a Flexisip server; includes statistics:write and push
      statistics:write  report calls and messages to the event log
      push              send push notifications that wake phones
      accounts:read     read accounts, contacts and statistics; no passwords, codes or tokens

    A key that a command makes belongs to the service and works until it is revoked or over. One that an administrator
    makes in the panel or over the API works only while that account is an active administrator: so a SIP server should
    have one of a command.
    """  # noqa: D301  # click interprets the escape


@api_keys.command("create")
@click.option(
    "--scope", "scopes", type=click.Choice(_SCOPES), multiple=True, required=True, help="A right; may be repeated."
)
@click.option("--name", callback=_name, help="Tells people what has the key. Default: the scopes.")
@click.option("--expires-days", type=_DAYS, help="Days after which the key is over. Default: never.")
@click.option("--idle-days", type=_DAYS, help="Days without use after which the key is over. Default: any number.")
@_DOMAIN
@passed
def create(
    context: Installation,
    scopes: Sequence[str],
    name: str | None,
    expires_days: int | None,
    idle_days: int | None,
    domain: str | None,
) -> None:
    """Make a key, and print it once: only its hash is stored.

    The key alone goes to the standard output, so that a script can take it:

    \b
      flexiapi api-keys create --scope flexisip
      flexiapi api-keys create --scope accounts:read --name 'Billing' --expires-days 365
      flexiapi api-keys create --scope flexisip --name paris > key && chmod 600 key

    Programs send it as header x-api-key. Flexisip has it as api-key in [global::flexiapi]; `flexiapi sip config` prints
    that section.
    """  # noqa: D301  # click interprets the escape
    new = NewNamedKey(name or ", ".join(scopes), [KeyScope(scope) for scope in scopes], expires_days, idle_days)

    async def make(parts: Parts, _: Actor) -> tuple[str, ListedKey]:
        return await parts.services.sign_in.named_keys.make(new, _actor(parts.store.spaces, domain))

    key, listed = context.change(make)
    click.echo(key)
    lines = [
        f"The key {listed.key.id}, {listed.key.name!r}, may: {', '.join(listed.key.scopes)}.",
        "It is not shown again. Programs send it as header x-api-key.",
        f"It is revoked by: flexiapi api-keys revoke {listed.key.id}{f' --domain {domain}' if domain else ''}",
    ]
    click.echo("\n".join(lines), err=True)


@api_keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for other programs.")
@_DOMAIN
@passed
def list_keys(context: Installation, domain: str | None, *, as_json: bool) -> None:
    """Show the keys, without the keys themselves.

    A key that is over stays in the list for 30 days, unless it is revoked.
    """

    async def found(parts: Parts) -> Sequence[ListedKey]:
        return await parts.services.sign_in.named_keys.all(_space(parts.store.spaces, domain))

    keys = context.work(found)
    if as_json:
        for listed in keys:
            click.echo(json.dumps(_as_object(listed)))
        return
    rows = [_COLUMNS, *map(_row, keys)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@api_keys.command("revoke")
@click.argument("key_id", metavar="ID", type=click.IntRange(1))
@_DOMAIN
@passed
def revoke(context: Installation, key_id: int, domain: str | None) -> None:
    """End the key ID, which `list` shows, at once: what has it is refused from now on."""

    async def end(parts: Parts, _: Actor) -> str:
        actor = _actor(parts.store.spaces, domain)
        try:
            return (await parts.services.sign_in.named_keys.revoke(key_id, actor)).name
        except RecordNotFound as error:
            raise ConfigurationError(f"There is no key {key_id}. `flexiapi api-keys list` shows them.") from error

    click.echo(f"The key {key_id}, {context.change(end)!r}, is revoked.")


def _space(spaces: Spaces, domain: str | None) -> Space:
    if domain is None:
        return spaces.default
    space = spaces.of_domain(domain.lower())
    if domain.lower() != space.domain:
        raise ConfigurationError(
            f'{domain} is no domain with a service of its own: it has no table [spaces."{domain}"]. Leave --domain out.'
        )
    return space


def _actor(spaces: Spaces, domain: str | None) -> Actor:
    return Actor(ActorKind.CLI, space=_space(spaces, domain))


def _row(listed: ListedKey) -> tuple[str, ...]:
    key = listed.key
    if key.account_id is None:
        maker = "a command"
    else:
        maker = f"account {key.account_id}" if listed.maker is None else listed.maker.address
    used = "never" if key.last_used_at is None else f"{key.last_used_at:%Y-%m-%d %H:%M}"
    ends = "never" if key.ends_at is None else f"{key.ends_at:%Y-%m-%d}"
    return str(key.id), key.name, " ".join(key.scopes), maker, used, ends, "works" if listed.works else "does not work"


def _as_object(listed: ListedKey) -> dict[str, object]:
    key = listed.key
    moments = {
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "expires_at": key.expires_at,
        "ends_at": key.ends_at,
    }
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "account_id": key.account_id,
        "works": listed.works,
        "idle_days": key.idle_days,
        **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
    }
