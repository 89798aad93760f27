"""The signed-in account's e-mail address and phone number."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.views.accounts import AccountView
from flexiapi.errors import DeliveryFailed, RecordNotFound, TooManyRequests, WrongCode
from flexiapi.services.fields import Email, Phone, Pin
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard
from flexiapi.web.parameters import Params


class EmailChange(Params):
    """Another address."""

    email: Email


class PhoneChange(Params):
    """Another number."""

    phone: Phone


class ChangeConfirmation(Params):
    """The PIN that was sent to the new address or number."""

    code: Pin


class MyEmailRequestEndpoint(ApiEndpoint):
    """A change of address that is asked for."""

    path = "/api/accounts/me/email/request"

    @endpoint(
        Access.USER,
        raises=(RecordNotFound, DeliveryFailed, TooManyRequests),
        checks=lambda exchange, values: exchange.services.my_addresses.faults(exchange.me, values),
        guard=Guard(limit="messages"),
    )
    async def post(self, body: EmailChange) -> None:
        """Change the account email. An email will be sent to the new email address to confirm the operation."""
        await self.services.my_addresses.request_email(self.me, body.email)


class MyEmailEndpoint(ApiEndpoint):
    """A change of address that is confirmed."""

    path = "/api/accounts/me/email"

    @endpoint(Access.USER, raises=(RecordNotFound, WrongCode, TooManyRequests), guard=Guard(guess=True))
    async def post(self, body: ChangeConfirmation) -> AccountView:
        """Confirm the code received by email and change the address.

        Return `404` if no change is pending, `403` if the code is wrong: the change is gone after three tries.
        """
        account = await self.services.my_addresses.confirm_email(self.me, body.code)
        return AccountView.of(account, await self.view_data(account))


class MyPhoneRequestEndpoint(ApiEndpoint):
    """A change of number that is asked for."""

    path = "/api/accounts/me/phone/request"

    @endpoint(
        Access.USER,
        raises=(RecordNotFound, DeliveryFailed, TooManyRequests),
        checks=lambda exchange, values: exchange.services.my_addresses.faults(exchange.me, values),
        guard=Guard(limit="messages"),
    )
    async def post(self, body: PhoneChange) -> None:
        """Request a specific code by SMS to change the phone number."""
        await self.services.my_addresses.request_phone(self.me, body.phone)


class MyPhoneEndpoint(ApiEndpoint):
    """A change of number that is confirmed."""

    path = "/api/accounts/me/phone"

    @endpoint(Access.USER, raises=(RecordNotFound, WrongCode, TooManyRequests), guard=Guard(guess=True))
    async def post(self, body: ChangeConfirmation) -> AccountView:
        """Confirm the code received and change the phone number. Activate the account.

        Return `404` if no change is pending, `403` if the code is wrong: the change is gone then.
        """
        account = await self.services.my_addresses.confirm_phone(self.me, body.code)
        return AccountView.of(account, await self.view_data(account))
