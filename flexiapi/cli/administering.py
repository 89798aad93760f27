"""Commands for single accounts: find, show and change them."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click
from qrcode.main import QRCode

from flexiapi.cli.accounts import accounts
from flexiapi.cli.context import Installation, passed
from flexiapi.crypto.keys import opened, random_text
from flexiapi.errors import ConfigurationError
from flexiapi.model import Account, AccountSelection, Actor
from flexiapi.server.parts import Parts
from flexiapi.services.accounts import AccountServices, Hindrance

T = TypeVar("T")

_ADDRESS = click.argument("address", metavar="ADDRESS", callback=lambda _context, _parameter, value: _plain(value))
_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for other programs.")
_LINES = click.option(
    "-n", "--lines", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Accounts to show."
)
_DOMAIN = click.option("--domain", help="Only accounts of this domain.")
_COLUMNS = ("id", "SIP address", "state", "phone", "e-mail", "created")


def _plain(text: str) -> str:
    """Return an address without its scheme and brackets."""
    text = text.strip().removeprefix("<").removesuffix(">")
    for scheme in ("sip:", "sips:", "tel:", "mailto:"):
        text = text.removeprefix(scheme)
    return text


@accounts.command("list")
@_DOMAIN
@click.option("--activated/--not-activated", default=None, help="Only accounts that are activated, or are not.")
@click.option("--admins", is_flag=True, help="Only administrators.")
@click.option("--skip", type=click.IntRange(0), default=0, help="Leave out so many first.")
@_LINES
@_JSON
@passed
def list_accounts(
    context: Installation,
    domain: str | None,
    activated: bool | None,
    *,
    admins: bool,
    skip: int,
    lines: int,
    as_json: bool,
) -> None:
    """Show accounts, one a line, in the order of their ids."""
    _list(context, AccountSelection(domain and domain.lower(), activated, admins or None), skip, lines, as_json=as_json)


@accounts.command("find")
@click.argument("text")
@_DOMAIN
@_LINES
@_JSON
@passed
def find(context: Installation, text: str, domain: str | None, lines: int, *, as_json: bool) -> None:
    """Show the accounts that the listing of the API finds for TEXT."""
    _list(context, AccountSelection(domain and domain.lower(), text=_plain(text).lower()), 0, lines, as_json=as_json)


def _list(context: Installation, wanted: AccountSelection, skip: int, lines: int, *, as_json: bool) -> None:
    found = context.work(lambda parts: parts.services.accounts.support.page(wanted, skip, lines))
    if found.is_incomplete:
        click.echo("The search was cut short: there may be more accounts. Give a longer text, or --domain.", err=True)
    if as_json:
        for account in found.accounts:
            click.echo(json.dumps(_summary(account), default=str))
        return
    _table([_COLUMNS, *(_row(account) for account in found.accounts)])
    shown = skip + len(found.accounts)
    told = f"{len(found.accounts)} of {found.total} accounts."
    click.echo(f"{told} The next: --skip {shown}" if found.total > shown else told, err=True)


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(account: Account) -> tuple[str, ...]:
    contact = (account.phone or "-", account.email or "-")
    return (str(account.id), account.address, _state(account), *contact, f"{account.created_at:%Y-%m-%d}")


def _state(account: Account) -> str:
    role = f"{', administrator' if account.is_admin else ''}{', blocked' if account.is_blocked else ''}"
    if account.activated:
        return f"active{role}"
    return f"{'deactivated' if account.is_shut_out else 'not activated yet'}{role}"


@accounts.command("show")
@_ADDRESS
@_JSON
@passed
def show(context: Installation, address: str, *, as_json: bool) -> None:
    """Show what is stored of the account ADDRESS, without passwords and codes."""
    account = context.work(lambda parts: _one(parts, address))
    summary = _summary(account)
    if as_json:
        click.echo(json.dumps(summary, default=str))
        return
    width = max(map(len, summary))
    for name, value in summary.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {_shown(value)}")


def _shown(value: object) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _summary(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "address": account.address,
        "state": _state(account),
        "display_name": account.display_name,
        "phone": account.phone,
        "email": account.email,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
        "activated_at": account.activated_at,
        "administrator_since": account.admin_since,
        "group": account.group,
        "language": account.language,
        "created_from": account.ip_address or None,
        "created_by": account.user_agent or None,
        "password_algorithms": [str(password.algorithm) for password in account.passwords],
        "api_key_used_at": account.api_key and account.api_key.last_used_at,
        "has_activation_code": account.confirmation is not None,
        "has_provisioning_token": account.provisioning_token is not None,
        "contacts": len(account.contact_ids),
    }


async def _one(parts: Parts, address: str) -> Account:
    """Return the account. Raises `ConfigurationError` if there is none, or several."""
    found = await parts.services.accounts.support.named(address)
    if not found:
        raise ConfigurationError(f"There is no account {address}. Look for it: flexiapi accounts find BEGINNING")
    if len(found) > 1:
        several = ", ".join(f"{account.id} (sip:{account.address})" for account in found)
        raise ConfigurationError(f"{address} stands for several accounts. Name one by its id: {several}.")
    return found[0]


def _on_one(context: Installation, address: str, call: Callable[[Parts, Account, Actor], Awaitable[T]]) -> T:
    """Call with the account, as an actor of its space."""

    async def change(parts: Parts, actor: Actor) -> T:
        account = await _one(parts, address)
        actor.space = parts.store.spaces.of_domain(account.domain)
        return await call(parts, account, actor)

    return context.change(change)


def _change(
    context: Installation,
    address: str,
    call: Callable[[AccountServices, Account, Actor], Awaitable[Account]],
    told: str,
) -> None:
    """Change the account and say what it is now."""
    account = _on_one(context, address, lambda parts, account, actor: call(parts.services.accounts, account, actor))
    click.echo(f"sip:{account.address} (id {account.id}) {told}")


@accounts.command("why")
@_ADDRESS
@passed
def why(context: Installation, address: str) -> None:
    """Say why the account ADDRESS cannot sign in, get codes, register at the SIP server or be set up.

    It looks at the state of the account, at the limits that wrong passwords and codes have used up, at the last message
    with a code that could not be sent, and at what the server needs for it. Whether the SIP server knows of accounts at
    all, `flexiapi sip doctor` tells.
    """

    async def explain(parts: Parts) -> tuple[Account, Sequence[Hindrance]]:
        account = await _one(parts, address)
        return account, await parts.services.accounts.diagnosis.of(account)

    account, findings = context.work(explain)
    click.echo(f"sip:{account.address} (id {account.id}) is {_state(account)}.")
    for finding in findings:
        click.echo(f"{finding.topic:<11}  {finding.reason} {finding.advice}")
    if not findings:
        click.echo(
            "Nothing in its state keeps it from signing in, getting codes, registering and being set up. Look at "
            f"`flexiapi events --account {account.id}`, at the server's log for `account={account.id}`, and at "
            "`flexiapi sip doctor`."
        )


@accounts.command("unlock")
@_ADDRESS
@passed
def unlock(context: Installation, address: str) -> None:
    """Forget the wrong passwords and codes, and the messages, that were counted for the account ADDRESS."""
    _change(context, address, lambda of, account, actor: of.diagnosis.unlock(account, actor), "may try again.")


@accounts.command("activate")
@_ADDRESS
@passed
def activate(context: Installation, address: str) -> None:
    """Activate the account ADDRESS, which may register from now on."""
    _change(context, address, lambda of, account, actor: of.administration.activate(account.id, actor), "is active.")


@accounts.command("deactivate")
@_ADDRESS
@passed
def deactivate(context: Installation, address: str) -> None:
    """Deactivate the account ADDRESS: it is signed out everywhere and cannot register until it is activated again."""
    _change(
        context, address, lambda of, account, actor: of.administration.deactivate(account.id, actor), "is deactivated."
    )


@accounts.command("delete")
@_ADDRESS
@click.option("--yes", is_flag=True, help="Do not ask.")
@passed
def delete(context: Installation, address: str, *, yes: bool) -> None:
    """Delete the account ADDRESS. Its name cannot be registered again until its tombstone expires."""
    account = context.work(lambda parts: _one(parts, address))
    if not yes:
        click.confirm(f"Delete sip:{account.address} (id {account.id}, {_state(account)})?", abort=True)
    # By its id, for meanwhile the address may have become another's.
    _on_one(
        context,
        str(account.id),
        lambda parts, account, actor: parts.services.accounts.removal.remove(account, actor),
    )
    click.echo(f"sip:{account.address} (id {account.id}) is deleted.")


@accounts.command("set-password")
@_ADDRESS
@click.option("--generate", is_flag=True, help="Generate a password and print it, in place of a prompt.")
@passed
def set_password(context: Installation, address: str, *, generate: bool) -> None:
    """Set a new password of the account ADDRESS, which signs it out everywhere."""
    found = context.work(lambda parts: _one(parts, address))
    password = random_text(20) if generate else str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    _change(
        context,
        str(found.id),
        lambda of, account, actor: of.support.set_password(account, password, actor),
        "has a new password.",
    )
    if generate:
        click.echo(f"Password  {password}")


@accounts.command("provision")
@_ADDRESS
@click.option("--qr/--no-qr", default=True, help="Draw the QR code, too; by default yes.")
@passed
def provision(context: Installation, address: str, *, qr: bool) -> None:
    """Print a link, and its QR code, that set up one phone for the account ADDRESS and activate it.

    A link that was made before ends.
    """

    async def make(parts: Parts, account: Account, actor: Actor) -> tuple[Account, str]:
        changed = await parts.services.phones.provisioning.new_token(account, actor, by="admin")
        token = opened(changed.provisioning_token or "")
        return changed, f"{parts.store.spaces.of_domain(account.domain).url}/provisioning/{token}"

    account, link = _on_one(context, address, make)
    if qr:
        code: QRCode[Any] = QRCode(border=2)
        code.add_data(link)
        code.print_ascii(invert=True)
    click.echo(f"sip:{account.address} (id {account.id}), for one phone, once:")
    click.echo(link)
