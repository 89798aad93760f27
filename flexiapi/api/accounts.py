"""Accounts as administrators handle them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from flexiapi.api.fields import (
    Algorithm,
    DisplayName,
    Domain,
    DtmfProtocol,
    Email,
    Expiry,
    Flag,
    Id,
    Password,
    Phone,
    Username,
)
from flexiapi.api.handler import Handler
from flexiapi.api.views import ProvisionedAccount, SingleAccount, WrittenAccount
from flexiapi.errors import NoExternalAccountLeft, RecordNotFound
from flexiapi.services.creation import NewAccount
from flexiapi.web.endpoint import Access, endpoint
from flexiapi.web.parameters import Errors, Params

AdminFlag = Annotated[Flag, Field(description="make it an administrator; `false` by default")]


class AccountCreation(Params):
    """An account that an administrator makes."""

    username: Username
    password: Password
    algorithm: Algorithm
    domain: Domain | None = None
    activated: Annotated[Flag, Field(description="`false` by default")] | None = None
    display_name: DisplayName | None = None
    email: Email | None = None
    admin: AdminFlag | None = None
    phone: Phone | None = None
    dtmf_protocol: DtmfProtocol | None = None
    confirmation_key_expires: Expiry | None = None

    @property
    def expires(self) -> datetime | None:
        """Until when the confirmation key may be used."""
        return self.confirmation_key_expires


async def _conflicts(handler: Handler, values: Mapping[str, Any]) -> Errors:
    domain = handler.services.accounts.domain_for_admin(values.get("domain"))
    return await handler.services.creation.conflicts(values, domain, public=False)


class Accounts(Handler):
    """All of them."""

    path = "/api/accounts"

    @endpoint(Access.ADMIN, raises=(NoExternalAccountLeft,), check=_conflicts, secret=True)
    async def post(self, body: AccountCreation) -> WrittenAccount:
        """Create an account directly from the API.

        If `activated` is set to `false` a random generated `confirmation_key` and `provisioning_token` will be
        returned to allow further activation using the public endpoints and provision the account. Check
        `confirmation_key_expires` to also set an expiration date on that `confirmation_key`.
        """
        new = NewAccount(
            username=body.username,
            domain=self.services.accounts.domain_for_admin(body.domain),
            password=body.password,
            algorithm=body.algorithm,
            email=body.email,
            phone=body.phone,
            display_name=body.display_name,
            dtmf_protocol=body.dtmf_protocol,
            activated=bool(body.activated),
            admin=bool(body.admin),
        )
        return self.views.written(await self.services.creation.by_admin(new, self.origin, body.expires), {})


class AccountById(Handler):
    """One of them."""

    path = "/api/accounts/{id}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), secret=True)
    async def get(self, id: Id) -> SingleAccount:  # noqa: A002  # the document's name for it
        """Retrieve a specific account."""
        account = await self.services.accounts.for_admin(id)
        return self.views.single(account, await self.types_of(account))


class AccountProvisioning(Handler):
    """A token that provisions a device of the account."""

    path = "/api/accounts/{id}/provision"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), secret=True, effects=True)
    async def get(self, id: Id) -> ProvisionedAccount:  # noqa: A002  # the document's name for it
        """Provision an account by generating a fresh `provisioning_token`."""
        account = await self.services.provisioning.new_token(await self.services.accounts.for_admin(id))
        return self.views.provisioned(account, await self.types_of(account))
