"""Provisioning of accounts, for administrators."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import Id
from flexiapi.errors import ProvisioningFailed, RecordNotFound
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
