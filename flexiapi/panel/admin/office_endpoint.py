"""The base class of the pages about types, lists, external accounts and the server."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from flexiapi.errors import RecordNotFound
from flexiapi.panel.forms import Filled, Form
from flexiapi.panel.panel_endpoint import FormEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import RemovalPage
from flexiapi.rendering.panel.forms import FormView
from flexiapi.rendering.panel.frame import FormLink, FormPage
from flexiapi.service_endpoint import ServiceEndpoint
from flexiapi.web.operation import Segment
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply

RecordId = Annotated[int, Segment("[0-9]{1,18}", "3", "an id")]
Number = Annotated[int, Field(ge=1, le=2**53)]

_UNCHANGED = marked("Go back without a change")


class ListingPlace(Params):
    """The place of a page in a listing."""

    after: Annotated[Number, Field(description="the id after which the page begins")] | None = None


class RemovalForm(Form):
    """The button that removes what its page names."""

    submit = marked("Delete")
    is_dangerous = True


class OfficeEndpoint(FormEndpoint):
    """The base class of the pages."""

    def form_page(self, title: str, form: FormView, back: str, lead: Sequence[str] = ()) -> PageReply:
        """Return a page with a form, and with a link to a path that leaves all as it is."""
        return self.panel_page(FormPage(self.frame(title), form, lead, [FormLink(back, _UNCHANGED)]))

    def removal_page(
        self, title: str, subject: str, filled: Filled, *, action: str, back: str, lead: Sequence[str]
    ) -> PageReply:
        """Return the page that asks before something is removed."""
        form = self.form(RemovalForm, filled, action=action)
        return self.panel_page(RemovalPage(self.frame(title), form, subject, lead, FormLink(back, _UNCHANGED)))


def is_of_operators(exchange: ServiceEndpoint) -> bool:
    """Return whether the administrators of the space operate the server: those of the default space."""
    return exchange.space.stored is None


async def of_operators(exchange: ServiceEndpoint, **_path: Any) -> None:
    """Raise `RecordNotFound` for administrators who do not operate the server, but only have a domain on it."""
    if not is_of_operators(exchange):
        raise RecordNotFound
