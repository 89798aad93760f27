"""Text messages that administrators send."""

from typing import Annotated, Any

from flexiapi.errors import FieldErrors, RouteNotFound
from flexiapi.panel.admin.office_endpoint import OfficeEndpoint
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import MessagesPage
from flexiapi.services.fields import Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard
from flexiapi.web.replies import PageReply


class MessageForm(Form):
    """A text message."""

    submit = marked("Send")

    to: Annotated[Text, Input(marked("To"), hint=marked("A SIP address of this service, such as sip:bob@example.org"))]
    body: Annotated[Text, Input(marked("Message"), kind="textarea")]


async def _faults(exchange: Any, values: Any) -> FieldErrors:
    faults: FieldErrors = await exchange.phones.messages.faults(values, exchange.space)
    return faults


class MessagesPageEndpoint(OfficeEndpoint):
    """The page that sends a message."""

    path = "/admin/messages"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show the form."""
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RouteNotFound,), hidden=True, checks=_faults, guard=Guard(limit="messages"))
    async def post(self, body: MessageForm) -> PageReply:
        """Send the message."""
        await self.phones.messages.send(body.to, body.body)
        return self.see_other(self.path, Done.MESSAGE_ON_ITS_WAY)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        form = self.form(MessageForm, filled, action=self.path) if self.phones.messages.is_enabled else None
        return self.panel_page(MessagesPage(self.frame(marked("Messages")), form))
