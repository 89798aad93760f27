"""Account types and their assignment to accounts."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import Id, TypeId
from flexiapi.api.views.accounts import TypeView
from flexiapi.errors import AlreadyAttached, NotAttached, RecordNotFound
from flexiapi.services.fields import Key
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params


class TypeParameters(Params):
    """The values of an account type."""

    key: Key


class AccountTypesEndpoint(ApiEndpoint):
    """The collection of account types."""

    path = "/api/account_types"

    @endpoint(Access.ADMIN)
    async def get(self) -> list[TypeView]:
        """Show all the account types."""
        return [TypeView.of(account_type) for account_type in await self.accounts.types.all(self.space)]

    @endpoint(
        Access.ADMIN, status=201, checks=lambda exchange, values: exchange.accounts.types.faults(values, exchange.space)
    )
    async def post(self, body: TypeParameters) -> TypeView:
        """Create an account type."""
        return TypeView.of(await self.accounts.types.add(body.key, self.actor))


class AccountTypeByIdEndpoint(ApiEndpoint):
    """An account type."""

    path = "/api/account_types/{id}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def get(self, id: Id) -> TypeView:
        """Show an account type."""
        return TypeView.of(await self.accounts.types.get(id, self.space))

    @endpoint(
        Access.ADMIN,
        raises=(RecordNotFound,),
        checks=lambda exchange, values: exchange.accounts.types.faults(
            values, exchange.space, exchange.arguments["id"]
        ),
    )
    async def put(self, id: Id, body: TypeParameters) -> TypeView:
        """Update an account type."""
        return TypeView.of(await self.accounts.types.rename(id, body.key, self.actor))

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def delete(self, id: Id) -> None:
        """Delete an account type.

        It is removed from all accounts.
        """
        await self.accounts.types.remove(id, self.actor)


class TypeOfAccountEndpoint(ApiEndpoint):
    """The assignment of a type to an account."""

    path = "/api/accounts/{id}/types/{type_id}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, AlreadyAttached))
    async def post(self, id: Id, type_id: TypeId) -> None:
        """Add a type to the account.

        Return `403` if the account has it already.
        """
        await self.accounts.types.attach(id, type_id, self.actor)

    @endpoint(Access.ADMIN, raises=(RecordNotFound, NotAttached))
    async def delete(self, id: Id, type_id: TypeId) -> None:
        """Remove a type from the account.

        Return `403` if the account does not have it.
        """
        await self.accounts.types.detach(id, type_id, self.actor)
