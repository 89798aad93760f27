"""Codes of new addresses that are sent again, and changes of addresses that are given up."""

from flexiapi.errors import RecordNotFound
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled
from flexiapi.panel.user.addresses import AddressEndpoint, CancelChangeForm, EmailPages, PhonePages, ResendCodeForm
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard
from flexiapi.web.replies import PageReply


class ResendingPages(AddressEndpoint):
    """The base class of the endpoints that send a code again."""

    async def resend(self) -> PageReply:
        """Send another code. Raises `RecordNotFound`, `TooManyRequests`, `DeliveryFailed`."""
        await self.codes.address_changes.resend(self.me, self.channel, self.actor)
        return self.see_other(f"/{self.channel}/validate", Done.CODE_SENT)

    async def cancel(self) -> PageReply:
        """Give up the change."""
        await self.codes.address_changes.cancel(self.me, self.channel, self.actor)
        return self.see_other("/dashboard", Done.CHANGE_CANCELLED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page of the code, with what was wrong."""
        return await self.code_again(filled)


class EmailResendingEndpoint(ResendingPages, EmailPages):
    """Another code to the new e-mail address."""

    path = "/email/resend"

    @endpoint(Access.USER, hidden=True, raises=(RecordNotFound,), guard=Guard(limit="messages"))
    async def post(self, body: ResendCodeForm) -> PageReply:
        """Send another code."""
        del body
        return await self.resend()


class PhoneResendingEndpoint(ResendingPages, PhonePages):
    """Another code to the new phone number."""

    path = "/phone/resend"

    @endpoint(Access.USER, hidden=True, raises=(RecordNotFound,), guard=Guard(limit="messages"))
    async def post(self, body: ResendCodeForm) -> PageReply:
        """Send another code."""
        del body
        return await self.resend()


class EmailCancellationEndpoint(ResendingPages, EmailPages):
    """The end of a change of the e-mail address."""

    path = "/email/cancel"

    @endpoint(Access.USER, hidden=True)
    async def post(self, body: CancelChangeForm) -> PageReply:
        """Give up the change."""
        del body
        return await self.cancel()


class PhoneCancellationEndpoint(ResendingPages, PhonePages):
    """The end of a change of the phone number."""

    path = "/phone/cancel"

    @endpoint(Access.USER, hidden=True)
    async def post(self, body: CancelChangeForm) -> PageReply:
        """Give up the change."""
        del body
        return await self.cancel()
