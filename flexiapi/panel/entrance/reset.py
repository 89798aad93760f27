"""The page of a mailed link to a new password."""

from collections.abc import Mapping
from typing import Annotated, Any

from flexiapi.errors import FieldErrors, RecordNotFound
from flexiapi.panel.done import Done
from flexiapi.panel.entrance.fields import PASSWORD_AGAIN, Token, check_same
from flexiapi.panel.forms import EMPTY, Filled, Input, PublicForm
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.entrance import AccountFormPage
from flexiapi.rendering.panel.frame import FormLink, MessagePage
from flexiapi.services.fields import Password, Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard
from flexiapi.web.replies import PageReply


class ResetForm(PublicForm):
    """A new password, by the token of a link."""

    submit = marked("Set the password")

    token: Annotated[Text, Input("", kind="hidden")]
    password: Annotated[Password, Input(marked("New password"), kind="password", autocomplete="new-password")]
    password_confirmation: Annotated[Text, PASSWORD_AGAIN]

    @classmethod
    def cross_check(cls, values: Mapping[str, Any], errors: FieldErrors) -> None:
        """Require the same password twice."""
        check_same(values, errors)


async def _faults(exchange: "ResetEndpoint", values: Mapping[str, Any]) -> FieldErrors:
    """Check the password against the names of the account. A link that is dead is told by the call."""
    try:
        account = await exchange.codes.reset_links.holder(values.get("token", ""), exchange.space)
    except RecordNotFound:
        return {}
    return await exchange.accounts.rules.password_faults(account, {"password": values.get("password", "")})


class ResetEndpoint(FormEndpoint):
    """The target of the form."""

    path = "/reset_password"

    @endpoint(Access.PUBLIC, hidden=True, secret=True, checks=_faults, guard=Guard(guess=True))
    async def post(self, body: ResetForm) -> PageReply:
        """Set the password that the holder of the link chose. It ends the link, and everything that signs in."""
        try:
            await self.codes.reset_links.use(body.token, body.password, self.actor)
        except RecordNotFound:
            return self.dead()
        return self.see_other("/login", Done.PASSWORD_SET)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form, or the page that says that the link is dead."""
        token = str(filled.values.get("token", ""))
        try:
            account = await self.codes.reset_links.holder(token, self.space)
        except RecordNotFound:
            return self.dead()
        form = self.form(ResetForm, filled, action="/reset_password")
        lead = [marked("Choose a new password. It signs out all devices of the account.")]
        return self.panel_page(AccountFormPage(self.frame(marked("New password")), account.address, form, lead))

    def dead(self) -> PageReply:
        """Return the page for a link that does not work, which counts as a wrong guess."""
        text = marked("This link was used already, has expired, or was copied incompletely. Ask for a new one.")
        links = [FormLink("/recover/email", marked("Ask for a new link"))]
        page = self.panel_page(MessagePage(self.frame(marked("This link does not work any more")), text, links), 404)
        page.is_wrong_guess = True
        return page


class ResetLinkEndpoint(ResetEndpoint):
    """The page of the link."""

    path = "/reset_password/{token}"

    @endpoint(Access.PUBLIC, hidden=True, secret=True, guard=Guard(guess=True))
    async def get(self, token: Token) -> PageReply:
        """Show the form, without using the link up."""
        return await self.show(Filled({"token": token}))
