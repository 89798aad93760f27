"""Dictionaries of accounts: values that programs of the operator keep with them."""

from flexiapi.errors import RecordNotFound, ValidationFailed
from flexiapi.model import MOST_ENTRIES, Account, Actor, DictionaryEntry, Space
from flexiapi.services.accounts.administration import AccountBusy
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.conversions import is_dictionary_key
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing

# Of many changes of one account at once each round writes one at least.
_TRIES = 60


class DictionaryFull(ValidationFailed):
    """The dictionary has as many entries as it may have."""

    def __init__(self) -> None:
        super().__init__({"key": [f"The account has {MOST_ENTRIES} entries already. Remove one first."]})


class KeyUnusable(ValidationFailed):
    """A key that a path cannot name."""

    def __init__(self) -> None:
        super().__init__(
            {"key": ["key must have 1 to 255 characters, without / and control characters, and not be . or .."]}
        )


class Dictionaries:
    """Entries of dictionaries, each changed by itself."""

    def __init__(self, ground: Ground, accounts: AccountDirectory) -> None:
        self._store = ground.store
        self._accounts = accounts

    async def of(self, account_id: int, space: Space) -> dict[str, str]:
        """Return the values of an account by key. Raises `RecordNotFound`."""
        return (await self._accounts.for_admin(account_id, space)).dictionary_values

    async def value(self, account_id: int, key: str, space: Space) -> str:
        """Return the value of a key. Raises `RecordNotFound`, also for a key that the account does not have."""
        values = await self.of(account_id, space)
        if key not in values:
            raise RecordNotFound
        return values[key]

    async def set(self, account_id: int, key: str, value: str, actor: Actor) -> Account:
        """Set the value of a key. Raises `RecordNotFound`, `KeyUnusable`, `DictionaryFull`, `AccountBusy`."""
        if not is_dictionary_key(key):
            raise KeyUnusable
        entry = DictionaryEntry(key, value)
        for _ in range(_TRIES):
            account = await self._accounts.for_admin(account_id, actor.space)
            is_known = key in account.dictionary_values
            if not is_known and len(account.dictionary) >= MOST_ENTRIES:
                raise DictionaryFull
            change = account.replace_entry(entry) if is_known else account.add_entry(entry)
            written = await self._store.accounts.apply(change, actor)
            if written is not None:
                return written
        raise AccountBusy

    async def remove(self, account_id: int, key: str, actor: Actor) -> None:
        """Remove a key with its value. Raises `RecordNotFound`, also for a key that the account does not have."""
        account = await self._accounts.for_admin(account_id, actor.space)
        existing(await self._store.accounts.apply(account.remove_entry(key), actor))

    async def clear(self, account_id: int, actor: Actor) -> None:
        """Remove all entries. Raises `RecordNotFound`."""
        account = await self._accounts.for_admin(account_id, actor.space)
        existing(await self._store.accounts.apply(account.clear_dictionary(), actor))
