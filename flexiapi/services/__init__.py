"""The rules. They know neither HTTP nor MongoDB."""

from dataclasses import dataclass

from flexiapi.services.accounts import Accounts
from flexiapi.services.activation import Activation
from flexiapi.services.administration import Administration
from flexiapi.services.administrators import Administrators
from flexiapi.services.api_keys import ApiKeys
from flexiapi.services.creation import Creation
from flexiapi.services.creation_tokens import CreationTokens
from flexiapi.services.human_check import HumanCheck
from flexiapi.services.limiter import Limiter
from flexiapi.services.my_password import MyPassword
from flexiapi.services.names import NameRules
from flexiapi.services.provisioning import Provisioning
from flexiapi.services.removal import Removal
from flexiapi.services.sign_in import SignIn
from flexiapi.services.sip_sign_in import SipSignIn
from flexiapi.services.types import Types


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
    provisioning: Provisioning
    my_password: MyPassword
    removal: Removal
    types: Types
    sip_sign_in: SipSignIn
    administrators: Administrators
