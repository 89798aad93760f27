"""The creation of an account by an administrator."""

from dataclasses import replace

from flexiapi.errors import NoExternalAccountLeft, SpaceFull
from flexiapi.panel.admin.account_endpoint import ROLE_AGE
from flexiapi.panel.admin.account_fields import AccountCreationForm
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.frame import FormLink, FormPage
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply


class AccountCreationEndpoint(FormEndpoint):
    """The target of the form, under the path that the original had."""

    path = "/admin/accounts/accounts"

    @endpoint(
        Access.ADMIN,
        raises=(NoExternalAccountLeft, SpaceFull),
        checks=lambda exchange, values: exchange.accounts.rules.creation_faults(values, exchange.space),
        hidden=True,
    )
    async def post(self, body: AccountCreationForm) -> PageReply:
        """Create an account, and hand over its link."""
        if body.role == "admin":
            await self.check_fresh(ROLE_AGE)
        account = await self.accounts.creation.by_admin(
            body.details(self.space), self.actor, activated=body.activated, expires=body.expires_at
        )
        if account.provisioning_token is None:
            await self.phones.provisioning.new_token(account, self.actor, by="admin")
        return self.see_other(f"/admin/accounts/{account.id}/provisioning", Done.ACCOUNT_CREATED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        initial = {"role": "end_user", "activated": False, "algorithm": "SHA-256"}
        form = self.form(AccountCreationForm, filled, action=AccountCreationEndpoint.path, initial=initial)
        hidden = set() if self.space.may_name_domains else {"domain"}
        hidden |= set() if self.settings.account.md5 else {"algorithm"}
        form = replace(form, fields=[one for one in form.fields if one.name not in hidden])
        links = [FormLink("/admin/accounts", marked("All accounts"))]
        return self.panel_page(FormPage(self.frame(marked("Create an account")), form, links=links))


class AccountCreationPageEndpoint(AccountCreationEndpoint):
    """The page with the form."""

    path = "/admin/accounts/create"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show the form."""
        return await self.show()
