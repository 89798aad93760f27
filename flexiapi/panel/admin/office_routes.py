"""The endpoints of the pages about types, lists, external accounts, statistics and the server."""

from flexiapi.panel.admin.account_types import (
    TypeChangeEndpoint,
    TypeCreationEndpoint,
    TypeRemovalEndpoint,
    TypesEndpoint,
)
from flexiapi.panel.admin.backends import BackendsEndpoint
from flexiapi.panel.admin.contacts_list_members import MemberAdditionEndpoint, MemberRemovalEndpoint
from flexiapi.panel.admin.contacts_lists import (
    ContactsListChangeEndpoint,
    ContactsListCreationEndpoint,
    ContactsListPageEndpoint,
    ContactsListRemovalEndpoint,
    ContactsListsOverviewEndpoint,
)
from flexiapi.panel.admin.external_accounts import (
    ExternalAccountAdditionEndpoint,
    ExternalAccountRemovalEndpoint,
    ExternalAccountsEndpoint,
)
from flexiapi.panel.admin.invitations import (
    InvitationRevocationEndpoint,
    InvitationsPageEndpoint,
    NewInvitationEndpoint,
)
from flexiapi.panel.admin.messages import MessagesPageEndpoint
from flexiapi.panel.admin.named_keys import NamedKeysPageEndpoint, NewNamedKeyEndpoint, RevocationEndpoint
from flexiapi.panel.admin.overview import OverviewEndpoint
from flexiapi.panel.admin.phone_countries import PhoneCountriesPageEndpoint
from flexiapi.panel.admin.report_statistics import CallStatisticsEndpoint, MessageStatisticsEndpoint
from flexiapi.panel.admin.settings_pages import SettingsEndpoint, SpacesEndpoint
from flexiapi.panel.admin.statistics import StatisticsPageEndpoint, StatisticsStartEndpoint
from flexiapi.panel.endpoint import PageEndpoint

OFFICE_PAGES: tuple[type[PageEndpoint], ...] = (
    OverviewEndpoint,
    TypesEndpoint,
    TypeCreationEndpoint,
    TypeChangeEndpoint,
    TypeRemovalEndpoint,
    ContactsListsOverviewEndpoint,
    ContactsListCreationEndpoint,
    ContactsListPageEndpoint,
    ContactsListChangeEndpoint,
    ContactsListRemovalEndpoint,
    MemberAdditionEndpoint,
    MemberRemovalEndpoint,
    ExternalAccountsEndpoint,
    ExternalAccountAdditionEndpoint,
    ExternalAccountRemovalEndpoint,
    StatisticsStartEndpoint,
    StatisticsPageEndpoint,
    CallStatisticsEndpoint,
    MessageStatisticsEndpoint,
    MessagesPageEndpoint,
    InvitationsPageEndpoint,
    NewInvitationEndpoint,
    InvitationRevocationEndpoint,
    NamedKeysPageEndpoint,
    NewNamedKeyEndpoint,
    RevocationEndpoint,
    PhoneCountriesPageEndpoint,
    BackendsEndpoint,
    SettingsEndpoint,
    SpacesEndpoint,
)
