"""Dictionaries of accounts: values that programs of the operator keep with them."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import EntryKey, Id
from flexiapi.errors import RecordNotFound
from flexiapi.services.accounts import AccountBusy
from flexiapi.services.fields import EntryValue
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params

_CLEAR = "clear"
_EXAMPLE = {"customer": "C-1024", "floor": "3"}


class EntryParameters(Params):
    """The value of an entry."""

    value: EntryValue


@dataclass(kw_only=True)
class EntryView:
    """The value of an entry."""

    value: Annotated[str, Field(examples=["C-1024"])]


class DictionaryEndpoint(ApiEndpoint):
    """The dictionary of an account."""

    path = "/api/accounts/{id}/dictionary"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), example=_EXAMPLE)
    async def get(self, id: Id) -> dict[str, str]:
        """Get all the entries of the dictionary of an account; `{}` without any."""
        return await self.accounts.dictionaries.of(id, self.space)

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def delete(self, id: Id) -> None:
        """Remove all the entries of the dictionary of an account."""
        await self.accounts.dictionaries.clear(id, self.actor)


class DictionaryEntryEndpoint(ApiEndpoint):
    """An entry of the dictionary of an account."""

    path = "/api/accounts/{id}/dictionary/{key}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def get(self, id: Id, key: EntryKey) -> EntryView:
        """Get an entry of the dictionary of an account."""
        return EntryView(value=await self.accounts.dictionaries.value(id, key, self.space))

    @endpoint(Access.ADMIN, status=201, raises=(RecordNotFound, AccountBusy))
    async def post(self, id: Id, key: EntryKey, body: EntryParameters) -> EntryView:
        """Set an entry of the dictionary of an account, also in place of its value before.

        An account has at most 100 entries.
        """
        await self.accounts.dictionaries.set(id, key, body.value, self.actor)
        return EntryView(value=body.value)

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def delete(self, id: Id, key: EntryKey) -> None:
        """Remove an entry of the dictionary of an account.

        With the key `clear` all entries are removed, as in the original; an entry of that name goes with them alone.
        """
        if key == _CLEAR:
            await self.accounts.dictionaries.clear(id, self.actor)
        else:
            await self.accounts.dictionaries.remove(id, key, self.actor)
