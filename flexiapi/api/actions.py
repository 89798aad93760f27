"""Actions of accounts, which devices trigger by DTMF codes."""

from collections.abc import Awaitable
from typing import Any

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import ActionId, Id
from flexiapi.api.views.accounts import ActionView
from flexiapi.errors import NoDtmfProtocol, RecordNotFound
from flexiapi.services.fields import Code, Key
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params

_FAILURES = (RecordNotFound, NoDtmfProtocol)


class ActionParameters(Params):
    """The values of an action."""

    key: Key
    code: Code


def _has_dtmf_protocol(exchange: ApiEndpoint, id: int, **_path: Any) -> Awaitable[object]:
    return exchange.accounts.actions.owner(id, exchange.space)


class ActionsEndpoint(ApiEndpoint):
    """The actions of an account that has a DTMF protocol."""

    path = "/api/accounts/{id}/actions"

    @endpoint(Access.ADMIN, raises=_FAILURES)
    async def get(self, id: Id) -> list[ActionView]:
        """Show an account related actions.

        Return `403` if the account doesn't have a DTMF protocol configured.
        """
        owner = await self.accounts.actions.owner(id, self.space)
        return [ActionView.of(action) for action in owner.actions]

    @endpoint(Access.ADMIN, status=201, raises=_FAILURES, requires=_has_dtmf_protocol)
    async def post(self, id: Id, body: ActionParameters) -> ActionView:
        """Create an account action.

        Return `403` if the account doesn't have a DTMF protocol configured.
        """
        owner = await self.accounts.actions.owner(id, self.space)
        return ActionView.of(await self.accounts.actions.add(owner, body.key, body.code, self.actor))


class ActionByIdEndpoint(ApiEndpoint):
    """An action of an account."""

    path = "/api/accounts/{id}/actions/{action_id}"

    @endpoint(Access.ADMIN, raises=_FAILURES)
    async def get(self, id: Id, action_id: ActionId) -> ActionView:
        """Show an account related action.

        Return `403` if the account doesn't have a DTMF protocol configured.
        """
        owner = await self.accounts.actions.owner(id, self.space)
        return ActionView.of(self.accounts.actions.one_of(owner, action_id))

    @endpoint(Access.ADMIN, raises=_FAILURES, requires=_has_dtmf_protocol)
    async def put(self, id: Id, action_id: ActionId, body: ActionParameters) -> ActionView:
        """Update an account action.

        Return `403` if the account doesn't have a DTMF protocol configured.
        """
        owner = await self.accounts.actions.owner(id, self.space)
        return ActionView.of(await self.accounts.actions.replace(owner, action_id, body.key, body.code, self.actor))

    @endpoint(Access.ADMIN, raises=_FAILURES)
    async def delete(self, id: Id, action_id: ActionId) -> None:
        """Delete an account related action.

        Return `403` if the account doesn't have a DTMF protocol configured.
        """
        await self.accounts.actions.remove(await self.accounts.actions.owner(id, self.space), action_id, self.actor)
