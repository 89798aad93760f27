"""The endpoints of the JSON API."""

from flexiapi.api import (
    account_states,
    account_types,
    accounts,
    actions,
    api_keys,
    auth_tokens,
    callbacks,
    contacts,
    contacts_lists,
    creation_tokens,
    devices,
    dictionaries,
    documentation,
    health,
    invitations,
    languages,
    messages,
    metrics,
    my_account,
    my_addresses,
    my_services,
    phone_countries,
    ping,
    provisioning,
    recovery,
    sign_up,
    sip_auth,
    spaces,
    statistics,
)
from flexiapi.api.endpoint import ApiEndpoint

# In the order of the documentation.
_MODULES = (
    ping,
    creation_tokens,
    invitations,
    auth_tokens,
    sign_up,
    recovery,
    my_account,
    my_addresses,
    languages,
    devices,
    my_services,
    contacts,
    accounts,
    account_states,
    actions,
    dictionaries,
    account_types,
    contacts_lists,
    messages,
    statistics,
    api_keys,
    provisioning,
    documentation,
    sip_auth,
    spaces,
    phone_countries,
    callbacks,
    metrics,
    health,
)

API_ENDPOINTS: tuple[type[ApiEndpoint], ...] = tuple(
    member
    for module in _MODULES
    for member in vars(module).values()
    if isinstance(member, type)
    and issubclass(member, ApiEndpoint)
    and member.__module__ == module.__name__
    and member.path
)
