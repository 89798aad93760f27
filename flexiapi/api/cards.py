"""vCards that apps store with an account, as JSON and as vCards."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flexiapi.api.contacts import PhoneBookEndpoint
from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import CardUid, Id
from flexiapi.api.views.accounts import Moment
from flexiapi.errors import RecordNotFound
from flexiapi.model import StoredCard
from flexiapi.services.contacts import CardTaken
from flexiapi.services.fields import Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params
from flexiapi.web.replies import VCards

_UID = "urn:uuid:4f2e1a9c-1111-4222-8333-444455556666"
_CARD = f"BEGIN:VCARD\nVERSION:4.0\nUID:{_UID}\nFN:Tatyana Schoen\nEND:VCARD\n"
_EXAMPLE = {
    _UID: {"vcard": _CARD, "created_at": "2026-11-30T09:05:00.000000Z", "updated_at": "2026-11-30T09:05:00.000000Z"}
}


class CardParameters(Params):
    """A vCard."""

    vcard: Annotated[
        Text, Field(description="one vCard, 4.0 or 3.0, with UID and FN; at most 65536 bytes", examples=[_CARD])
    ]


@dataclass(kw_only=True)
class CardView:
    """A stored vCard, its lines not folded."""

    vcard: Annotated[str, Field(examples=[_CARD])]
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, stored: StoredCard) -> "CardView":
        """Return the view of a card."""
        return cls(vcard=stored.card.text, created_at=stored.created_at, updated_at=stored.updated_at)


def _views(cards: Iterable[StoredCard]) -> dict[str, CardView]:
    return {stored.card.uid: CardView.of(stored) for stored in cards}


def _document(cards: Iterable[StoredCard]) -> VCards:
    """Return cards as liblinphone reads them: a single line end for none, because it rejects an empty body."""
    text = "".join(stored.card.text for stored in cards) or "\n"
    return VCards(text.replace("\n", "\r\n").encode())


class MyCardsEndpoint(ApiEndpoint):
    """The vCards that the current user has stored."""

    path = "/api/accounts/me/vcards-storage"
    body_share = 3

    @endpoint(Access.USER, example=_EXAMPLE)
    async def get(self) -> dict[str, CardView]:
        """Return all the stored vCards by their UID; `{}` without any."""
        return _views(await self.contacts.cards.of(self.me))

    @endpoint(Access.USER, status=201, raises=(RecordNotFound, CardTaken))
    async def post(self, body: CardParameters) -> CardView:
        """Store a vCard. Its UID must be new; an account has at most 5,000, of 32 MB together."""
        return CardView.of(await self.contacts.cards.add(self.me, body.vcard))


class MyCardEndpoint(ApiEndpoint):
    """A vCard that the current user has stored."""

    path = "/api/accounts/me/vcards-storage/{uuid}"
    body_share = 3

    @endpoint(Access.USER, raises=(RecordNotFound,))
    async def get(self, uuid: CardUid) -> CardView:
        """Return a stored vCard."""
        return CardView.of(await self.contacts.cards.one_of(self.me, uuid))

    @endpoint(Access.USER, raises=(RecordNotFound,))
    async def put(self, uuid: CardUid, body: CardParameters) -> CardView:
        """Replace a stored vCard by one with the same UID."""
        return CardView.of(await self.contacts.cards.replace(self.me, uuid, body.vcard))

    @endpoint(Access.USER, raises=(RecordNotFound,))
    async def patch(self, uuid: CardUid, body: CardParameters) -> CardView:
        """Replace a stored vCard as a whole, the same as PUT."""
        return CardView.of(await self.contacts.cards.replace(self.me, uuid, body.vcard))

    @endpoint(Access.USER, raises=(RecordNotFound,))
    async def delete(self, uuid: CardUid) -> None:
        """Remove a stored vCard."""
        await self.contacts.cards.remove(self.me, uuid)


class AccountCardsEndpoint(ApiEndpoint):
    """The vCards that are stored with an account."""

    path = "/api/accounts/{id}/vcards-storage"
    body_share = 3

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), example=_EXAMPLE)
    async def get(self, id: Id) -> dict[str, CardView]:
        """Return all the stored vCards of an account by their UID; `{}` without any."""
        return _views(await self.contacts.cards.of(await self.accounts.directory.for_admin(id, self.space)))

    @endpoint(Access.ADMIN, status=201, raises=(RecordNotFound, CardTaken))
    async def post(self, id: Id, body: CardParameters) -> CardView:
        """Store a vCard with an account. Its UID must be new there."""
        account = await self.accounts.directory.for_admin(id, self.space)
        return CardView.of(await self.contacts.cards.add(account, body.vcard))


class AccountCardEndpoint(ApiEndpoint):
    """A vCard that is stored with an account."""

    path = "/api/accounts/{id}/vcards-storage/{uuid}"
    body_share = 3

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def get(self, id: Id, uuid: CardUid) -> CardView:
        """Return a stored vCard of an account."""
        account = await self.accounts.directory.for_admin(id, self.space)
        return CardView.of(await self.contacts.cards.one_of(account, uuid))

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def put(self, id: Id, uuid: CardUid, body: CardParameters) -> CardView:
        """Replace a stored vCard of an account by one with the same UID."""
        account = await self.accounts.directory.for_admin(id, self.space)
        return CardView.of(await self.contacts.cards.replace(account, uuid, body.vcard))

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def patch(self, id: Id, uuid: CardUid, body: CardParameters) -> CardView:
        """Replace a stored vCard of an account as a whole, the same as PUT."""
        account = await self.accounts.directory.for_admin(id, self.space)
        return CardView.of(await self.contacts.cards.replace(account, uuid, body.vcard))

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def delete(self, id: Id, uuid: CardUid) -> None:
        """Remove a stored vCard of an account."""
        await self.contacts.cards.remove(await self.accounts.directory.for_admin(id, self.space), uuid)


class CardListEndpoint(PhoneBookEndpoint):
    """The vCards that the current user has stored, for address books."""

    path = "/vcards-storage"

    @endpoint(Access.USER, example=_CARD)
    async def get(self) -> VCards:
        """Return all the stored vCards as one list. Without any the body is one line end."""
        return _document(await self.contacts.cards.of(self.me))


class CardEndpoint(PhoneBookEndpoint):
    """A vCard that the current user has stored, for address books."""

    path = "/vcards-storage/{uuid}"

    @endpoint(Access.USER, raises=(RecordNotFound,), example=_CARD)
    async def get(self, uuid: CardUid) -> VCards:
        """Return a stored vCard."""
        return _document([await self.contacts.cards.one_of(self.me, uuid)])
