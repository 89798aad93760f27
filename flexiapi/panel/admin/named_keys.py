"""The named API keys of servers and programs."""

from typing import Annotated

from flexiapi.errors import RecordNotFound
from flexiapi.model import NamedKey
from flexiapi.panel.admin.office_endpoint import OfficeEndpoint, RecordId
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import RemovalPage
from flexiapi.rendering.panel.forms import Choice
from flexiapi.rendering.panel.frame import FormLink
from flexiapi.rendering.panel.named_keys import SCOPES, KeyLine, NamedKeysPage, NewNamedKeyPage
from flexiapi.services import key_fields
from flexiapi.services.sign_in import NewNamedKey
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_KEYS = "/admin/api_keys"
_CHOICES = tuple(Choice(scope.value, text) for scope, text in SCOPES.items())


class NewNamedKeyForm(Form):
    """A key to be made."""

    submit = marked("Make the key")

    name: Annotated[
        key_fields.KeyName,
        Input(marked("Name"), hint=marked("The server or program that will have it, for other people")),
    ]
    scopes: Annotated[key_fields.KeyScopes, Input(marked("Scopes"), kind="checkboxes", choices=_CHOICES)]
    expires_days: Annotated[
        key_fields.Days | None,
        Input(marked("Days until it is over"), hint=marked("Left empty, it is not over by itself")),
    ] = None
    idle_days: Annotated[
        key_fields.Days | None,
        Input(marked("Days without use until it is over"), hint=marked("Left empty, it may sleep for any time")),
    ] = None


class RevocationForm(Form):
    """The button that revokes a key."""

    submit = marked("Revoke")
    is_dangerous = True


class NamedKeysPageEndpoint(PanelEndpoint):
    """The list of the keys."""

    path = _KEYS

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show the keys, without the keys themselves."""
        lines = [
            KeyLine(one.key, one.works, one.maker.address if one.maker else "")
            for one in await self.sign_in.named_keys.all(self.space)
        ]
        return self.panel_page(NamedKeysPage(self.frame(marked("API keys")), lines))


class NewNamedKeyEndpoint(OfficeEndpoint):
    """A further key."""

    path = f"{_KEYS}/create"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show the form."""
        return await self.show()

    @endpoint(
        Access.ADMIN,
        hidden=True,
        secret=True,
        fresh=10,
        checks=lambda exchange, values: exchange.sign_in.named_keys.faults(values, exchange.space),
    )
    async def post(self, body: NewNamedKeyForm) -> PageReply:
        """Make the key and show it."""
        new = NewNamedKey(body.name, body.scopes, body.expires_days, body.idle_days)
        key, listed = await self.sign_in.named_keys.make(new, self.actor)
        frame = self.frame(marked("API key made"))
        return self.panel_page(NewNamedKeyPage(frame, None, listed.key, key, f"{self.public_url}/api"))

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        form = self.form(NewNamedKeyForm, filled, action=self.path)
        return self.panel_page(NewNamedKeyPage(self.frame(marked("Make an API key")), form))


class RevocationEndpoint(OfficeEndpoint):
    """The end of a key."""

    path = f"{_KEYS}/{{id}}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: RecordId) -> PageReply:
        """Ask before the key is revoked."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: RecordId, body: RevocationForm) -> PageReply:
        """Revoke the key."""
        del body
        await self.sign_in.named_keys.revoke(id, self.actor)
        return self.see_other(_KEYS, Done.NAMED_KEY_REVOKED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        key: NamedKey = await self.sign_in.named_keys.get(self.arguments["id"], self.space)
        form = self.form(RevocationForm, filled, action=f"{_KEYS}/{key.id}/delete")
        lead = [marked("What has it is refused from now on. That cannot be undone.")]
        link = FormLink(_KEYS, marked("Go back without a change"))
        return self.panel_page(RemovalPage(self.frame(marked("Revoke the API key")), form, key.name, lead, link))
