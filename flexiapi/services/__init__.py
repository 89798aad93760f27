"""The rules. They know neither HTTP nor MongoDB."""

from dataclasses import dataclass

from flexiapi.services.accounts.actions import AccountActions
from flexiapi.services.accounts.administration import Administration
from flexiapi.services.accounts.administrators import Administrators
from flexiapi.services.accounts.creation import Creation
from flexiapi.services.accounts.directory import AccountDirectory
from flexiapi.services.accounts.external_accounts import ExternalAccounts
from flexiapi.services.accounts.removal import AccountRemoval
from flexiapi.services.accounts.rules import AccountRules
from flexiapi.services.accounts.seeding import Seeding
from flexiapi.services.accounts.statistics import Statistics
from flexiapi.services.accounts.types import AccountTypes
from flexiapi.services.accounts.upkeep import Upkeep
from flexiapi.services.codes.activation import Activation
from flexiapi.services.codes.address_changes import AddressChanges
from flexiapi.services.codes.creation_tokens import CreationTokens
from flexiapi.services.codes.human_check import HumanCheck
from flexiapi.services.codes.recovery import Recovery
from flexiapi.services.contacts.contacts import Contacts
from flexiapi.services.contacts.lists import ContactsLists
from flexiapi.services.limiter import Limiter
from flexiapi.services.names import NameRules
from flexiapi.services.phones.devices import Devices
from flexiapi.services.phones.messages import Messages
from flexiapi.services.phones.provisioning import Provisioning
from flexiapi.services.sign_in.api_keys import ApiKeys
from flexiapi.services.sign_in.http import SignIn
from flexiapi.services.sign_in.my_password import MyPassword
from flexiapi.services.sign_in.sip import SipSignIn


@dataclass(frozen=True, slots=True)
class Services:
    """All of them, as the endpoints call them."""

    app_name: str
    sip_domain: str
    dangerous_endpoints: bool
    provisioning_header_required: bool
    key_minutes: int
    name_rules: NameRules
    limiter: Limiter
    sign_in: SignIn
    accounts: AccountDirectory
    account_rules: AccountRules
    administration: Administration
    creation: Creation
    creation_tokens: CreationTokens
    human_check: HumanCheck
    api_keys: ApiKeys
    activation: Activation
    recovery: Recovery
    provisioning: Provisioning
    my_password: MyPassword
    my_addresses: AddressChanges
    devices: Devices
    contacts: Contacts
    contacts_lists: ContactsLists
    messages: Messages
    removal: AccountRemoval
    types: AccountTypes
    actions: AccountActions
    statistics: Statistics
    external_accounts: ExternalAccounts
    seeding: Seeding
    upkeep: Upkeep
    sip_sign_in: SipSignIn
    administrators: Administrators
