"""Links that set up a phone with one's own account."""

from base64 import b64encode

from flexiapi.crypto.keys import opened
from flexiapi.errors import ProvisioningFailed
from flexiapi.model import Account, UserAgent
from flexiapi.panel.forms import EMPTY, Filled, Form
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.phones import FetchView, GivenLine, LinkView, ProvisionPage
from flexiapi.services.phones import ProvisionedEntry
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_PAGE = "/provision"

_WORDS = {
    "reg_identity": marked("SIP address"),
    "reg_proxy": marked("SIP server"),
    "reg_route": marked("SIP proxy"),
    "reg_sendregister": marked("Registers at the server"),
    "reg_expires": marked("Life of a registration, in seconds"),
    "username": marked("User name"),
    "domain": marked("Domain"),
    "realm": marked("Realm"),
    "algorithm": marked("Kind of the password's hash"),
    "ha1": marked("Hash of the password"),
    "contacts-vcard-list": marked("Address of the contacts"),
}


class NewLinkForm(Form):
    """A new link in place of the one before."""

    submit = marked("Make a new link")


class ProvisionPageEndpoint(FormEndpoint):
    """A link that sets up a phone once: what it is for, what it contains, and what became of the last one."""

    path = _PAGE

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show what became of the last link, and what a phone is given."""
        return await self.show()

    @endpoint(Access.USER, hidden=True, secret=True, fresh=10)
    async def post(self, body: NewLinkForm) -> PageReply:
        """Make a link and show it."""
        del body
        account = await self.phones.provisioning.new_token(self.me, self.actor)
        return self._page(account, EMPTY, await self._link(account))

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page without a link."""
        return self._page(self.me, filled, None)

    async def _link(self, account: Account) -> LinkView:
        assert account.provisioning_token is not None
        token = opened(account.provisioning_token)
        offer = await self.phones.provisioning.offer(token, self.space, reset_password=False)
        image = f"data:image/png;base64,{b64encode(offer.image).decode()}"
        return LinkView(offer.url, image, offer.app_link)

    def _page(self, account: Account, filled: Filled, link: LinkView | None) -> PageReply:
        provisioning, fetch = self.phones.provisioning, account.last_provisioning
        try:
            content, failure = [_line(one) for one in provisioning.content(account)], None
        except ProvisioningFailed as error:
            content, failure = [], error.message
        used = None
        if fetch is not None:
            agent = UserAgent.parse(fetch.user_agent)
            program = agent.name or fetch.user_agent
            used = FetchView(fetch.made_at, fetch.fetched_at, program, agent.device, fetch.address)
        page = ProvisionPage(
            self.frame(marked("Set up a phone")),
            self.form(NewLinkForm, filled, action=_PAGE),
            account.address,
            link,
            account.provisioning_token_at if account.provisioning_token is not None else None,
            provisioning.ends_at(account),
            account.provisioning_by,
            used,
            content,
            failure,
        )
        return self.panel_page(page)


def _line(entry: ProvisionedEntry) -> GivenLine:
    return GivenLine(entry.section, entry.name, entry.value, _WORDS.get(entry.name))
