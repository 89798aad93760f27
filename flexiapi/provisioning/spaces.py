"""The provisioning documents of all spaces."""

from collections.abc import Mapping, Sequence

from flexiapi.model import Account, Space, Spaces
from flexiapi.provisioning.discovery import Hooks
from flexiapi.provisioning.document import Section
from flexiapi.provisioning.provisioning import ProvisioningDocuments


class SpaceDocuments:
    """Renders the documents of each space, and remembers its base file from one request to the next."""

    def __init__(self, spaces: Spaces, hooks: Hooks) -> None:
        self._spaces = spaces
        self._hooks = hooks
        self._documents: dict[str, ProvisioningDocuments] = {}

    def base(self, space: Space, query: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
        """Return the document of a space for no account. Raises `ProvisioningFailed`."""
        return self._of(space).base(query, headers)

    def of(self, account: Account, query: Mapping[str, str], headers: Mapping[str, str]) -> bytes:
        """Return the document of an account, in the space that it belongs to. Raises `ProvisioningFailed`."""
        return self._of(self._spaces.of_domain(account.domain)).of(account, query, headers)

    def sections(self, account: Account) -> Sequence[Section]:
        """Return the sections of the document of an account. Raises `ProvisioningFailed`."""
        return self._of(self._spaces.of_domain(account.domain)).sections(account)

    def _of(self, space: Space) -> ProvisioningDocuments:
        documents = self._documents.get(space.domain)
        if documents is None:
            documents = ProvisioningDocuments(space, f"{space.url}/contacts/vcard", self._hooks, space.ui)
            self._documents[space.domain] = documents
        return documents
