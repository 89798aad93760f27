"""The rules. They know neither HTTP nor MongoDB."""

from dataclasses import dataclass

from flexiapi.services.accounts import Accounts
from flexiapi.services.actions import Actions
from flexiapi.services.activation import Activation
from flexiapi.services.administration import Administration
from flexiapi.services.administrators import Administrators
from flexiapi.services.api_keys import ApiKeys
from flexiapi.services.contacts import Contacts
from flexiapi.services.contacts_lists import ContactsLists
from flexiapi.services.creation import Creation
from flexiapi.services.creation_tokens import CreationTokens
from flexiapi.services.devices import Devices
from flexiapi.services.external_accounts import ExternalAccounts
from flexiapi.services.human_check import HumanCheck
from flexiapi.services.limiter import Limiter
from flexiapi.services.messages import Messages
from flexiapi.services.my_addresses import MyAddresses
from flexiapi.services.my_password import MyPassword
from flexiapi.services.names import NameRules
from flexiapi.services.provisioning import Provisioning
from flexiapi.services.recovery import Recovery
from flexiapi.services.removal import Removal
from flexiapi.services.seeding import Seeding
from flexiapi.services.sign_in import SignIn
from flexiapi.services.sip_sign_in import SipSignIn
from flexiapi.services.statistics import Statistics
from flexiapi.services.types import Types
from flexiapi.services.upkeep import Upkeep


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
    accounts: Accounts
    administration: Administration
    creation: Creation
    creation_tokens: CreationTokens
    human_check: HumanCheck
    api_keys: ApiKeys
    activation: Activation
    recovery: Recovery
    provisioning: Provisioning
    my_password: MyPassword
    my_addresses: MyAddresses
    devices: Devices
    contacts: Contacts
    contacts_lists: ContactsLists
    messages: Messages
    removal: Removal
    types: Types
    actions: Actions
    statistics: Statistics
    external_accounts: ExternalAccounts
    seeding: Seeding
    upkeep: Upkeep
    sip_sign_in: SipSignIn
    administrators: Administrators
