"""Activation, deactivation, blocks, provisioning tokens and mails of accounts, by administrators."""

from collections.abc import Awaitable

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import Id
from flexiapi.api.views.accounts import AccountView, InactiveAccount, ProvisionedAccount
from flexiapi.api.views.blocks import BlockableAccount
from flexiapi.errors import (
    DeliveryFailed,
    LastAdmin,
    NoEmailConfigured,
    OwnBlock,
    RecordNotFound,
    TooManyRequests,
    ValidationFailed,
)
from flexiapi.services.fields import BlockReason
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard, Switch
from flexiapi.web.parameters import Params


def _is_there(exchange: ApiEndpoint, id: int) -> Awaitable[object]:
    return exchange.accounts.directory.for_admin(id, exchange.space)


def _has_panel(exchange: ApiEndpoint) -> bool:
    return exchange.settings.panel.enabled


class BlockParameters(Params):
    """The reason of a block."""

    reason: BlockReason | None = None


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

    @endpoint(Access.ADMIN, raises=(RecordNotFound, LastAdmin, OwnBlock), secret=True)
    async def post(self, id: Id, body: BlockParameters) -> BlockableAccount:
        """Block an account.

        It keeps its API key, password, codes and tokens, but every use of them is refused with `403`, and the SIP
        server does not let it in. The `reason` is shown to administrators alone; without one, that of before stays.
        Neither your own account nor the last activated administrator can be blocked.
        """
        account = await self.accounts.administration.block(id, self.actor, body.reason)
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


class ProvisioningMailEndpoint(ApiEndpoint):
    """Mails with a provisioning link that an administrator sends."""

    path = "/api/accounts/{id}/send_provisioning_email"

    @endpoint(
        Access.ADMIN,
        raises=(RecordNotFound, NoEmailConfigured, ValidationFailed, DeliveryFailed, TooManyRequests),
        guard=Guard(limit="messages"),
    )
    async def post(self, id: Id) -> None:
        """Mail the account a link that sets up one device, with a new `provisioning_token`.

        The token of before ends once the mail was accepted. Return `403` if the account has no e-mail address, `422`
        if it may not use a link now, `503` if the mail was not accepted; nothing is changed then.
        """
        account = await self.accounts.directory.for_admin(id, self.space)
        await self.phones.setup_mails.send(account, self.actor)


class ResetPasswordMailEndpoint(ApiEndpoint):
    """Mails with a link to a new password that an administrator sends."""

    path = "/api/accounts/{id}/send_reset_password_email"

    @endpoint(
        Access.ADMIN,
        raises=(RecordNotFound, NoEmailConfigured, ValidationFailed, DeliveryFailed, TooManyRequests),
        guard=Guard(limit="messages"),
        switch=Switch(_has_panel),
    )
    async def post(self, id: Id) -> None:
        """Mail the account a link to a page on which its owner chooses a new password, once, within 24 hours.

        Return `403` if the account has no e-mail address, `422` if it may not use a link now, `503` if the mail was
        not accepted. The password stays until the link is used.
        """
        account = await self.accounts.directory.for_admin(id, self.space)
        await self.codes.reset_links.send(account, self.actor)
