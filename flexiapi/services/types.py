"""Account types."""

from collections.abc import Mapping, Sequence

from flexiapi.model import Account, AccountType
from flexiapi.store import Store

_NONE: Mapping[int, AccountType] = {}


class Types:
    """The types that accounts have."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, accounts: Sequence[Account]) -> Mapping[int, AccountType]:
        """Those that the accounts name, by id."""
        ids = {type_id for account in accounts for type_id in account.type_ids}
        return await self._store.types.by_ids(sorted(ids)) if ids else _NONE
