"""Views of contacts and contacts lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from flexiapi.api.views.accounts import AccountId, ActionView, Activated, TypeView, ViewData
from flexiapi.model import AsContact, ContactsList


@dataclass(kw_only=True)
class ContactView:
    """A contact as a user sees it."""

    id: AccountId
    username: str
    domain: str
    activated: Activated
    dtmf_protocol: str | None
    realm: str | None
    phone: str | None
    confirmation_key_expires: Annotated[str | None, Field(examples=[None])]
    types: list[TypeView]
    actions: list[ActionView]

    @classmethod
    def of(cls, contact: AsContact, data: ViewData) -> "ContactView":
        """Return the view of a contact."""
        return cls(
            id=contact.id,
            username=contact.username,
            domain=contact.domain,
            activated=contact.activated,
            dtmf_protocol=contact.dtmf_protocol,
            realm=data.realm_of(contact),
            phone=contact.phone,
            confirmation_key_expires=None,
            types=TypeView.all_of(contact, data.types),
            actions=ActionView.all_of(contact),
        )


@dataclass(kw_only=True)
class ContactsListTexts:
    """The fields of a contacts list that every view has."""

    id: int
    title: str
    description: str
    contacts_count: int

    @staticmethod
    def fields_of(contacts_list: ContactsList) -> dict[str, Any]:
        """Return the values of these fields."""
        return {
            "id": contacts_list.id,
            "title": contacts_list.title,
            "description": contacts_list.description,
            "contacts_count": len(contacts_list.contact_ids),
        }


@dataclass(kw_only=True)
class ListedContactsList(ContactsListTexts):
    """A list, by its texts."""

    @classmethod
    def of(cls, contacts_list: ContactsList) -> "ListedContactsList":
        """Return the view of a list."""
        return cls(**cls.fields_of(contacts_list))


@dataclass(kw_only=True)
class ContactsListView(ContactsListTexts):
    """A list with its contacts."""

    contacts: list[ContactView]

    @classmethod
    def of(cls, contacts_list: ContactsList, contacts: Sequence[AsContact], data: ViewData) -> "ContactsListView":
        """Return the view of a list with the given contacts."""
        return cls(
            **cls.fields_of(contacts_list),
            contacts=[ContactView.of(contact, data) for contact in contacts],
        )
