"""The nouns: accounts with their verbs, changes and actors, contacts, devices, tokens. Frozen, no I/O."""

from flexiapi.model.account import Account, Profile
from flexiapi.model.browser import Browser
from flexiapi.model.change import Actor, ActorKind, Change, Element, ElementChange
from flexiapi.model.contacts import AsContact, ContactRecord, ContactsList
from flexiapi.model.devices import (
    PUSH_ID,
    PUSH_PARAMETER,
    PUSH_PROVIDER,
    USUAL_PROVIDERS,
    Device,
    PushAddress,
    PushDevice,
)
from flexiapi.model.event import CREDENTIAL_FIELDS, Event, EventSelection
from flexiapi.model.listings import AccountSelection, AccountsFound, CreationCount
from flexiapi.model.parts import (
    AccountType,
    Action,
    ActivationExpiration,
    Algorithm,
    Challenged,
    Channel,
    CodeChannel,
    Confirmation,
    DtmfProtocol,
    ExternalAccount,
    Named,
    Password,
    PendingChange,
    StoredApiKey,
    TokenMaker,
    Types,
    Undelivered,
    hashes,
)
from flexiapi.model.record import folded, search_words, words_in
from flexiapi.model.session import PanelSession, SignInMethod
from flexiapi.model.space import EVERYWHERE, MailTexts, NamePolicy, Scope, Space, Spaces
from flexiapi.model.spellings import e164, usual_name
from flexiapi.model.tokens import AuthToken

__all__ = [
    "CREDENTIAL_FIELDS",
    "EVERYWHERE",
    "PUSH_ID",
    "PUSH_PARAMETER",
    "PUSH_PROVIDER",
    "USUAL_PROVIDERS",
    "Account",
    "AccountSelection",
    "AccountType",
    "AccountsFound",
    "Action",
    "ActivationExpiration",
    "Actor",
    "ActorKind",
    "Algorithm",
    "AsContact",
    "AuthToken",
    "Browser",
    "Challenged",
    "Change",
    "Channel",
    "CodeChannel",
    "Confirmation",
    "ContactRecord",
    "ContactsList",
    "CreationCount",
    "Device",
    "DtmfProtocol",
    "Element",
    "ElementChange",
    "Event",
    "EventSelection",
    "ExternalAccount",
    "MailTexts",
    "NamePolicy",
    "Named",
    "PanelSession",
    "Password",
    "PendingChange",
    "Profile",
    "PushAddress",
    "PushDevice",
    "Scope",
    "SignInMethod",
    "Space",
    "Spaces",
    "StoredApiKey",
    "TokenMaker",
    "Types",
    "Undelivered",
    "e164",
    "folded",
    "hashes",
    "search_words",
    "usual_name",
    "words_in",
]
