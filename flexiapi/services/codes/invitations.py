"""Invitations: links with which people create their accounts."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flexiapi.crypto.keys import random_text
from flexiapi.errors import FieldErrors, Forbidden, RecordNotFound
from flexiapi.model import Actor, Granted, Invitation, Space
from flexiapi.provisioning import qr
from flexiapi.rendering.messages import InvitationMail
from flexiapi.services.codes.creation_tokens import TOKEN_LENGTH
from flexiapi.services.ground import Ground

MOST_LISTED = 500


class InvitationsUseless(Forbidden):
    """No creation token creates an account here."""

    message = "Accounts are made by administrators alone here (account.registration): an invitation would be of no use."


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """The values of an invitation to be made; without `days` it is open as long as other creation tokens."""

    name: str
    email: str | None = None
    most: int = 1
    days: int | None = None
    granted: Granted = field(default_factory=Granted)


@dataclass(frozen=True, slots=True)
class MadeInvitation:
    """An invitation that was just made: its token, and a QR code (PNG) of its link.

    `link` is `None` where people cannot register on a page; the QR code has the token alone then.
    """

    invitation: Invitation
    token: str = field(repr=False)
    link: str | None = field(repr=False)
    image: bytes = field(repr=False)


class Invitations:
    """The invitations of spaces.

    The token of one is a creation token, for apps and for the page of a registration, that creates a number of
    accounts. To open its link uses nothing up: only the creation of an account counts.
    """

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._spaces = ground.spaces
        self._notices = ground.notices
        self._life = timedelta(days=ground.settings.account.creation_token_days)
        self._panel = ground.settings.panel
        self._clock = ground.clock

    async def make(self, new: NewInvitation, actor: Actor) -> MadeInvitation:
        """Make an invitation of the actor's space, and mail its link if it has an address.

        Raises `InvitationsUseless`, and `TooManyRequests` and `DeliveryFailed` where the mail cannot be sent: then
        nothing is left of it.
        """
        space = actor.space or self._spaces.default
        if space.registration == "closed":
            raise InvitationsUseless
        token, now = random_text(TOKEN_LENGTH), self._clock.second()
        life = self._life if new.days is None else timedelta(days=new.days)
        link = f"{space.url}/register?token={token}" if self.has_page(space) else None
        if new.email is not None and link is not None:
            await self._notices.invite(new.email, InvitationMail(space.domain, link, token, life))
        invitation = Invitation(
            id=0,
            name=new.name,
            email=new.email,
            most=new.most,
            used=0,
            granted=new.granted,
            created_at=now,
            expires_at=now + life,
            made_by=actor.account_id,
        )
        stored = await self._store.invitations.add(invitation, token, actor)
        return MadeInvitation(stored, token, link, await asyncio.to_thread(qr.png, link or token))

    def has_page(self, space: Space) -> bool:
        """Return whether people with an invitation can register on a page."""
        return self._panel.enabled and "closed" not in (space.registration, space.panel_registration)

    async def faults(self, values: Mapping[str, Any], space: Space) -> FieldErrors:
        """Check the types, lists and the address of an invitation that is to be made."""
        faults: FieldErrors = {}
        types, lists = values.get("types") or (), values.get("contacts_lists") or ()
        known = await self._store.types.by_ids(types) if types else {}
        if not all(one in known and known[one].space == space.stored for one in types):
            faults["types"] = ["types must be ids of types that exist here"]
        if lists and len(await self._store.contacts_lists.by_ids(lists, space)) < len(set(lists)):
            faults["contacts_lists"] = ["contacts_lists must be ids of contacts lists that exist here"]
        if values.get("email") and not self.has_page(space):
            faults["email"] = ["email cannot be sent a link: registration on pages is closed (panel.registration)"]
        return faults

    async def all(self, space: Space) -> Sequence[Invitation]:
        """Return the last 500 invitations of a space that are not over by time, the newest first."""
        return await self._store.invitations.of(space, MOST_LISTED)

    async def get(self, invitation_id: int, space: Space) -> Invitation:
        """Return an invitation of a space. Raises `RecordNotFound`."""
        found = await self._store.invitations.by_id(invitation_id, space)
        if found is None:
            raise RecordNotFound
        return found

    async def revoke(self, invitation_id: int, actor: Actor) -> None:
        """End an invitation of the actor's space. Accounts that it created stay. Raises `RecordNotFound`."""
        if not await self._store.invitations.remove(invitation_id, actor):
            raise RecordNotFound
