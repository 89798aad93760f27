"""Contacts and contacts lists."""

from dataclasses import dataclass

from flexiapi.services.accounts import AccountDirectory, ForwardedContacts
from flexiapi.services.contacts.cards import Cards, CardTaken
from flexiapi.services.contacts.links import ContactLinks
from flexiapi.services.contacts.lists import ContactsLists
from flexiapi.services.ground import Ground

__all__ = ["ContactLinks", "ContactServices", "build"]
__all__ = ["CardTaken", "ContactServices", "build"]


@dataclass(frozen=True, slots=True)
class ContactServices:
    """The services of this wing."""

    links: ContactLinks
    lists: ContactsLists
    cards: Cards


def build(ground: Ground, accounts: AccountDirectory, forwarded_contacts: ForwardedContacts) -> ContactServices:
    """Make the services of this wing."""
    return ContactServices(
        links=ContactLinks(ground.store, accounts, forwarded_contacts),
        lists=ContactsLists(ground.store, accounts, forwarded_contacts),
        cards=Cards(ground),
    )
