"""Invitations, with which people create their accounts."""

from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import InvitationId
from flexiapi.api.views.invitations import InvitationView, MadeInvitationView
from flexiapi.errors import DeliveryFailed, RecordNotFound
from flexiapi.model import Granted
from flexiapi.services.codes import InvitationsUseless, NewInvitation
from flexiapi.services.fields import Email
from flexiapi.services.key_fields import InvitationName, RecordIds
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params

Uses = Annotated[int, Field(ge=1, le=1000)]
OpenDays = Annotated[int, Field(ge=1, le=365)]


class InvitationCreation(Params):
    """The values of an invitation."""

    name: InvitationName
    email: Annotated[Email, Field(description="the link is mailed to this address")] | None = None
    uses: Annotated[Uses, Field(description="accounts that it may create", examples=[20])] = 1
    expires_days: (
        Annotated[
            OpenDays, Field(description="days until it is over; `account.creation_token_days` (7)", examples=[14])
        ]
        | None
    ) = None
    types: Annotated[RecordIds, Field(description="types that the accounts get, by id", examples=[[1]])] = ()
    contacts_lists: Annotated[
        RecordIds, Field(description="contacts lists that the accounts get, by id", examples=[[3]])
    ] = ()


class InvitationsEndpoint(ApiEndpoint):
    """The invitations."""

    path = "/api/invitations"

    @endpoint(Access.ADMIN)
    async def get(self) -> list[InvitationView]:
        """Show the invitations that are not over by time, the newest first, at most 500, without their tokens."""
        return [InvitationView.of(one) for one in await self.codes.invitations.all(self.space)]

    @endpoint(
        Access.ADMIN,
        status=201,
        secret=True,
        raises=(InvitationsUseless, DeliveryFailed),
        checks=lambda exchange, values: exchange.codes.invitations.faults(values, exchange.space),
    )
    async def post(self, body: InvitationCreation) -> MadeInvitationView:
        """Make an invitation, whose link and token are shown only in this answer.

        The link leads to the page of the registration, and the token is an `account_creation_token`. Opening the link
        uses nothing up, so programs that look at links do no harm: only a created account counts. With `email` the link
        is mailed too; `503` if that fails, and then there is no invitation.
        """
        granted = Granted(tuple(dict.fromkeys(body.types)), tuple(dict.fromkeys(body.contacts_lists)))
        new = NewInvitation(body.name, body.email, body.uses, body.expires_days, granted)
        return MadeInvitationView.with_token(await self.codes.invitations.make(new, self.actor))


class InvitationEndpoint(ApiEndpoint):
    """An invitation."""

    path = "/api/invitations/{invitation_id}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def delete(self, invitation_id: InvitationId) -> None:
        """Revoke an invitation. Accounts that it created stay."""
        await self.codes.invitations.revoke(invitation_id, self.actor)
