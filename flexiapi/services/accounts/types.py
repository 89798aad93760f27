"""Account types."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from flexiapi.errors import AlreadyAttached, FieldErrors, NotAttached, RecordNotFound, ValidationFailed
from flexiapi.model import AccountType, Actor, AsContact, Space, Types
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.store import IdentifierTaken, Store

_NONE: Types = {}
_TAKEN = {"key": ["key is taken"]}


class TypeValues(TypedDict, total=False):
    """The values of a type that are well-formed."""

    key: str


class AccountTypes:
    """The types of each space, and those of accounts."""

    def __init__(self, store: Store, accounts: AccountDirectory) -> None:
        self._store = store
        self._accounts = accounts

    async def of(self, accounts: Sequence[AsContact]) -> Types:
        """Return the types of the accounts that have some. A type of another space than its account's is left out."""
        ids = {type_id for account in accounts for type_id in account.type_ids}
        if not ids:
            return _NONE
        found = await self._store.types.by_ids(sorted(ids))
        return {account.id: self._own(account, found) for account in accounts if account.type_ids}

    def _own(self, account: AsContact, found: Mapping[int, AccountType]) -> Sequence[AccountType]:
        space = self._accounts.space_of(account).stored
        types = (found.get(type_id) for type_id in account.type_ids)
        return tuple(known for known in types if known is not None and known.space == space)

    async def all(self, space: Space) -> Sequence[AccountType]:
        """Return all types of the space, ordered by id."""
        return await self._store.types.all(space)

    async def get(self, type_id: int, space: Space) -> AccountType:
        """Return the type of the space with the id. Raises `RecordNotFound`."""
        account_type = await self._store.types.by_id(type_id, space)
        if account_type is None:
            raise RecordNotFound
        return account_type

    async def faults(self, values: TypeValues, space: Space, own_id: int | None = None) -> FieldErrors:
        """Check the key of a type: no other type of the space has it."""
        key = values.get("key")
        known = await self._store.types.by_key(key, space) if key else None
        return {} if known is None or known.id == own_id else _TAKEN

    async def add(self, key: str, actor: Actor) -> AccountType:
        """Add a type. Raises `ValidationFailed` for a key that was taken meanwhile."""
        try:
            return await self._store.types.add(key, actor)
        except IdentifierTaken as error:
            raise ValidationFailed(_TAKEN) from error

    async def rename(self, type_id: int, key: str, actor: Actor) -> AccountType:
        """Rename a type. Raises `RecordNotFound`, and `ValidationFailed` for a key that was taken meanwhile."""
        try:
            renamed = await self._store.types.rename(type_id, key, actor)
        except IdentifierTaken as error:
            raise ValidationFailed(_TAKEN) from error
        if renamed is None:
            raise RecordNotFound
        return renamed

    async def remove(self, type_id: int, actor: Actor) -> None:
        """Remove a type, also from all accounts. Raises `RecordNotFound`."""
        if not await self._store.types.remove(type_id, actor):
            raise RecordNotFound

    async def attach(self, account_id: int, type_id: int, actor: Actor) -> None:
        """Give an account a type. Raises `RecordNotFound`, `AlreadyAttached`."""
        account = await self._accounts.for_admin(account_id, actor.space)
        if type_id in account.type_ids:
            raise AlreadyAttached
        await self.get(type_id, self._accounts.space_of(account))
        if await self._store.accounts.apply(account.add_type(type_id), actor) is None:
            raise AlreadyAttached

    async def detach(self, account_id: int, type_id: int, actor: Actor) -> None:
        """Take a type away from an account. Raises `RecordNotFound`, `NotAttached`."""
        account = await self._accounts.for_admin(account_id, actor.space)
        if await self._store.accounts.apply(account.remove_type(type_id), actor) is None:
            raise NotAttached
