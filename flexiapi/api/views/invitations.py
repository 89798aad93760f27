"""Views of invitations."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import Field

from flexiapi.api.views.accounts import Moment
from flexiapi.model import Invitation
from flexiapi.services.codes import MadeInvitation


@dataclass(kw_only=True)
class InvitationView:
    """An invitation, without its token."""

    id: Annotated[int, Field(examples=[3])]
    name: Annotated[str, Field(examples=["Building A"])]
    email: Annotated[str | None, Field(description="the address that it was mailed to", examples=[None])]
    uses: Annotated[int, Field(description="accounts that it may create", examples=[20])]
    used: Annotated[int, Field(description="accounts that it created", examples=[4])]
    types: Annotated[list[int], Field(description="types that these accounts get, by id", examples=[[1]])]
    contacts_lists: Annotated[list[int], Field(description="contacts lists that they get, by id", examples=[[3]])]
    made_by: Annotated[int | None, Field(description="the administrator who made it", examples=[12])]
    created_at: Moment
    expires_at: Moment

    @classmethod
    def of(cls, invitation: Invitation) -> Self:
        """Return the view of an invitation."""
        return cls(**cls._fields(invitation))

    @classmethod
    def _fields(cls, invitation: Invitation) -> dict[str, Any]:
        return {
            "id": invitation.id,
            "name": invitation.name,
            "email": invitation.email,
            "uses": invitation.most,
            "used": invitation.used,
            "types": list(invitation.granted.type_ids),
            "contacts_lists": list(invitation.granted.contacts_list_ids),
            "made_by": invitation.made_by,
            "created_at": invitation.created_at,
            "expires_at": invitation.expires_at,
        }


@dataclass(kw_only=True)
class MadeInvitationView(InvitationView):
    """An invitation as it is shown once."""

    token: Annotated[str, Field(description="a creation token for apps, shown only here", examples=["8tuVPTa9XcQ2k"])]
    url: Annotated[
        str | None,
        Field(
            description="the page that takes it, which uses nothing up; `null` where registration on pages is closed",
            examples=["https://example.org/register?token=8tuVPTa9XcQ2k"],
        ),
    ]
    qr_code: Annotated[
        str,
        Field(description="`url`, else `token`, as a `data:` URL of a PNG", examples=["data:image/png;base64,iVBO"]),
    ]

    @classmethod
    def with_token(cls, made: MadeInvitation) -> Self:
        """Return the view of an invitation that was just made."""
        image = f"data:image/png;base64,{b64encode(made.image).decode()}"
        return cls(**cls._fields(made.invitation), token=made.token, url=made.link, qr_code=image)
