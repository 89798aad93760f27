"""Account types, and which accounts have them."""

from collections.abc import Mapping
from typing import Annotated, Any

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.fields import Id, Key
from flexiapi.api.views import TypeView
from flexiapi.errors import AlreadyAttached, NotAttached, RecordNotFound
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Segment
from flexiapi.web.parameters import Errors, Params

TypeId = Annotated[int, Segment("[0-9]{1,18}", "1", "a type's id")]


class TypeParameters(Params):
    """A type."""

    key: Key


async def _conflicts(handler: ApiEndpoint, values: Mapping[str, Any]) -> Errors:
    key = values.get("key")
    own_id = handler.arguments.get("id")
    return await handler.services.types.conflicts(key, int(own_id) if own_id else None) if key else {}


class AccountTypesEndpoint(ApiEndpoint):
    """All of them."""

    path = "/api/account_types"

    @endpoint(Access.ADMIN)
    async def get(self) -> list[TypeView]:
        """Show all the account types."""
        return [TypeView.of(account_type) for account_type in await self.services.types.all()]

    @endpoint(Access.ADMIN, status=201, checks=_conflicts)
    async def post(self, body: TypeParameters) -> TypeView:
        """Create an account type."""
        return TypeView.of(await self.services.types.add(body.key))


class AccountTypeByIdEndpoint(ApiEndpoint):
    """One of them."""

    path = "/api/account_types/{id}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def get(self, id: Id) -> TypeView:
        """Show an account type."""
        return TypeView.of(await self.services.types.get(id))

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), checks=_conflicts)
    async def put(self, id: Id, body: TypeParameters) -> TypeView:
        """Update an account type."""
        return TypeView.of(await self.services.types.rename(id, body.key))

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def delete(self, id: Id) -> None:
        """Delete an account type.

        It is removed from all accounts.
        """
        await self.services.types.remove(id)


class TypeOfAccountEndpoint(ApiEndpoint):
    """A type on an account."""

    path = "/api/accounts/{id}/types/{type_id}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, AlreadyAttached))
    async def post(self, id: Id, type_id: TypeId) -> None:
        """Add a type to the account.

        Return `403` if the account has it already.
        """
        await self.services.types.attach(id, type_id)

    @endpoint(Access.ADMIN, raises=(RecordNotFound, NotAttached))
    async def delete(self, id: Id, type_id: TypeId) -> None:
        """Remove a type from the account.

        Return `403` if the account does not have it.
        """
        await self.services.types.detach(id, type_id)
