"""The provisioning documents of all spaces."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from flexiapi.errors import ConfigurationError
from flexiapi.model import Account, Space, Spaces
from flexiapi.provisioning.discovery import Hooks
from flexiapi.provisioning.document import Section
from flexiapi.provisioning.provisioning import ProvisioningDocuments
from flexiapi.settings import DirectorySettings


class SpaceDocuments:
    """Renders the documents of each space, and remembers its base file from one request to the next.

    Raises `ConfigurationError` for a directory of a domain that has no space.
    """

    def __init__(
        self, spaces: Spaces, hooks: Hooks, directories: Mapping[str, DirectorySettings] = MappingProxyType({})
    ) -> None:
        self._spaces = spaces
        self._directories = directories
        known = {spaces.default.domain, *spaces.by_domain}
        for name, directory in directories.items():
            if directory.domain not in (None, *known):
                place = f"[directories.{name}] domain"
                raise ConfigurationError(f"{place}: {directory.domain} is neither app.sip_domain nor has it a table.")
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
            documents = ProvisioningDocuments(
                space, f"{space.url}/contacts/vcard", self._hooks, space.ui, self._of_space(space)
            )
            self._documents[space.domain] = documents
        return documents

    def _of_space(self, space: Space) -> Iterator[DirectorySettings]:
        for directory in self._directories.values():
            if (directory.domain or self._spaces.default.domain) == space.domain:
                yield directory
