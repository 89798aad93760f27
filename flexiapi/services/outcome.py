"""The outcome of a change that had preconditions."""

from flexiapi.errors import RecordNotFound
from flexiapi.model import Account


def existing(account: Account | None) -> Account:
    """Return the account. Raises `RecordNotFound` for `None`: the change was refused, or the account is gone."""
    if account is None:
        raise RecordNotFound
    return account
