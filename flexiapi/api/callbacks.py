"""Callbacks of the providers of push, SMS and mail."""

from typing import Annotated

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.errors import Forbidden, MalformedRequest, RecordNotFound
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Guard, Segment

Label = Annotated[str, Segment("[A-Za-z0-9_.-]{1,64}", "main", "the label of a backend")]


_REFUSALS = (RecordNotFound, Forbidden, MalformedRequest)


class DeliveryReportsEndpoint(ApiEndpoint):
    """Delivery reports for one backend, which verifies that they come from its provider."""

    path = "/callbacks/{label}"

    @endpoint(Access.PUBLIC, hidden=True, keeps_accounts=True, raises=_REFUSALS, guard=Guard(guess=True))
    async def post(self, label: Label) -> None:
        """Take a report."""
        await self._take(label)

    @endpoint(Access.PUBLIC, hidden=True, effects=True, keeps_accounts=True, raises=_REFUSALS, guard=Guard(guess=True))
    async def get(self, label: Label) -> None:
        """Take a report of a provider that calls by GET, with all that it tells in the query."""
        await self._take(label)

    async def _take(self, label: str) -> None:
        request = self.request
        headers = {name.lower(): value for name, value in request.headers.items()}
        await self.phones.delivery_reports.take(label, request.body, headers, self.query)
