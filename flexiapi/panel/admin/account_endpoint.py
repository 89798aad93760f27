"""The base classes of the pages about one account."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from flexiapi.model import Account
from flexiapi.panel.forms import EMPTY, Filled, Form
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.accounts import AccountConfirmPage, OneFormPage
from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import FormLink
from flexiapi.web.operation import Segment
from flexiapi.web.replies import PageReply

Id = Annotated[int, Segment("[0-9]{1,18}", "12", "the id of an account")]
ROLE_AGE = timedelta(minutes=10)
"""Age of the last proof of identity that changes of administrators accept."""

ItemId = Annotated[int, Segment("[0-9]{1,18}", "3", "an id")]


class AccountFormEndpoint(FormEndpoint):
    """The base class of the pages about one account, which administrators of its space see."""

    async def account(self) -> Account:
        """Return the account in the path. Raises `RecordNotFound`."""
        return await self.accounts.directory.for_admin(self.arguments["id"], self.space)

    async def check_may_change(self, account: Account) -> None:
        """Demand a proof of the last minutes for an administrator's account: a way into it is a way to the role."""
        if account.is_admin:
            await self.check_fresh(ROLE_AGE)

    def place_of(self, account: Account, tab: str = "") -> str:
        """Return the path of a page of an account."""
        return f"/admin/accounts/{account.id}" + (f"/{tab}" if tab else "")

    def form_page(
        self,
        account: Account,
        form: FormView,
        *,
        title: str,
        lead: Sequence[str] = (),
        intro: Sequence[str] = (),
        tab: str = "",
    ) -> PageReply:
        """Return a page with a form about an account, or `lead` in place of it, which leads back to a tab."""
        back = FormLink(self.place_of(account, tab), marked("Go back without a change"))
        return self.panel_page(OneFormPage(self.frame(title), form, account, back, lead, intro))

    def is_mine(self, account: Account) -> bool:
        """Return whether the account is one's own."""
        return account.id == self.me.id


class Confirmed(Form):
    """The button that does what the page says."""


class ConfirmedEndpoint(AccountFormEndpoint):
    """The base class of pages with a button that does something, which their GET never does."""

    def confirmation(
        self,
        account: Account,
        filled: Filled = EMPTY,
        *,
        title: str,
        lead: Sequence[str],
        submit: str,
        tab: str = "",
        subject: str = "",
        is_dangerous: bool = True,
    ) -> PageReply:
        """Return the page; `subject` is what is changed, if it is not the account itself."""
        form = self.form(Confirmed, filled, action=self.place.partition("?")[0])
        form = replace(form, submit=submit, is_dangerous=is_dangerous)
        back = FormLink(self.place_of(account, tab), marked("Go back without a change"))
        return self.panel_page(AccountConfirmPage(self.frame(title), form, account, lead, subject, back))
