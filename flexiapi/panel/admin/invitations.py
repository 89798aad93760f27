"""Invitations, with which people create their accounts."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from flexiapi.errors import DeliveryFailed, RecordNotFound
from flexiapi.model import Granted
from flexiapi.panel.admin.named_keys import RevocationForm
from flexiapi.panel.admin.office_endpoint import OfficeEndpoint, RecordId
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import RemovalPage
from flexiapi.rendering.panel.forms import Choice
from flexiapi.rendering.panel.frame import FormLink
from flexiapi.rendering.panel.invitations import InvitationsPage, NewInvitationPage
from flexiapi.services import fields, key_fields
from flexiapi.services.codes import InvitationsUseless, NewInvitation
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_INVITATIONS = "/admin/invitations"

OfUses = Annotated[int, Field(ge=1, le=1000)]
OfDays = Annotated[int, Field(ge=1, le=365)]


class InvitationForm(Form):
    """An invitation to be made."""

    submit = marked("Make the invitation")

    name: Annotated[
        key_fields.InvitationName, Input(marked("For"), hint=marked("A person or a group, for other people"))
    ]
    email: Annotated[
        fields.Email | None, Input(marked("E-mail address"), kind="email", hint=marked("The link is mailed to it"))
    ] = None
    uses: Annotated[OfUses, Input(marked("Accounts that it may create"))] = 1
    expires_days: Annotated[OfDays | None, Input(marked("Days until it is over"))] = None
    types: Annotated[key_fields.RecordIds, Input(marked("Types of the accounts"), kind="checkboxes")] = ()
    contacts_lists: Annotated[
        key_fields.RecordIds, Input(marked("Contacts lists of the accounts"), kind="checkboxes")
    ] = ()


class InvitationsPageEndpoint(PanelEndpoint):
    """The list of the invitations."""

    path = _INVITATIONS

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show the invitations, without their tokens."""
        page = InvitationsPage(
            self.frame(marked("Invitations")),
            await self.codes.invitations.all(self.space),
            {one.id: one.key for one in await self.accounts.types.all(self.space)},
            {one.id: one.title for one in await self.contacts.lists.all(self.space)},
        )
        return self.panel_page(page)


class NewInvitationEndpoint(OfficeEndpoint):
    """A further invitation."""

    path = f"{_INVITATIONS}/create"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show the form."""
        return await self.show()

    @endpoint(
        Access.ADMIN,
        hidden=True,
        secret=True,
        raises=(InvitationsUseless, DeliveryFailed),
        checks=lambda exchange, values: exchange.codes.invitations.faults(values, exchange.space),
    )
    async def post(self, body: InvitationForm) -> PageReply:
        """Make the invitation and show it."""
        granted = Granted(tuple(dict.fromkeys(body.types)), tuple(dict.fromkeys(body.contacts_lists)))
        new = NewInvitation(body.name, body.email, body.uses, body.expires_days, granted)
        made = await self.codes.invitations.make(new, self.actor)
        image = f"data:image/png;base64,{b64encode(made.image).decode()}"
        frame = self.frame(marked("Invitation made"))
        return self.panel_page(NewInvitationPage(frame, None, made.invitation, made.token, made.link or "", image))

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        choices: dict[str, Sequence[Choice]] = {
            "types": [Choice(str(one.id), one.key) for one in await self.accounts.types.all(self.space)],
            "contacts_lists": [Choice(str(one.id), one.title) for one in await self.contacts.lists.all(self.space)],
        }
        initial = {"uses": 1, "expires_days": self.settings.account.creation_token_days}
        form = self.form(InvitationForm, filled, action=self.path, initial=initial, choices=choices)
        shown = [one for one in form.fields if one.choices or one.errors or one.kind != "checkboxes"]
        form = replace(form, fields=shown)
        return self.panel_page(NewInvitationPage(self.frame(marked("Make an invitation")), form))


class InvitationRevocationEndpoint(OfficeEndpoint):
    """The end of an invitation."""

    path = f"{_INVITATIONS}/{{id}}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: RecordId) -> PageReply:
        """Ask before the invitation is revoked."""
        del id
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: RecordId, body: RevocationForm) -> PageReply:
        """Revoke the invitation."""
        del body
        await self.codes.invitations.revoke(id, self.actor)
        return self.see_other(_INVITATIONS, Done.INVITATION_REVOKED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        known = await self.codes.invitations.get(self.arguments["id"], self.space)
        form = self.form(RevocationForm, filled, action=f"{_INVITATIONS}/{known.id}/delete")
        lead = [marked("Its link and its code create no accounts from now on. Accounts that they created stay.")]
        link = FormLink(_INVITATIONS, marked("Go back without a change"))
        return self.panel_page(RemovalPage(self.frame(marked("Revoke the invitation")), form, known.name, lead, link))
