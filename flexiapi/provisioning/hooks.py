"""Contract of a provisioning hook: the names that such a plugin imports.

A hook adds to the configuration of phones. It is a class derived from `ProvisioningHook`, installed under a name in the
entry-point group `flexiapi.provisioning` and used when `[account] provisioning_hooks` names it. Its methods run on the
event loop for every provisioning request: they must neither wait nor do I/O. When one raises, the device gets status
500 instead of an incomplete configuration.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from flexiapi.model import Account, Algorithm, Password
from flexiapi.provisioning.document import Document, Entry, Section

__all__ = [
    "GROUP",
    "HEADERS",
    "Account",
    "Algorithm",
    "Document",
    "Entry",
    "Password",
    "ProvisioningHook",
    "ProvisioningRequest",
    "Section",
]

GROUP = "flexiapi.provisioning"

HEADERS = frozenset({"accept-language", "from", "user-agent", "x-linphone-provisioning"})


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ProvisioningRequest:
    """The request of a device: query parameters, and those of `HEADERS` that it sent, with names in lower case."""

    query: Mapping[str, str] = field(default_factory=_nothing)
    headers: Mapping[str, str] = field(default_factory=_nothing)
    account: Account | None = field(default=None, repr=False)


class ProvisioningHook:
    """Base class of hooks: define the methods that you need; the others do nothing.

    One instance is made without arguments at the start of the server.
    """

    def proxy(self, section: Section, request: ProvisioningRequest, account: Account) -> None:
        """Add to the account's `proxy_N`, which has `reg_identity`, `reg_sendregister` and `refkey` so far.

        The base file's entries of a section of the same name come first: add with `overwrite=True` what must win.
        """

    def auth(self, section: Section, request: ProvisioningRequest, password: Password) -> None:
        """Add to an `auth_info_M` of the account; `password` is the hash that it carries, never the clear text."""

    def additional_section(self, document: Document, request: ProvisioningRequest, account: Account | None) -> None:
        """Add to the finished document, also when it is for no account."""
