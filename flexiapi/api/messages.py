"""Text messages to SIP users."""

from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.views.messages import SentMessage
from flexiapi.errors import RouteNotFound, SipUnavailable
from flexiapi.services.fields import Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard, Switch
from flexiapi.web.parameters import Params


class NewMessage(Params):
    """A message to send."""

    to: Annotated[Text, Field(description="SIP address of the receiver", examples=["sip:bob@sip.example.org"])]
    body: Annotated[Text, Field(description="content of the message, at most 16 KiB", examples=["Hello Bob"])]


class MessagesEndpoint(ApiEndpoint):
    """Outgoing messages. The endpoint exists if a sender of messages is configured."""

    path = "/api/messages"

    @endpoint(
        Access.ADMIN,
        raises=(SipUnavailable,),
        switch=Switch(lambda exchange: exchange.phones.messages.is_enabled, off=RouteNotFound),
        checks=lambda exchange, values: exchange.phones.messages.faults(values, exchange.space),
        guard=Guard(limit="messages"),
    )
    async def post(self, body: NewMessage) -> SentMessage:
        """Send a message over SIP. The `id` is the Call-ID of the request."""
        return SentMessage(id=await self.phones.messages.send(body.to, body.body))
