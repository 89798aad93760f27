"""One's own contacts: those given directly, and those on contacts lists."""

from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering import vcards
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.user import ContactGroup, ContactLine, ContactsPage
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply, VCards

_MOST_NAMES = 100


class ContactsPageEndpoint(PanelEndpoint):
    """The contacts, by their lists."""

    path = "/contacts"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show the contacts."""
        found = await self.contacts.links.of_user(self.me)
        by_id = {one.id: ContactLine(one.address, one.display_name, one.phone) for one in found}
        lists = await self.contacts.lists.of(self.me)
        groups = [
            ContactGroup(one.title, one.description, [by_id[each] for each in one.contact_ids if each in by_id])
            for one in lists
        ]
        direct = [by_id[each] for each in self.me.contact_ids if each in by_id]
        names = await self.contacts.cards.names(self.me)
        frame = self.frame(marked("My contacts"))
        return self.panel_page(ContactsPage(frame, direct, groups, len(found), names[:_MOST_NAMES], len(names)))


class ContactsFileEndpoint(PanelEndpoint):
    """The contacts as a file for an address book."""

    path = "/contacts.vcf"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> VCards:
        """Return the contacts as vCards."""
        found = await self.contacts.links.of_user(self.me)
        cards = vcards.cards(found, await self.accounts.types.of(found))
        headers = [("Content-Disposition", 'attachment; filename="contacts.vcf"'), ("Cache-Control", "no-store")]
        return VCards(cards.encode(), headers)


class StoredCardsFileEndpoint(PanelEndpoint):
    """The vCards that apps stored, as a file for an address book."""

    path = "/contacts/stored.vcf"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> VCards:
        """Return the vCards; a single line end for none, as for apps."""
        text = "".join(stored.card.text for stored in await self.contacts.cards.of(self.me)) or "\n"
        headers = [("Content-Disposition", 'attachment; filename="stored.vcf"'), ("Cache-Control", "no-store")]
        return VCards(text.replace("\n", "\r\n").encode(), headers)
