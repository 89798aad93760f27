"""Account documents that cannot be read as a whole, because of hands in the database or of a newer release.

What cannot be read is left out, logged with the account's id, and counted. The rest of the account, and all others,
stay usable, and an administrator repairs the account by replacing it.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from prometheus_client import Counter

from flexiapi.model import Account
from flexiapi.observing import log

Document = dict[str, Any]
P = TypeVar("P")

unreadable_accounts = Counter(
    "flexiapi_unreadable_accounts", "Accounts of which a process could not read a part, each counted once"
)

_MOST_TOLD = 10_000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES: Mapping[str, type] = {
    **dict.fromkeys(("username", "domain", "email", "phone", "display_name", "dtmf_protocol", "group"), str),
    **dict.fromkeys(("ip_address", "user_agent", "claimed_phone", "claimed_email", "provisioning_by"), str),
    **dict.fromkeys(("created_at", "updated_at", "activated_at", "deactivated_at", "admin_since"), datetime),
    **dict.fromkeys(("provisioning_token_at", "replacing_until", "unlocked_at", "blocked_at"), datetime),
    **dict.fromkeys(("activated", "unconfirmed", "has_first_password"), bool),
    **dict.fromkeys(("passwords", "types", "actions", "contacts", "contacts_lists"), list),
    **dict.fromkeys(("api_key", "confirmation", "activation_expiration", "email_change", "phone_change"), dict),
    "epoch": int,
    "external_account": dict,
}
# Fields whose name in documents is another one.
_NAMES = {
    "epoch": "sign_in_epoch",
    "types": "type_ids",
    "contacts": "contact_ids",
    "contacts_lists": "contacts_list_ids",
    "provisioning_secret": "provisioning_token",
    "confirmation_secret": "confirmation",
}
_told: set[tuple[int, tuple[str, ...]]] = set()


def part(made: Callable[..., P], item: Document) -> P:
    """Return a part of an account; keys that a newer release added to it are ignored."""
    try:
        return made(**item)
    except TypeError:
        return made(**{name: item[name] for name in made.__slots__ if name in item})  # type: ignore[attr-defined]


def fits(document: Document) -> bool:
    """Return whether every value is of the type that its field has."""
    for name, value in document.items():  # noqa: SIM110  # called for every account, and faster than `all`
        if not isinstance(value, _TYPES.get(name, object)):
            return False
    return True


def in_part(decoded: Callable[[Document], Account], document: Document, domain: str) -> Account:
    """Return the account without what cannot be read of it: each field is decoded alone.

    A user name or domain that cannot be read is `unreadable-ID` or `domain`. Such an account cannot sign in.
    """
    owner = document["_id"]
    least: Document = {
        "_id": owner,
        "username": f"unreadable-{owner}",
        "domain": domain,
        "created_at": _LONG_AGO,
        "updated_at": _LONG_AGO,
    }
    good = {name: value for name, value in document.items() if _is_readable(decoded, {**least, name: value})}
    bad = tuple(sorted((document.keys() | least.keys()) - good.keys()))
    _tell(owner, bad)
    account = decoded({**least, **good})
    lost = tuple(_NAMES.get(name, name) for name in bad)
    if {"username", "domain", "sign_in_epoch"} & set(lost):
        # What it signs in with is bound to these.
        account = replace(account, passwords=(), api_key=None)
    return replace(account, unreadable=lost)


def _is_readable(decoded: Callable[[Document], Account], document: Document) -> bool:
    try:
        return fits(document) and decoded(document) is not None
    except (TypeError, ValueError, KeyError, AttributeError):
        return False


def _tell(owner: int, bad: tuple[str, ...]) -> None:
    """Log and count an account once per process."""
    if (owner, bad) in _told or len(_told) >= _MOST_TOLD:
        return
    _told.add((owner, bad))
    unreadable_accounts.inc()
    log.error(
        "an account cannot be read as a whole",
        account=owner,
        fields=bad,
        action=f"replace it: PUT /api/accounts/{owner}",
    )
