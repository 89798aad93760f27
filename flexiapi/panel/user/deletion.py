"""The deletion of one's own account."""

from typing import Annotated

from flexiapi.errors import LastAdmin, RecordNotFound, ValidationFailed
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import FormEndpoint, PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.frame import FormLink, MessagePage
from flexiapi.rendering.panel.user import DeletionPage
from flexiapi.services.fields import Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply


class DeleteAccountForm(Form):
    """The deletion of the account, whose address is typed as a confirmation."""

    submit = marked("Delete my account")
    is_dangerous = True

    identifier: Annotated[Text, Input(marked("Address of your account"), hint=marked("Type it to confirm."))]


class DeletionEndpoint(FormEndpoint):
    """The deletion, confirmed by the address."""

    path = "/delete"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show what is deleted, and the form."""
        return await self.show()

    @endpoint(Access.USER, hidden=True, fresh=10, raises=(LastAdmin, RecordNotFound))
    async def post(self, body: DeleteAccountForm) -> PageReply:
        """Delete the account, and end all its sign-ins."""
        if body.identifier.lower().removeprefix("sip:") != self.me.address:
            raise ValidationFailed({"identifier": ["identifier is not the address of this account"]})
        await self.accounts.removal.remove(self.me, self.actor)
        return self.see_other("/goodbye", cookies=[self.new_cookie("flexiapi", "", 0)])

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        days = self.settings.account.tombstone_days
        form = self.form(DeleteAccountForm, filled, action=self.path)
        page = DeletionPage(self.frame(marked("Delete your account")), form, self.me.address, days)
        return self.panel_page(page)


class GoodbyeEndpoint(PanelEndpoint):
    """The page after a deletion."""

    path = "/goodbye"

    @endpoint(Access.PUBLIC, hidden=True)
    async def get(self) -> PageReply:
        """Say that the account is deleted."""
        text = marked("Your account is deleted, and all your devices are signed out.")
        page = MessagePage(self.frame(marked("Goodbye")), text, [FormLink("/login", marked("Sign in"))])
        return self.panel_page(page)
