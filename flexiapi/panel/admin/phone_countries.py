"""Countries whose phone numbers accounts may get."""

from typing import Annotated, Literal

from flexiapi.errors import CountryNotAllowed, RecordNotFound
from flexiapi.model import PhoneCountry
from flexiapi.panel.admin.office_endpoint import OfficeEndpoint
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled, Form, Input
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import PhoneCountriesPage
from flexiapi.rendering.panel.forms import Choice
from flexiapi.rendering.wording import territory
from flexiapi.services.fields import Text
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_STATES = (Choice("off", marked("Refuse new numbers")), Choice("on", marked("Allow new numbers")))


class PhoneCountryForm(Form):
    """A country, and whether accounts may get numbers of it."""

    submit = marked("Save")

    country: Annotated[Text, Input(marked("Country"), kind="select")]
    state: Annotated[Literal["off", "on"], Input(marked("Its numbers"), kind="select", choices=_STATES)]


class PhoneCountriesPageEndpoint(OfficeEndpoint):
    """The page that switches countries of phone numbers."""

    path = "/admin/phone_countries"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self) -> PageReply:
        """Show the countries that are switched off, and the form."""
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound, CountryNotAllowed), hidden=True)
    async def post(self, body: PhoneCountryForm) -> PageReply:
        """Switch a country and all others with its calling code."""
        is_on = body.state == "on"
        await self.accounts.phone_countries.switch(body.country, self.space, self.actor, on=is_on)
        return self.see_other(self.path, Done.COUNTRY_ALLOWED if is_on else Done.COUNTRY_REFUSED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the form."""
        countries = await self.accounts.phone_countries.all(self.space)
        named = sorted((self._label(one), one) for one in countries)
        choices = {"country": [Choice(one.code, label) for label, one in named]}
        form = self.form(PhoneCountryForm, filled, action=self.path, choices=choices)
        refused = [label for label, one in named if not one.is_activated]
        return self.panel_page(PhoneCountriesPage(self.frame(marked("Phone countries")), form, refused))

    def _label(self, country: PhoneCountry) -> str:
        name = territory(country.code, self.language.name) or country.code
        return f"{name} (+{country.calling_code})"
