"""Commands that clear away what is old."""

from datetime import timedelta

import click

from flexiapi.cli.accounts import accounts
from flexiapi.cli.context import Installation, Progress, passed
from flexiapi.model import Actor
from flexiapi.server.assembly import Parts

_MINUTES = click.IntRange(0, 10_000_000)
_DAYS = click.IntRange(0, 36_500)
_APPLY = click.option("--apply", is_flag=True, help="Remove them; without it they are only counted.")


@click.group()
def digest() -> None:
    """Look after DIGEST sign-ins; works while the server runs and while it does not."""


@digest.command("clear-nonces")
@click.argument("minutes", type=_MINUTES)
@passed
def clear_nonces(context: Installation, minutes: int) -> None:
    """End the nonces that were used and made more than MINUTES ago, at once: there is no --apply.

    Nonces are signed and end by themselves after account.nonce_minutes; the database forgets them then. This ends
    those earlier that clients have used: they get a new challenge. Nothing needs it regularly.
    """
    count = context.work(lambda parts: parts.services.upkeep.nonces(timedelta(minutes=minutes)))
    click.echo(f"{count} nonces ended.")


@accounts.command("clear-api-keys")
@click.argument("minutes", type=_MINUTES, required=False)
@passed
def clear_api_keys(context: Installation, minutes: int | None) -> None:
    """Remove API keys that were last used more than MINUTES ago, at once: there is no --apply.

    MINUTES is app.api_key_expiration_minutes when not given. Expired keys are refused whether they are removed or not.
    """
    age = timedelta(minutes=context.settings.app.api_key_expiration_minutes if minutes is None else minutes)
    count = context.change(lambda parts, actor: parts.services.upkeep.api_keys(age, actor))
    click.echo(f"{count} API keys removed.")


@accounts.command("clear-tombstones")
@click.argument("days", type=_DAYS)
@_APPLY
@passed
def clear_tombstones(context: Installation, days: int, apply: bool) -> None:
    """Free the names of accounts that were deleted more than DAYS ago, for anybody to sign up with.

    The database does so by itself after account.tombstone_days.
    """
    count = context.change(
        lambda parts, actor: parts.services.upkeep.tombstones(timedelta(days=days), actor, apply=apply)
    )
    click.echo(f"{count} tombstones {_done(apply)}.")


@accounts.command("clear-unconfirmed")
@click.argument("days", type=_DAYS)
@_APPLY
@click.option("--and-confirmed", is_flag=True, help="Take activated accounts too, but no administrator.")
@passed
def clear_unconfirmed(context: Installation, days: int, apply: bool, and_confirmed: bool) -> None:
    """Remove accounts of the SIP domain that were made more than DAYS ago and never activated.

    An account that was active once and was deactivated stays. The names are free at once.
    """

    async def clear(parts: Parts, actor: Actor) -> int:
        age = timedelta(days=days)
        return await parts.services.upkeep.unconfirmed(age, actor, apply=apply, and_confirmed=and_confirmed)

    click.echo(f"{context.change(clear)} accounts {_done(apply)}.")


@accounts.command("reseal")
@passed
def reseal(context: Installation) -> None:
    """Seal all password hashes with the current application key, so that earlier ones are no longer needed.

    Give every server the new key and the earlier ones first (app.key, app.previous_keys), and restart it. Servers may
    run meanwhile. After that take the earlier keys out of the settings.
    """
    progress = Progress("looked at")
    count = context.work(lambda parts: parts.services.upkeep.seals(progress))
    click.echo(f"{count} accounts sealed anew.")


@click.command()
@click.option("--unconfirmed-days", type=_DAYS, default=30, show_default=True, help="As of accounts clear-unconfirmed.")
@_APPLY
@passed
def clean(context: Installation, unconfirmed_days: int, apply: bool) -> None:
    """Do all that is done daily: tombstones, unconfirmed accounts, expired keys, nonces and tokens.

    Without --apply it only counts tombstones and accounts. All but the unconfirmed accounts end by themselves: the
    database removes expired nonces, tokens and tombstones within a minute, and expired API keys are refused. So
    run this if you want unconfirmed accounts to go, or to have old keys out of the database. Examples for systemd
    and cron are in share/flexiapi/config.
    """
    settings = context.settings

    async def work(parts: Parts, actor: Actor) -> list[str]:
        upkeep = parts.services.upkeep
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
    return "removed" if apply else "would be removed; say --apply to do it"
