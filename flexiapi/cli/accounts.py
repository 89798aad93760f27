"""Commands on accounts."""

import click
from pydantic import TypeAdapter, ValidationError

from flexiapi.cli.context import Installation, passed
from flexiapi.crypto.keys import random_text
from flexiapi.errors import ConfigurationError
from flexiapi.model import Account, Actor
from flexiapi.server.parts import Parts
from flexiapi.services.fields import Email

_EMAIL: TypeAdapter[str] = TypeAdapter(Email)


def _email(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else _EMAIL.validate_python(value)
    except ValidationError as error:
        raise click.BadParameter(f"`{value}` is not a mail address of up to 64 characters.") from error


@click.group()
def accounts() -> None:
    """Find, explain, change, remove, export and import accounts; create administrators.

    The server may be running or stopped. ADDRESS is a SIP address, phone number, mail address, user name or id.

    \b
      flexiapi accounts find martin                       accounts with that beginning in a name, address or number
      flexiapi accounts why alice@sip.example.org         why she cannot sign in, register or get a code
      flexiapi accounts provision alice@sip.example.org   a link and QR code that set up her phone
    """  # noqa: D301  # click interprets the escape


@accounts.command("create-admin")
@click.argument("username")
@click.option("--password", help="Prompted for if not given; see --generate.")
@click.option("--generate", is_flag=True, help="Generate a password and print it.")
@click.option("--api-key", "with_key", is_flag=True, help="Print an API key too; implies --generate unless --password.")
@click.option("--email", callback=_email, help="The administrator's mail address.")
@click.option("--domain", help='A domain that has a table [spaces."DOMAIN"], of which it is to be an administrator.')
@passed
def create_admin(
    context: Installation,
    username: str,
    password: str | None,
    generate: bool,
    with_key: bool,
    email: str | None,
    domain: str | None,
) -> None:
    """Create an activated administrator USERNAME in the SIP domain, or in another domain that has a table."""
    _refuse_domain_without_table(context, domain)
    generated = password is None and (generate or with_key)
    if generated:
        password = random_text(20)
    elif password is None:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)

    async def create(parts: Parts, actor: Actor) -> tuple[Account, str | None]:
        actor.space = parts.store.spaces.of_domain((domain or "").lower())
        account = await parts.services.accounts.administrators.create(username, str(password), email, actor)
        return account, await parts.services.sign_in.api_keys.make(account, actor) if with_key else None

    account, key = context.change(create)
    click.echo(f"Administrator  sip:{account.address} (id {account.id})")
    if generated:
        click.echo(f"Password       {password}")
    if key is not None:
        minutes = context.settings.app.api_key_expiration_minutes
        click.echo(f"API key        {key}  (expires {minutes} minutes after its last use)")


def _refuse_domain_without_table(context: Installation, domain: str | None) -> None:
    if domain is None or domain.lower() in (context.settings.app.sip_domain, *context.settings.spaces):
        return
    raise ConfigurationError(
        f'{domain} has no table [spaces."{domain}"] in the settings, so it belongs to the default space, whose '
        f"administrators are in {context.settings.app.sip_domain}."
    )


@accounts.command("set-admin")
@click.argument("account_id", metavar="ID", type=click.IntRange(1))
@passed
def set_admin(context: Installation, account_id: int) -> None:
    """Give the account ID the role of administrator."""
    account = context.change(lambda parts, actor: parts.services.accounts.administrators.promote(account_id, actor))
    click.echo(f"sip:{account.address} (id {account.id}) is an administrator now.")


@accounts.command("create-admin-test")
@click.option("--force", is_flag=True, help="Do it even if app.env is not development.")
@passed
def create_admin_test(context: Installation, force: bool) -> None:
    """Create or replace the administrator that client test suites use.

    It is admin_test@sip.example.org, whatever the SIP domain, with the API key no_secret_at_all. That key is public, so
    this is refused outside of development.
    """
    if context.settings.app.env != "development" and not force:
        raise ConfigurationError(
            "The key of the test administrator is public. Set APP_ENV=development, or use --force."
        )
    account = context.change(lambda parts, actor: parts.services.accounts.administrators.create_test(actor))
    click.echo(f"sip:{account.address} (id {account.id}) is an administrator with the API key no_secret_at_all.")
