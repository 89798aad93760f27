"""The endpoints of the pages about accounts."""

from flexiapi.panel.admin.account_actions import (
    AccountActionEndpoint,
    AccountBlockingEndpoint,
    AccountDeletionEndpoint,
)
from flexiapi.panel.admin.account_bridge import BridgeEndpoint, BridgeRemovalEndpoint
from flexiapi.panel.admin.account_bulk import BulkEndpoint
from flexiapi.panel.admin.account_calls import CallsTabEndpoint
from flexiapi.panel.admin.account_creation import AccountCreationEndpoint, AccountCreationPageEndpoint
from flexiapi.panel.admin.account_dictionary import EntryEndpoint, EntryRemovalEndpoint
from flexiapi.panel.admin.account_ends import DeviceRemovalEndpoint, SessionEndEndpoint
from flexiapi.panel.admin.account_links import (
    ContactAdditionEndpoint,
    ContactRemovalEndpoint,
    ListAttachmentEndpoint,
    ListDetachmentEndpoint,
    TypeAttachmentEndpoint,
    TypeDetachmentEndpoint,
)
from flexiapi.panel.admin.account_list import AccountExportEndpoint, AccountListEndpoint, AccountSearchEndpoint
from flexiapi.panel.admin.account_pages import (
    AccountEditEndpoint,
    ActivityTabEndpoint,
    ContactsTabEndpoint,
    DevicesTabEndpoint,
    InformationTabEndpoint,
    ProvisioningTabEndpoint,
)
from flexiapi.panel.admin.account_reactions import (
    ActionChangeEndpoint,
    ActionCreationEndpoint,
    ActionRemovalEndpoint,
)
from flexiapi.panel.endpoint import PageEndpoint

ACCOUNT_PAGES: tuple[type[PageEndpoint], ...] = (
    AccountListEndpoint,
    AccountSearchEndpoint,
    AccountExportEndpoint,
    BulkEndpoint,
    AccountCreationPageEndpoint,
    AccountCreationEndpoint,
    InformationTabEndpoint,
    AccountEditEndpoint,
    ContactsTabEndpoint,
    ProvisioningTabEndpoint,
    DevicesTabEndpoint,
    CallsTabEndpoint,
    ActivityTabEndpoint,
    AccountBlockingEndpoint,
    AccountActionEndpoint,
    AccountDeletionEndpoint,
    ContactAdditionEndpoint,
    ContactRemovalEndpoint,
    TypeAttachmentEndpoint,
    TypeDetachmentEndpoint,
    ListAttachmentEndpoint,
    ListDetachmentEndpoint,
    ActionCreationEndpoint,
    ActionChangeEndpoint,
    ActionRemovalEndpoint,
    EntryEndpoint,
    EntryRemovalEndpoint,
    BridgeEndpoint,
    BridgeRemovalEndpoint,
    DeviceRemovalEndpoint,
    SessionEndEndpoint,
)
