"""The endpoints of the JSON API."""

from flexiapi.api import (
    account_states,
    account_types,
    accounts,
    actions,
    api_keys,
    auth_tokens,
    bridged_accounts,
    call_forwardings,
    call_log,
    callbacks,
    cards,
    conference_log,
    contacts,
    contacts_lists,
    creation_tokens,
    devices,
    dictionaries,
    documentation,
    event_log,
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
    provisioning_of_accounts,
    push_notifications,
    recovery,
    resolution,
    sign_up,
    sip_auth,
    spaces,
    statistics,
    voicemails,
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
    call_forwardings,
    cards,
    accounts,
    account_states,
    actions,
    dictionaries,
    bridged_accounts,
    account_types,
    contacts_lists,
    messages,
    statistics,
    voicemails,
    call_log,
    event_log,
    conference_log,
    api_keys,
    provisioning,
    provisioning_of_accounts,
    documentation,
    sip_auth,
    spaces,
    resolution,
    push_notifications,
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
