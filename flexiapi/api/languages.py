"""Languages of messages to owners of accounts."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import Id
from flexiapi.errors import RecordNotFound
from flexiapi.model import Account
from flexiapi.services.fields import LanguageTag
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params


class LanguageChoice(Params):
    """A language; without one, requests and the domain decide."""

    language: LanguageTag | None = None


@dataclass(kw_only=True)
class LanguageView:
    """The language of an account; `null` leaves it to each request and the domain."""

    language: Annotated[str | None, Field(examples=["pt-BR"])]

    @classmethod
    def of(cls, account: Account) -> "LanguageView":
        """Return the view of the language of an account."""
        return cls(language=account.language)


class MyLanguageEndpoint(ApiEndpoint):
    """The language of messages to the current user."""

    path = "/api/accounts/me/language"

    @endpoint(Access.USER)
    async def get(self) -> LanguageView:
        """Retrieve the language of mails and SMS to the current user."""
        return LanguageView.of(self.me)

    @endpoint(Access.USER, raises=(RecordNotFound,))
    async def put(self, body: LanguageChoice) -> LanguageView:
        """Set the language of mails and SMS to the current user.

        Messages are sent in it, or in a shorter form of it, as soon as there are templates of that language. Without
        `language`, the `Accept-Language` of each request decides, and then the setting of the domain.
        """
        return LanguageView.of(await self.accounts.languages.set(self.me, body.language, self.actor))


class AccountLanguageEndpoint(ApiEndpoint):
    """The language of messages to the owner of an account."""

    path = "/api/accounts/{id}/language"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def get(self, id: Id) -> LanguageView:
        """Retrieve the language of mails and SMS to the owner of an account. `PATCH /api/accounts/{id}` changes it."""
        return LanguageView.of(await self.accounts.directory.for_admin(id, self.space))
