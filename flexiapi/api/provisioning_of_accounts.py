"""Provisioning of accounts, for administrators."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import Id
from flexiapi.api.views.accounts import Address, Agent, Moment
from flexiapi.errors import ProvisioningFailed, RecordNotFound
from flexiapi.services.phones import ExplainedFetch
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access


@dataclass(kw_only=True)
class PreviewedEntry:
    """An entry of a document. The value of a secret one is null."""

    section: Annotated[str, Field(examples=["proxy_0"])]
    name: Annotated[str, Field(examples=["reg_identity"])]
    value: Annotated[str | None, Field(examples=["<sip:alice.martin@sip.example.org>"])]
    is_secret: Annotated[bool, Field(examples=[False])]


class ProvisioningPreviewEndpoint(ApiEndpoint):
    """The document that a phone of an account would be given."""

    path = "/api/accounts/{id}/provisioning/preview"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, ProvisioningFailed))
    async def get(self, id: Id) -> list[PreviewedEntry]:
        """Show what a phone of an account would be given now, in the order of the document.

        It uses no token up and activates nothing. Secrets are not shown. Hooks see no query and no headers.
        """
        account = await self.accounts.directory.for_admin(id, self.space)
        return [
            PreviewedEntry(section=one.section, name=one.name, value=one.value, is_secret=one.value is None)
            for one in self.phones.provisioning.content(account)
        ]


@dataclass(kw_only=True)
class NotedFetchView:
    """A fetch of a provisioning link. Whatever is not `given` got the base configuration alone."""

    fetched_at: Moment
    outcome: Annotated[str, Field(examples=["spent"])]
    ip_address: Address
    user_agent: Agent
    known_problems: Annotated[list[str], Field(examples=[["It does not follow redirections."]])]

    @classmethod
    def of(cls, explained: ExplainedFetch) -> "NotedFetchView":
        """Return the view of a fetch."""
        return cls(
            fetched_at=explained.fetch.fetched_at,
            outcome=explained.fetch.outcome,
            ip_address=explained.fetch.address,
            user_agent=explained.fetch.user_agent,
            known_problems=explained.problems,
        )


class ProvisioningFetchesEndpoint(ApiEndpoint):
    """Fetches of the provisioning links of an account."""

    path = "/api/accounts/{id}/provisioning/fetches"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,))
    async def get(self, id: Id) -> list[NotedFetchView]:
        """Show the last 20 fetches of provisioning links of an account in 90 days, the newest first.

        `outcome` is `given`, `spent` for a link that was used before, `expired`, `deactivated` or `blocked` for the
        account, or `replaced` for a link that ended at the same moment.
        """
        account = await self.accounts.directory.for_admin(id, self.space)
        return [NotedFetchView.of(one) for one in await self.phones.fetches.of(account)]
