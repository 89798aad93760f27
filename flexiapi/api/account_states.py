"""Activation, deactivation and provisioning tokens of accounts, by administrators."""

from collections.abc import Awaitable

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import Id
from flexiapi.api.views.accounts import AccountView, InactiveAccount, ProvisionedAccount
from flexiapi.api.views.blocks import BlockableAccount
from flexiapi.errors import LastAdmin, RecordNotFound, ValidationFailed
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access


def _is_there(exchange: ApiEndpoint, id: int) -> Awaitable[object]:
    return exchange.accounts.directory.for_admin(id, exchange.space)


class AccountActivationEndpoint(ApiEndpoint):
    """The activation of an account."""

    path = "/api/accounts/{id}/activate"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, ValidationFailed), secret=True, effects=True, requires=_is_there)
    async def get(self, id: Id) -> AccountView:
        """Activate an account.

        If it is named by a phone number, that proves the number. Return `422` if another account proved it first.
        """
        return await self._activated(id)

    @endpoint(Access.ADMIN, raises=(RecordNotFound, ValidationFailed), secret=True)
    async def post(self, id: Id) -> AccountView:
        """Activate an account. The same as `GET`, by the method that is meant for changes."""
        return await self._activated(id)

    async def _activated(self, account_id: int) -> AccountView:
        account = await self.accounts.administration.activate(account_id, self.actor)
        return AccountView.of(account, await self.view_data(account))


class AccountDeactivationEndpoint(ApiEndpoint):
    """The deactivation of an account."""

    path = "/api/accounts/{id}/deactivate"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, LastAdmin), secret=True, effects=True, requires=_is_there)
    async def get(self, id: Id) -> InactiveAccount:
        """Deactivate an account.

        The account can no longer sign in: its API key, DIGEST nonces, pending codes and provisioning token are revoked
        at once. One that was never active keeps `confirmation_key` and `provisioning_token`, which work again after an
        administrator activated it.
        """
        return await self._deactivated(id)

    @endpoint(Access.ADMIN, raises=(RecordNotFound, LastAdmin), secret=True)
    async def post(self, id: Id) -> InactiveAccount:
        """Deactivate an account. The same as `GET`, by the method that is meant for changes."""
        return await self._deactivated(id)

    async def _deactivated(self, account_id: int) -> InactiveAccount:
        account = await self.accounts.administration.deactivate(account_id, self.actor)
        return InactiveAccount.of(account, await self.view_data(account))


class AccountBlockEndpoint(ApiEndpoint):
    """The block of an account."""

    path = "/api/accounts/{id}/block"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, LastAdmin), secret=True)
    async def post(self, id: Id) -> BlockableAccount:
        """Block an account.

        It keeps its API key, password, codes and tokens, but every use of them is refused with `403`, and the SIP
        server does not let it in.
        """
        account = await self.accounts.administration.block(id, self.actor)
        return BlockableAccount.of(account, await self.view_data(account))


class AccountUnblockEndpoint(ApiEndpoint):
    """The end of the block of an account."""

    path = "/api/accounts/{id}/unblock"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), secret=True)
    async def post(self, id: Id) -> BlockableAccount:
        """Unblock an account, which may then use again what it had."""
        account = await self.accounts.administration.unblock(id, self.actor)
        return BlockableAccount.of(account, await self.view_data(account))


class AccountProvisioningEndpoint(ApiEndpoint):
    """The provisioning token of an account."""

    path = "/api/accounts/{id}/provision"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), secret=True, effects=True, requires=_is_there)
    async def get(self, id: Id) -> ProvisionedAccount:
        """Provision an account by generating a fresh `provisioning_token`.

        The token takes the place of the one before, and works once, for `account.provisioning_token_hours`, 720 hours
        by default.
        """
        account = await self.phones.provisioning.new_token(
            await self.accounts.directory.for_admin(id, self.space), self.actor, by="admin"
        )
        return ProvisionedAccount.of(account, await self.view_data(account))
