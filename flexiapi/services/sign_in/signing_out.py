"""What ends when an account is signed out everywhere: its password is another, or an administrator shuts it out."""

from collections.abc import Mapping
from typing import Any

from flexiapi.model import Account

_ACTIVATING: Mapping[str, None] = {"confirmation": None, "provisioning_token": None, "provisioning_token_at": None}


def ended(account: Account | None = None) -> dict[str, Any]:
    """The changes that end all codes and tokens of an account.

    Of an `account` that an administrator has made and nobody has entered yet, what activates it stays.
    """
    changes: dict[str, Any] = {"email_change": None, "phone_change": None}
    if account is None or not _waits_for_first_entry(account):
        changes |= _ACTIVATING
    return changes


def still_signed_in(account: Account) -> dict[str, object]:
    """Holds an update to the sign-in that asked for it: whatever has ended that meanwhile wins."""
    return {"epoch": account.sign_in_epoch}


def _waits_for_first_entry(account: Account) -> bool:
    pending = account.confirmation
    return not account.activated and pending is not None and pending.key is not None
