"""E-mail address and phone number of the current user."""

from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.views.accounts import AccountView
from flexiapi.errors import DeliveryFailed, RecordNotFound, TooManyRequests, WrongCode
from flexiapi.services.fields import CodeChannel, Email, Phone, Pin
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard
from flexiapi.web.parameters import Params


class EmailChange(Params):
    """A new e-mail address."""

    email: Annotated[
        Email, Field(description="the new e-mail address, must be unique if `account.email_unique` is set")
    ]


class PhoneChange(Params):
    """A new phone number."""

    phone: Annotated[Phone, Field(description="the phone number to send the SMS")]
    channel: CodeChannel = "sms"


class ChangeConfirmation(Params):
    """The PIN that was sent to the new address or number."""

    code: Pin


class MyEmailRequestEndpoint(ApiEndpoint):
    """Requests to change the e-mail address."""

    path = "/api/accounts/me/email/request"

    @endpoint(
        Access.USER,
        raises=(RecordNotFound, DeliveryFailed, TooManyRequests),
        checks=lambda exchange, values: exchange.codes.address_changes.faults(exchange.me, values),
        guard=Guard(limit="messages"),
    )
    async def post(self, body: EmailChange) -> None:
        """Change the account email. An email will be sent to the new email address to confirm the operation."""
        await self.codes.address_changes.request_email(self.me, body.email, self.actor)


class MyEmailEndpoint(ApiEndpoint):
    """The e-mail address of the current user."""

    path = "/api/accounts/me/email"

    @endpoint(Access.USER, raises=(RecordNotFound, WrongCode, TooManyRequests), guard=Guard(guess=True))
    async def post(self, body: ChangeConfirmation) -> AccountView:
        """Confirm the code received by email and change the address.

        Return `404` if no change is pending, `403` if the code is wrong. The third wrong code cancels the change.
        """
        account = await self.codes.address_changes.confirm_email(self.me, body.code, self.actor)
        return AccountView.of(account, await self.view_data(account))


class MyPhoneRequestEndpoint(ApiEndpoint):
    """Requests to change the phone number."""

    path = "/api/accounts/me/phone/request"

    @endpoint(
        Access.USER,
        raises=(RecordNotFound, DeliveryFailed, TooManyRequests),
        checks=lambda exchange, values: exchange.codes.address_changes.faults(exchange.me, values),
        guard=Guard(limit="messages"),
    )
    async def post(self, body: PhoneChange) -> None:
        """Request a specific code by SMS to change the phone number.

        The number is a claim until the code is confirmed: only then it is the account's.
        """
        await self.codes.address_changes.request_phone(self.me, body.phone, self.actor, channel=body.channel)


class MyPhoneEndpoint(ApiEndpoint):
    """The phone number of the current user."""

    path = "/api/accounts/me/phone"

    @endpoint(Access.USER, raises=(RecordNotFound, WrongCode, TooManyRequests), guard=Guard(guess=True))
    async def post(self, body: ChangeConfirmation) -> AccountView:
        """Confirm the code received and change the phone number. Activate the account.

        Return `404` if no change is pending, `403` if the code is wrong. The third wrong code cancels the change.
        """
        account = await self.codes.address_changes.confirm_phone(self.me, body.code, self.actor)
        return AccountView.of(account, await self.view_data(account))
