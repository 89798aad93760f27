"""Countries whose phone numbers accounts may get."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import CountryCode
from flexiapi.errors import CountryNotAllowed, RecordNotFound
from flexiapi.model import PhoneCountry
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access


@dataclass(kw_only=True)
class PhoneCountryView:
    """A country, its calling code, and whether accounts may get numbers of it."""

    code: Annotated[str, Field(examples=["FR"])]
    country_code: Annotated[str, Field(examples=["33"])]
    activated: Annotated[bool, Field(examples=[True])]

    @classmethod
    def all_of(cls, countries: Sequence[PhoneCountry]) -> "list[PhoneCountryView]":
        """Return the views of countries."""
        return [cls(code=one.code, country_code=one.calling_code, activated=one.is_activated) for one in countries]


class PhoneCountriesEndpoint(ApiEndpoint):
    """The countries of phone numbers."""

    path = "/api/phone_countries"

    @endpoint(Access.PUBLIC)
    async def get(self) -> list[PhoneCountryView]:
        """Return all countries with their calling code, and whether accounts may get numbers of them."""
        return PhoneCountryView.all_of(await self.accounts.phone_countries.all(self.space))


class PhoneCountryActivationEndpoint(ApiEndpoint):
    """The activation of a country of phone numbers."""

    path = "/api/phone_countries/{code}/activate"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, CountryNotAllowed))
    async def post(self, code: CountryCode) -> list[PhoneCountryView]:
        """Let accounts get numbers of the country, and of all others with its calling code. Return these.

        Return `403` for a country that `account.phone_countries` does not allow.
        """
        switched = await self.accounts.phone_countries.switch(code, self.space, self.actor, on=True)
        return PhoneCountryView.all_of(switched)


class PhoneCountryDeactivationEndpoint(ApiEndpoint):
    """The deactivation of a country of phone numbers."""

    path = "/api/phone_countries/{code}/deactivate"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def post(self, code: CountryCode) -> list[PhoneCountryView]:
        """Refuse new numbers of the country, and of all others with its calling code. Return these.

        Accounts keep the numbers that they have, and are recovered by them.
        """
        switched = await self.accounts.phone_countries.switch(code, self.space, self.actor, on=False)
        return PhoneCountryView.all_of(switched)
