"""Contacts and contacts lists."""

from dataclasses import dataclass

from flexiapi.services.accounts import AccountDirectory
from flexiapi.services.contacts.cards import Cards, CardTaken
from flexiapi.services.contacts.links import ContactLinks
from flexiapi.services.contacts.lists import ContactsLists
from flexiapi.services.ground import Ground

__all__ = ["CardTaken", "ContactServices", "build"]


@dataclass(frozen=True, slots=True)
class ContactServices:
    """The services of this wing."""

    links: ContactLinks
    lists: ContactsLists
    cards: Cards


def build(ground: Ground, accounts: AccountDirectory) -> ContactServices:
    """Make the services of this wing."""
    return ContactServices(
        links=ContactLinks(ground.store, accounts),
        lists=ContactsLists(ground.store, accounts),
        cards=Cards(ground),
    )
