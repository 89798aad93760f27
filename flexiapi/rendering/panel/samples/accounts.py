"""Samples of the pages about accounts."""

from dataclasses import replace
from datetime import UTC, datetime

from flexiapi.crypto.keys import token_hash
from flexiapi.model import (
    Account,
    AccountsTotal,
    AccountType,
    Action,
    ActivationExpiration,
    Actor,
    Algorithm,
    BridgedAccount,
    BridgeProtocol,
    Confirmation,
    ContactsList,
    Device,
    DictionaryEntry,
    DtmfProtocol,
    Event,
    ExternalAccount,
    NotedFetch,
    PanelSession,
    PendingChange,
    ProvisioningFetch,
    PushAddress,
    SignInMethod,
    StoredApiKey,
    Undelivered,
)
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.accounts import (
    AccountConfirmPage,
    AccountFinding,
    AccountListPage,
    ActivityTab,
    BulkConfirmPage,
    BulkResult,
    BulkResultsPage,
    Column,
    ContactsTab,
    DevicesTab,
    InformationTab,
    OneFormPage,
    ProvisioningTab,
    SetupLink,
)
from flexiapi.rendering.panel.call_forwarding import ForwardingLine
from flexiapi.rendering.panel.forms import Choice, FieldView, FormView
from flexiapi.rendering.panel.frame import FormLink, PanelPage
from flexiapi.rendering.panel.samples.surroundings import FORM, FRAME, TOKEN

_WHEN = datetime(2026, 11, 1, 9, 5, tzinfo=UTC)
_BARE = Account(12, "alice.martin", "sip.example.org", _WHEN, _WHEN)
_FULL = replace(
    _BARE,
    id=13,
    activated=bool(TOKEN),
    activated_at=_WHEN,
    deactivated_at=_WHEN,
    blocked_at=_WHEN,
    block_reason="Reported for spam",
    unlocked_at=_WHEN,
    admin_since=_WHEN,
    email="alice@example.org",
    phone="+33612345678",
    claimed_phone="+33612345679",
    claimed_email="alice@example.org",
    display_name="Alice Martin",
    dtmf_protocol=DtmfProtocol.SIPINFO,
    ip_address="192.0.2.1",
    user_agent="LinphoneAndroid/6.0.0",
    api_key=StoredApiKey(b"", _WHEN, _WHEN),
    provisioning_token=TOKEN,
    provisioning_token_at=_WHEN,
    provisioning_by="admin",
    last_provisioning=ProvisioningFetch(_WHEN, _WHEN, "192.0.2.1", "LinphoneAndroid/6.0.0"),
    confirmation=Confirmation(pin_hash=b"", expires_at=_WHEN, attempts=2),
    email_change=PendingChange("new@example.org", b"", _WHEN, _WHEN, 1),
    activation_expiration=ActivationExpiration(1, _WHEN, _WHEN, _WHEN),
    undelivered=Undelivered("account.recovery", "main", "The number is unknown.", _WHEN),
    actions=(Action(1, "open", "1"),),
    dictionary=(DictionaryEntry("customer", "C-1024"),),
    bridged_account=BridgedAccount(3, "alice4711", "sip.example.com", BridgeProtocol.TLS, "", _WHEN, _WHEN),
    external_account=ExternalAccount("outside", "sip.example.com", "group", "", Algorithm.SHA_256),
    unreadable=("email",),
)
_TYPES = (AccountType(1, "phone"),)
_LISTS = (ContactsList(1, "Family", ""),)
_BACK = FormLink("/admin/accounts/12", marked("Go back without a change"))
_EVENT = Event(
    "1", 1, "account.amended", _WHEN, "accounts", 12, 3, Actor.system(), {"fields": ["display_name", "email"]}
)
_SESSION = PanelSession(
    token_hash(""), 12, 0, _WHEN, _WHEN, _WHEN, _WHEN, "192.0.2.1", "Firefox", SignInMethod.PASSWORD
)
_DEVICES = (
    Device("urn:uuid:1", "LinphoneAndroid/6.0.0", _WHEN, _WHEN, "192.0.2.1", PushAddress("fcm", "p", "r")),
    Device("urn:uuid:2", "", _WHEN),
)
_COLUMNS = {
    name: Column(marked("Address"), f"sort={name}", "descending" if name == "updated" else None)
    for name in ("username", "created", "updated", "id")
}
_BULK = FormView(
    "/admin/accounts/bulk",
    TOKEN,
    marked("Do it for the chosen accounts"),
    [
        FieldView("change", marked("With the chosen accounts"), "select", choices=[Choice("delete", "Delete")]),
        FieldView("to_list", marked("Contacts list"), "select"),
    ],
)


def _list(*accounts: Account, total: AccountsTotal, **more: bool | str | None) -> AccountListPage:
    links = {"first": "", "previous": None, "following": None, "last": None, "export": "", "most_exported": 10_000}
    given = {**links, **more}
    return AccountListPage(FRAME, FORM, _BULK, _COLUMNS, accounts, total, **given)  # type: ignore[arg-type]


PAGES: tuple[PanelPage, ...] = (
    _list(_FULL, _BARE, total=AccountsTotal(2), previous="before=x", following="after=x", last="before=end"),
    _list(total=AccountsTotal(10_000, is_more=True), is_filtered=True, is_incomplete=True, is_lost=True),
    _list(total=AccountsTotal(None), previous="before=end"),
    _list(total=AccountsTotal(0)),
    BulkConfirmPage(FRAME, _BULK, marked("That cannot be undone."), [_FULL, _BARE]),
    BulkResultsPage(FRAME, [BulkResult(12, _BARE.address, None), BulkResult(13, None, "There is no such account.")], 1),
    InformationTab(FRAME, _FULL, True, FORM, _TYPES, [ForwardingLine(1, "always", "voicemail", is_ended=True)]),
    InformationTab(FRAME, _BARE, False, FORM, ()),
    ContactsTab(FRAME, _FULL, False, [_BARE, _FULL], _LISTS),
    ContactsTab(FRAME, _BARE, False, (), ()),
    ProvisioningTab(FRAME, _FULL, False, SetupLink("https://x/provisioning/N", "data:image/png;base64,AAAA"), _WHEN),
    ProvisioningTab(FRAME, _FULL, False, None, None, [("sip", "a", "b"), ("auth_info_0", "ha1", None)]),
    ProvisioningTab(
        FRAME,
        _BARE,
        False,
        None,
        None,
        (),
        "The configuration of devices is out of order.",
        [(NotedFetch(_WHEN, "spent", "192.0.2.1", "LinphoneSDK/5.2.0"), ["It does not follow redirections."])],
    ),
    DevicesTab(FRAME, _FULL, False, _DEVICES),
    DevicesTab(FRAME, _FULL, False, ()),
    DevicesTab(FRAME, _FULL, False, (), "The SIP server does not answer."),
    ActivityTab(FRAME, _FULL, False, [AccountFinding("codes", "It has none.", "Wait.")], [_SESSION], [_EVENT]),
    ActivityTab(FRAME, _BARE, False, (), (), ()),
    AccountConfirmPage(FRAME, FORM, _FULL, [marked("That cannot be undone.")], "phone", _BACK),
    AccountConfirmPage(FRAME, FORM, _FULL, (), "", _BACK),
    OneFormPage(FRAME, FORM, _FULL, _BACK),
    OneFormPage(FRAME, FORM, _FULL, _BACK, [marked("There is no further type.")]),
)
