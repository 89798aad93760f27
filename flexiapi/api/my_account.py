"""The account of the current user."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.views.accounts import AccountView, ProvisionedAccount
from flexiapi.errors import LastAdmin, RecordNotFound
from flexiapi.services.fields import Algorithm, OldPassword, Password
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params


class PasswordChange(Params):
    """A new password."""

    algorithm: Algorithm
    password: Password
    old_password: OldPassword | None = None


class MeEndpoint(ApiEndpoint):
    """The account of the current user."""

    path = "/api/accounts/me"

    @endpoint(Access.USER)
    async def get(self) -> AccountView:
        """Retrieve the account information."""
        return AccountView.of(self.me, await self.view_data(self.me))

    @endpoint(Access.USER, raises=(LastAdmin, RecordNotFound))
    async def delete(self) -> None:
        """Delete the account."""
        await self.accounts.removal.remove(self.me, self.actor)


class MyProvisioningEndpoint(ApiEndpoint):
    """The provisioning token of the current user."""

    path = "/api/accounts/me/provision"

    @endpoint(Access.USER, raises=(RecordNotFound,), secret=True, effects=True)
    async def get(self) -> ProvisionedAccount:
        """Provision the account by generating a fresh `provisioning_token`.

        Return the account object. The token takes the place of the one before, and works once, for
        `account.provisioning_token_hours`, 720 hours by default.
        """
        account = await self.phones.provisioning.new_token(self.me, self.actor)
        return ProvisionedAccount.of(account, await self.view_data(account))


class MyPasswordEndpoint(ApiEndpoint):
    """The password of the current user."""

    path = "/api/accounts/me/password"

    @endpoint(
        Access.USER,
        raises=(RecordNotFound,),
        checks=lambda exchange, values: exchange.accounts.rules.password_faults(exchange.me, values),
    )
    async def post(self, body: PasswordChange) -> None:
        """Change the account password.

        All sign-ins with the old password or an API key end, except the API key that authenticated this request.
        """
        by_key = self.signed_in.key_hash is not None
        service = self.sign_in.my_password
        await service.change(self.me, body.algorithm, body.password, body.old_password, self.actor, keeps_key=by_key)
