"""The API key of one's own account."""

from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.frame import FormLink, FormPage
from flexiapi.rendering.panel.user import ApiKeyPage
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_PAGE = "/api_key"


class NewKeyForm(Form):
    """A new API key in place of the one before."""

    submit = marked("Generate a new key")


class EndKeyForm(Form):
    """The end of the API key."""

    submit = marked("End this key")
    is_dangerous = True


class ApiKeyPageEndpoint(FormEndpoint):
    """The key: its times, and a new one, which is shown once."""

    path = _PAGE

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show the times of the key."""
        return await self.show()

    @endpoint(Access.USER, hidden=True, secret=True, fresh=10)
    async def post(self, body: NewKeyForm) -> PageReply:
        """Make a new key and show it."""
        del body
        key = await self.sign_in.api_keys.make(self.me, self.actor, tells=True)
        return await self._page(EMPTY, key)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page."""
        return await self._page(filled)

    async def _page(self, filled: Filled, key: str | None = None) -> PageReply:
        keys = self.sign_in.api_keys
        account = self.me if key is None else await self.accounts.directory.again(self.me)
        page = ApiKeyPage(
            self.frame(marked("API key")),
            self.form(NewKeyForm, filled, action=_PAGE),
            keys.state(account),
            key,
            keys.unused_life,
            keys.longest_life,
            f"{self.public_url}/api",
        )
        return self.panel_page(page)


class EndKeyEndpoint(FormEndpoint):
    """The end of the key."""

    path = f"{_PAGE}/delete"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show the button that ends the key."""
        return await self.show()

    @endpoint(Access.USER, hidden=True, fresh=10)
    async def post(self, body: EndKeyForm) -> PageReply:
        """End the key."""
        del body
        await self.sign_in.api_keys.end(self.me, self.actor)
        return self.see_other(_PAGE, Done.KEY_ENDED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        page = FormPage(
            self.frame(marked("End your API key?")),
            self.form(EndKeyForm, filled, action=self.path),
            [marked("Programs that use the key can then no longer sign in.")],
            [FormLink(_PAGE, marked("Keep the key"))],
        )
        return self.panel_page(page)
