"""Commands that remove expired and unused data."""

from datetime import timedelta

import click

from flexiapi.cli.accounts import accounts
from flexiapi.cli.context import Installation, Progress, passed
from flexiapi.model import Actor
from flexiapi.server.parts import Parts

_MINUTES = click.IntRange(0, 10_000_000)
_DAYS = click.IntRange(0, 36_500)
_APPLY = click.option("--apply", is_flag=True, help="Remove them; by default they are only counted.")


@click.group()
def digest() -> None:
    """Manage DIGEST sign-ins. The server may be running or stopped."""


@digest.command("clear-nonces")
@click.argument("minutes", type=_MINUTES)
@passed
def clear_nonces(context: Installation, minutes: int) -> None:
    """Invalidate nonces that were used and are older than MINUTES, immediately: there is no --apply.

    Nonces are signed and expire by themselves after account.nonce_minutes, when the database removes them. This command
    invalidates used nonces earlier: their clients get a new challenge. It is not needed regularly.
    """
    count = context.work(lambda parts: parts.services.accounts.upkeep.nonces(timedelta(minutes=minutes)))
    click.echo(f"{count} nonces ended.")


@accounts.command("clear-api-keys")
@click.argument("minutes", type=_MINUTES, required=False)
@passed
def clear_api_keys(context: Installation, minutes: int | None) -> None:
    """Remove API keys that were last used more than MINUTES ago, immediately: there is no --apply.

    The default of MINUTES is app.api_key_expiration_minutes. Expired keys are refused even if they are not removed.
    """
    age = timedelta(minutes=context.settings.app.api_key_expiration_minutes if minutes is None else minutes)
    count = context.change(lambda parts, actor: parts.services.accounts.upkeep.api_keys(age, actor))
    click.echo(f"{count} API keys removed.")


@accounts.command("clear-tombstones")
@click.argument("days", type=_DAYS)
@_APPLY
@passed
def clear_tombstones(context: Installation, days: int, apply: bool) -> None:
    """Free the names of accounts that were deleted more than DAYS ago, so that they can be registered again.

    The database does so by itself after account.tombstone_days.
    """
    count = context.change(
        lambda parts, actor: parts.services.accounts.upkeep.tombstones(timedelta(days=days), actor, apply=apply)
    )
    click.echo(f"{count} tombstones {_done(apply)}.")


@accounts.command("clear-unconfirmed")
@click.argument("days", type=_DAYS)
@_APPLY
@click.option("--and-confirmed", is_flag=True, help="Remove activated accounts too, but no administrators.")
@passed
def clear_unconfirmed(context: Installation, days: int, apply: bool, and_confirmed: bool) -> None:
    """Remove accounts that were created more than DAYS ago and never activated.

    They are those of the SIP domain, and of domains with a table in the settings. An account that was active once and
    was deactivated stays. The names can be registered again immediately.
    """

    async def clear(parts: Parts, actor: Actor) -> int:
        age = timedelta(days=days)
        return await parts.services.accounts.upkeep.unconfirmed(age, actor, apply=apply, and_confirmed=and_confirmed)

    click.echo(f"{context.change(clear)} accounts {_done(apply)}.")


@accounts.command("reseal")
@passed
def reseal(context: Installation) -> None:
    """Seal all password hashes with the current application key, so that previous keys are no longer needed.

    First give every server the new key and the previous ones (app.key, app.previous_keys), and restart it. Servers may
    run during the command. Afterwards remove the previous keys from the settings.
    """
    progress = Progress("checked")
    count = context.work(lambda parts: parts.services.accounts.upkeep.seals(progress))
    click.echo(f"{count} accounts sealed anew.")


@click.command()
@click.option(
    "--unconfirmed-days",
    type=_DAYS,
    default=30,
    show_default=True,
    help="Age of accounts to remove, in days.",
)
@_APPLY
@passed
def clean(context: Installation, unconfirmed_days: int, apply: bool) -> None:
    """Run the daily cleanup: tombstones, unconfirmed accounts, expired keys, nonces and tokens.

    Without --apply it only counts tombstones and accounts. Everything but unconfirmed accounts also expires by itself:
    the database removes expired nonces, tokens and tombstones within a minute, and expired API keys are refused. So the
    command is needed only to remove unconfirmed accounts, or old keys from the database. Examples for systemd and cron
    are in share/flexiapi/config.
    """
    settings = context.settings

    async def work(parts: Parts, actor: Actor) -> list[str]:
        upkeep = parts.services.accounts.upkeep
        tombstones = await upkeep.tombstones(
            timedelta(days=settings.account.tombstone_days or 36_500), actor, apply=apply
        )
        accounts = await upkeep.unconfirmed(timedelta(days=unconfirmed_days), actor, apply=apply)
        lines = [f"{tombstones} tombstones {_done(apply)}.", f"{accounts} unconfirmed accounts {_done(apply)}."]
        if apply:
            keys = await upkeep.api_keys(timedelta(minutes=settings.app.api_key_expiration_minutes), actor)
            nonces = await upkeep.nonces(timedelta(minutes=settings.account.nonce_minutes))
            tokens = await upkeep.tokens(actor)
            lines += [f"{keys} API keys removed.", f"{nonces} nonces removed.", f"{tokens} tokens removed."]
        return lines

    click.echo("\n".join(context.change(work)))


def _done(apply: bool) -> str:
    return "removed" if apply else "would be removed; use --apply to remove them"
