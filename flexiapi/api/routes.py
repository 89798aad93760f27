"""Every endpoint there is."""

from flexiapi.api import (
    accounts,
    auth_tokens,
    creation_tokens,
    documentation,
    human_check,
    my_account,
    ping,
    provisioning,
    sign_up,
    sip_auth,
)
from flexiapi.api.handler import Handler

_MODULES = (
    ping,
    creation_tokens,
    auth_tokens,
    sign_up,
    my_account,
    accounts,
    provisioning,
    human_check,
    sip_auth,
    documentation,
)

HANDLERS: tuple[type[Handler], ...] = tuple(
    member
    for module in _MODULES
    for member in vars(module).values()
    if isinstance(member, type) and issubclass(member, Handler) and member.__module__ == module.__name__ and member.path
)
