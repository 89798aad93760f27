"""The nouns: accounts and their parts, contacts, devices, tokens. Frozen, no I/O."""

from flexiapi.model.account import (
    Account,
    AccountType,
    Action,
    ActivationExpiration,
    Algorithm,
    Challenged,
    Confirmation,
    DtmfProtocol,
    ExternalAccount,
    Password,
    PendingChange,
    Types,
    hashes,
)
from flexiapi.model.contacts import ContactsList
from flexiapi.model.devices import Device, PushAddress
from flexiapi.model.listings import AccountSelection, CreationCount
from flexiapi.model.tokens import AuthToken

__all__ = [
    "Account",
    "AccountSelection",
    "AccountType",
    "Action",
    "ActivationExpiration",
    "Algorithm",
    "AuthToken",
    "Challenged",
    "Confirmation",
    "ContactsList",
    "CreationCount",
    "Device",
    "DtmfProtocol",
    "ExternalAccount",
    "Password",
    "PendingChange",
    "PushAddress",
    "Types",
    "hashes",
]
