"""Contacts of accounts, as JSON and as vCards."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import Id, Sip, required_address
from flexiapi.api.views.accounts import AccountView
from flexiapi.api.views.contacts import ContactView
from flexiapi.errors import AlreadyAttached, ApiError, NotAttached, RecordNotFound, TooManyRequests, Unavailable
from flexiapi.model import KeyScope
from flexiapi.rendering import vcards
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import VCards

_CARD = (
    "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:individual\r\nIMPP:sip:schoen.tatyana@sip.example.org\r\n"
    "FN:schoen.tatyana@sip.example.org\r\nX-LINPHONE-ACCOUNT-DTMF-PROTOCOL:sipinfo\r\n"
    "X-LINPHONE-ACCOUNT-TYPE:phone\r\nX-LINPHONE-ACCOUNT-ACTION:action_key;123\r\nEND:VCARD\r\n"
)


class MyContactsEndpoint(ApiEndpoint):
    """The contacts of the current user."""

    path = "/api/accounts/me/contacts"

    @endpoint(Access.USER)
    async def get(self) -> list[ContactView]:
        """Return the user contacts, including those on contacts lists."""
        contacts = await self.contacts.links.of_user(self.me)
        data = await self.view_data(*contacts)
        return [ContactView.of(contact, data) for contact in contacts]


class MyContactEndpoint(ApiEndpoint):
    """A contact of the current user."""

    path = "/api/accounts/me/contacts/{sip}"

    @endpoint(Access.USER, raises=(RecordNotFound,))
    async def get(self, sip: Sip) -> ContactView:
        """Return a user contact."""
        contact = await self.contacts.links.one_of_user(self.me, *required_address(sip))
        return ContactView.of(contact, await self.view_data(contact))


class PhoneBookEndpoint(ApiEndpoint):
    """The base class of the endpoints that answer with vCards.

    liblinphone before 5.3 takes any body, whatever the status, for the list of contacts, and forgets the list that it
    had. So failures that pass by themselves have none (decision 0085).
    """

    is_shed = False
    statuses_without_body = (TooManyRequests.status, ApiError.status, Unavailable.status)


class VCardListEndpoint(PhoneBookEndpoint):
    """The contacts of the current user as vCards, for liblinphone."""

    path = "/contacts/vcard"

    @endpoint(Access.USER, example=_CARD)
    async def get(self) -> VCards:
        """Return the authenticated user contacts list, in vCard 4.0 format.

        Without contacts the body is one line end.
        """
        contacts = await self.contacts.links.of_user(self.me)
        return VCards(vcards.cards(contacts, await self.types_of(*contacts)).encode())


class VCardEndpoint(PhoneBookEndpoint):
    """A contact of the current user as a vCard, for liblinphone."""

    path = "/contacts/vcard/{sip}"

    @endpoint(Access.USER, raises=(RecordNotFound,), example=_CARD)
    async def get(self, sip: Sip) -> VCards:
        """Return a specific user authenticated contact, in vCard 4.0 format."""
        contact = await self.contacts.links.one_of_user(self.me, *required_address(sip))
        return VCards(vcards.cards([contact], await self.types_of(contact)).encode())


class AccountContactsEndpoint(ApiEndpoint):
    """The contacts of an account."""

    path = "/api/accounts/{id}/contacts"

    @endpoint(Access.ADMIN, scope=KeyScope.ACCOUNTS_READ, raises=(RecordNotFound,))
    async def get(self, id: Id) -> list[AccountView]:
        """Get all the account contacts, without those on contacts lists."""
        contacts = await self.contacts.links.of(id, self.space)
        data = await self.view_data(*contacts)
        return [AccountView.of(contact, data) for contact in contacts]


class AccountContactEndpoint(ApiEndpoint):
    """A contact of an account."""

    path = "/api/accounts/{id}/contacts/{contact_id}"

    @endpoint(Access.ADMIN, scope=KeyScope.ACCOUNTS_READ, raises=(RecordNotFound,))
    async def get(self, id: Id, contact_id: Id) -> AccountView:
        """Get a contact of the account."""
        contact = await self.contacts.links.one_of(id, contact_id, self.space)
        return AccountView.of(contact, await self.view_data(contact))

    @endpoint(Access.ADMIN, raises=(RecordNotFound, AlreadyAttached))
    async def post(self, id: Id, contact_id: Id) -> None:
        """Add a contact to the list.

        Return `403` if it is a contact already.
        """
        await self.contacts.links.add(id, contact_id, self.actor)

    @endpoint(Access.ADMIN, raises=(RecordNotFound, NotAttached))
    async def delete(self, id: Id, contact_id: Id) -> None:
        """Remove a contact from the list.

        Return `403` if it is not a contact.
        """
        await self.contacts.links.remove(id, contact_id, self.actor)
