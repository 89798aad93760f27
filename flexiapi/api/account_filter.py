"""Filters of the list of accounts."""

from typing import Annotated

from pydantic import Field

from flexiapi.services.fields import Flag, PageNumber, SearchText, Text
from flexiapi.web.parameters import Params


class AccountFilter(Params):
    """Filters of the list of accounts; all are optional, and accounts must match each of them."""

    page: PageNumber = 1
    domain: Annotated[Text, Field(max_length=64, description="only this SIP domain")] | None = None
    activated: Annotated[Flag | None, Field(description="only activated accounts, or only others")] = None
    admin: Annotated[Flag | None, Field(description="only administrators, or only others")] = None
    blocked: Annotated[Flag | None, Field(description="only blocked accounts, or only others")] = None
    search: SearchText | None = None

    @property
    def filters(self) -> dict[str, str]:
        """The filters as they stand in the URLs of other pages."""
        given = self.model_dump(exclude={"page"}, exclude_none=True)
        return {name: value if isinstance(value, str) else str(int(value)) for name, value in given.items()}
