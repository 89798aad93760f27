"""The pages of one account, in tabs."""

from base64 import b64encode
from dataclasses import replace

from flexiapi.crypto.keys import opened
from flexiapi.errors import LastAdmin, ProvisioningFailed, RecordNotFound, SpaceFull, Unavailable
from flexiapi.model import Account
from flexiapi.panel.admin.account_endpoint import ROLE_AGE, AccountFormEndpoint, Id
from flexiapi.panel.admin.account_fields import AccountEditForm, form_values
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled
from flexiapi.panel.forwarding_lines import forwarding_line
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.accounts import (
    AccountFinding,
    ActivityTab,
    ContactsTab,
    DevicesTab,
    InformationTab,
    ProvisioningTab,
    SetupLink,
)
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply


class InformationTabEndpoint(AccountFormEndpoint):
    """The first page of an account: its values."""

    path = "/admin/accounts/{id}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show what the account is."""
        del id
        return await self.show()

    @endpoint(
        Access.ADMIN,
        raises=(RecordNotFound, LastAdmin, SpaceFull),
        checks=lambda exchange, values: exchange.accounts.rules.amendment_faults(
            exchange.arguments["id"], values, exchange.space
        ),
        hidden=True,
    )
    async def post(self, id: Id, body: AccountEditForm) -> PageReply:
        """Change what differs. Another password, user name or domain signs the account out everywhere."""
        account = await self.account()
        new = body.amendments(account, self.space)
        if new:
            await self.check_may_change(account)
        if "admin" in new:
            await self.check_fresh(ROLE_AGE)
        changed = await self.accounts.administration.amend(id, new, self.actor)
        cookies = []
        if self.is_mine(account) and changed.sign_in_epoch != account.sign_in_epoch:
            renewed = await self.sign_in.sessions.renew(self.signed_in.session, changed, self.actor)
            cookies = [self.session_cookie(renewed)]
        return self.see_other(self.place_of(changed), Done.ACCOUNT_CHANGED, cookies=cookies)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page."""
        account = await self.account()
        types = await self.accounts.types.of([account])
        form = self.form(AccountEditForm, filled, action=self.place_of(account), initial=form_values(account))
        if not self.space.may_name_domains:
            form = replace(form, fields=[one for one in form.fields if one.name != "domain"])
        page = InformationTab(
            self.frame(account.address),
            account,
            self.is_mine(account),
            form,
            types.get(account.id, ()),
            [forwarding_line(one) for one in await self.calls.forwarding.of(account)],
        )
        return self.panel_page(page)


class AccountEditEndpoint(AccountFormEndpoint):
    """The path that the values had in the original."""

    path = "/admin/accounts/{id}/edit"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Go to the account."""
        del id
        return self.see_other(self.place_of(await self.account()))


class ContactsTabEndpoint(AccountFormEndpoint):
    """The contacts of an account."""

    path = "/admin/accounts/{id}/contacts"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show the contacts and contacts lists of the account."""
        del id
        account = await self.account()
        lists = await self.contacts.lists.all(self.accounts.directory.space_of(account))
        page = ContactsTab(
            self.frame(account.address),
            account,
            self.is_mine(account),
            await self.contacts.links.of(account.id, self.space),
            [one for one in lists if one.id in account.contacts_list_ids],
        )
        return self.panel_page(page)


class ProvisioningTabEndpoint(AccountFormEndpoint):
    """The provisioning link of an account."""

    path = "/admin/accounts/{id}/provisioning"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show the link, and what happened to the one before."""
        del id
        account = await self.account()
        content, failure = self._content(account)
        page = ProvisioningTab(
            self.frame(account.address),
            account,
            self.is_mine(account),
            await self._link(account),
            self.phones.provisioning.ends_at(account),
            content,
            failure,
            await self.phones.fetches.of(account),
        )
        return self.panel_page(page)

    def _content(self, account: Account) -> tuple[list[tuple[str, str, str | None]], str | None]:
        """Return what a phone is given, or why that is not known."""
        try:
            entries = self.phones.provisioning.content(account)
        except ProvisioningFailed as error:
            return [], error.message
        return [(one.section, one.name, one.value) for one in entries], None

    async def _link(self, account: Account) -> SetupLink | None:
        if account.provisioning_token is None:
            return None
        space = self.accounts.directory.space_of(account)
        try:
            token = opened(account.provisioning_token)
            offer = await self.phones.provisioning.offer(token, space, reset_password=False)
        except RecordNotFound:
            return None
        return SetupLink(offer.url, f"data:image/png;base64,{b64encode(offer.image).decode()}")


class DevicesTabEndpoint(AccountFormEndpoint):
    """The devices of an account."""

    path = "/admin/accounts/{id}/devices"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show the devices that are registered now."""
        del id
        account = await self.account()
        frame, mine = self.frame(account.address), self.is_mine(account)
        try:
            devices = await self.phones.devices.of(account)
        except Unavailable as error:
            return self.panel_page(DevicesTab(frame, account, mine, (), error.message), error.status)
        failure = None if self.phones.devices.is_known else marked("No registrar is configured, see [redis].")
        return self.panel_page(DevicesTab(frame, account, mine, devices, failure))


class ActivityTabEndpoint(AccountFormEndpoint):
    """The activity of an account, and findings about what keeps it from its uses."""

    path = "/admin/accounts/{id}/activity"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id) -> PageReply:
        """Show findings, pending codes, sessions and changes."""
        del id
        account = await self.account()
        findings = await self.accounts.diagnosis.of(account)
        page = ActivityTab(
            self.frame(account.address),
            account,
            self.is_mine(account),
            [AccountFinding(one.topic, one.reason, one.advice) for one in findings],
            await self.sign_in.sessions.of(account),
            await self.accounts.activity.of(account),
        )
        return self.panel_page(page)
