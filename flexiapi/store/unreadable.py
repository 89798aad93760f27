"""Account documents that cannot be read as a whole, because of hands in the database or of a newer release.

What cannot be read is left out, logged with the account's id, and counted. The rest of the account, and all others,
stay usable, and an administrator repairs the account by replacing it.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from prometheus_client import Counter

from flexiapi.model import (
    Account,
    Action,
    ActivationExpiration,
    Confirmation,
    DictionaryEntry,
    PendingChange,
    ProvisioningFetch,
    StoredApiKey,
    Undelivered,
)
from flexiapi.observing import log

Document = dict[str, Any]

unreadable_accounts = Counter(
    "flexiapi_unreadable_accounts", "Accounts of which a process could not read a part, each counted once"
)

_PAIRED = frozenset({"confirmation", "confirmation_secret", "provisioning_token", "provisioning_secret"})
_MOST_TOLD = 10_000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
UNREADABLE = (TypeError, ValueError, KeyError, AttributeError)
"""The exceptions of the decoder for a value of a wrong type."""
PARTS: Mapping[str, Any] = {
    "api_key": StoredApiKey,
    "activation_expiration": ActivationExpiration,
    "email_change": PendingChange,
    "phone_change": PendingChange,
    "last_provisioning": ProvisioningFetch,
    "undelivered": Undelivered,
}
"""The parts of an account that documents hold as they are."""

_ELEMENTS: Mapping[str, Any] = {"actions": Action, "dictionary": DictionaryEntry}
# Fields whose name in documents is another one.
_NAMES = {
    "epoch": "sign_in_epoch",
    "types": "type_ids",
    "contacts": "contact_ids",
    "contacts_lists": "contacts_list_ids",
    "provisioning_secret": "provisioning_token",
    "confirmation_secret": "confirmation",
}
# What it signs in with is bound to these, or an administrator shut it out by them.
_OF_SIGN_IN = frozenset(
    {"username", "domain", "sign_in_epoch", "blocked_at", "activated_at", "deactivated_at"}
    | {"unconfirmed", "claimed_phone", "has_first_password"}
)
# These end codes and links.
_OF_CODES = frozenset({"provisioning_token", "provisioning_token_at", "confirmation", "activation_expiration"})
_told: set[tuple[int, tuple[str, ...]]] = set()


def classes_of_fields() -> dict[str, tuple[type, ...]]:
    """Return the classes that a value of each field of an account may have. Hands in a database may write others."""
    hints = get_type_hints(Account)
    return {one.name: _allowed(hints[one.name]) for one in fields(Account)}


def _allowed(hint: Any) -> tuple[type, ...]:
    if get_origin(hint) is Literal:
        return (str,)
    if get_origin(hint) in (Union, UnionType):
        return tuple(one for part in get_args(hint) for one in _allowed(part))
    return (get_origin(hint) or hint,)


def in_part(decoded: Callable[[Document], Account], document: Document, domain: str) -> Account:
    """Return the account without what cannot be read of it: each field is decoded alone.

    A user name or domain that cannot be read is `unreadable-ID` or `domain`. Such an account cannot sign in, and none
    of its codes and links works. Nor can one of which it cannot be read whether it was shut out, or what it proved.
    """
    owner = document["_id"]
    least: Document = {
        "_id": owner,
        "username": f"unreadable-{owner}",
        "domain": domain,
        "created_at": _LONG_AGO,
        "updated_at": _LONG_AGO,
    }
    document = {name: _known(name, value) for name, value in document.items()}
    good = {name: value for name, value in document.items() if _is_readable(decoded, {**least, name: value})}
    if not _is_readable(decoded, {**least, **good}):
        # Only these are read together with each other.
        good = {name: value for name, value in good.items() if name not in _PAIRED}
    bad = tuple(sorted((document.keys() | least.keys()) - good.keys()))
    account = decoded({**least, **good})
    if not bad:
        return account
    _tell(owner, bad)
    lost = tuple(_NAMES.get(name, name) for name in bad)
    if not _OF_SIGN_IN.isdisjoint(lost):
        account = replace(account, passwords=(), api_key=None)
    if not (_OF_SIGN_IN | _OF_CODES).isdisjoint(lost):
        account = replace(account, provisioning_token=None, confirmation=None)
    return replace(account, unreadable=lost)


def _is_readable(decoded: Callable[[Document], Account], document: Document) -> bool:
    try:
        decoded(document)
    except UNREADABLE:
        return False
    return True


def _known(name: str, value: Any) -> Any:
    """Return the value of a field without the keys that a newer release added to a part."""
    if name in _ELEMENTS and isinstance(value, list):
        return [_without_others(_ELEMENTS[name], item) for item in value]
    part = Confirmation if name == "confirmation" else PARTS.get(name)
    return value if part is None else _without_others(part, value)


def _without_others(part: Any, value: Any) -> Any:
    return {key: item for key, item in value.items() if key in part.__slots__} if isinstance(value, dict) else value


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
