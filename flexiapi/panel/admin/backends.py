"""The backends that carry mails, SMS and pushes, with test messages to oneself."""

from typing import Annotated

from pydantic import Field

from flexiapi.errors import RecordNotFound
from flexiapi.panel.admin.office_endpoint import OfficeEndpoint, of_operators
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.forms import Choice
from flexiapi.rendering.panel.operation import BackendsPage
from flexiapi.services.fields import Flag, Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply


class BackendsQuery(Params):
    """The choice to ask the backends."""

    check: Annotated[Flag, Field(description="ask each whether it could send now")] = False


class BackendTestForm(Form):
    """A test message."""

    submit = marked("Send a test to me")

    backend: Annotated[Text, Input(marked("Backend"), kind="select")]


class BackendsEndpoint(OfficeEndpoint):
    """The page of the backends."""

    path = "/admin/backends"
    is_checked = False

    @endpoint(Access.ADMIN, hidden=True, requires=of_operators)
    async def get(self, params: BackendsQuery) -> PageReply:
        """Show the backends."""
        self.is_checked = params.check
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True, requires=of_operators)
    async def post(self, body: BackendTestForm) -> PageReply:
        """Send a test message to oneself."""
        await self.phones.backends.send_test(body.backend, self.me)
        return self.see_other(self.path, Done.TEST_SENT)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page."""
        backends = self.phones.backends
        states = await backends.checked() if self.is_checked else backends.states()
        choices = [Choice(one.table, one.table) for one in states]
        form = self.form(BackendTestForm, filled, action=self.path, choices={"backend": choices}) if choices else None
        installed = await backends.installed()
        return self.panel_page(BackendsPage(self.frame(marked("Backends")), form, states, installed, self.is_checked))
