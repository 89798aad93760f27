"""The JSON of every view of an account, byte by byte: clients see the order of keys, too."""

import re
from datetime import UTC, datetime
from functools import partial

import pytest
from pydantic import TypeAdapter

from flexiapi.api.views import accounts
from flexiapi.api.views.accounts import ViewData
from flexiapi.api.views.contacts import ContactView
from flexiapi.api.views.recovery import RecoveredAccount
from flexiapi.model import (
    Account,
    AccountType,
    Action,
    ActivationExpiration,
    Algorithm,
    Confirmation,
    DictionaryEntry,
    DtmfProtocol,
    Password,
    PendingChange,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
LATER = datetime(2026, 1, 3, 3, 4, 5, tzinfo=UTC)
DATA = ViewData("the realm", {12: (AccountType(1, "phone"),)})
ACCOUNT = Account(
    id=12,
    username="zoé",
    domain="sip.example.org",
    created_at=NOW,
    updated_at=LATER,
    activated=True,
    email="zoe@example.org",
    phone="+33612345678",
    display_name='Zoé "Z"',
    dtmf_protocol=DtmfProtocol.SIPINFO,
    group="staff",
    ip_address="192.0.2.1",
    user_agent="Linphone",
    admin_since=NOW,
    passwords=(Password(Algorithm.MD5, "a1"), Password(Algorithm.SHA_256, "b2")),
    provisioning_token="the-token",
    confirmation=Confirmation(key="the-key"),
    activation_expiration=ActivationExpiration(3, LATER, NOW, NOW),
    email_change=PendingChange("new@example.org", b"hash", NOW, LATER),
    type_ids=(1,),
    actions=(Action(5, "open", "123"),),
    dictionary=(DictionaryEntry("customer", "C-1024"),),
)
COMMON = (
    '"id":12,"username":"zoé","domain":"sip.example.org","email":"zoe@example.org","activated":true,'
    '"ip_address":"192.0.2.1","user_agent":"Linphone","created_at":"2026-01-02T03:04:05.678901Z",'
    '"updated_at":"2026-01-03T03:04:05.000000Z","display_name":"Zoé \\"Z\\"","dtmf_protocol":"sipinfo",'
    '"group":"staff","realm":"the realm","phone":"+33612345678","confirmation_key_expires":"2026-01-03 03:04:05",'
    '"activation_expiration":{"id":3,"account_id":12,"expires":"2026-01-03 03:04:05",'
    '"created_at":"2026-01-02T03:04:05.678901Z","updated_at":"2026-01-02T03:04:05.678901Z"},'
    '"email_change_code":{"email":"new@example.org","created_at":"2026-01-02T03:04:05.678901Z",'
    '"updated_at":"2026-01-02T03:04:05.678901Z"},"types":[{"id":1,"key":"phone"}],'
    '"actions":[{"id":5,"key":"open","code":"123"}],"sip_uri":"sip:zoé@sip.example.org","blocked":false,'
    '"dictionary":{"customer":"C-1024"}'
)
ADMIN = '"admin":{"created_at":"2026-01-02T03:04:05.678901Z","updated_at":"2026-01-02T03:04:05.678901Z"}'
USER = f'{COMMON},"passwords":[{{"algorithm":"MD5"}},{{"algorithm":"SHA-256"}}],{ADMIN}'
SECRETS = '"confirmation_key":"the-key","provisioning_token":"the-token"'
STORED = '"passwords":[{"algorithm":"MD5","password":"a1"},{"algorithm":"SHA-256","password":"b2"}]'
CONTACT = (
    '"id":12,"username":"zoé","domain":"sip.example.org","activated":true,"dtmf_protocol":"sipinfo",'
    '"realm":"the realm","phone":"+33612345678","confirmation_key_expires":null,"types":[{"id":1,"key":"phone"}],'
    '"actions":[{"id":5,"key":"open","code":"123"}]'
)


def encoded(view, account=ACCOUNT):
    return partial(TypeAdapter(view).dump_json, by_alias=True)(view.of(account, DATA)).decode()


@pytest.mark.parametrize(
    ("view", "keys"),
    [
        (accounts.ListedAccount, COMMON),
        (accounts.SingleAccount, f'{COMMON},{SECRETS},"block_reason":null'),
        (accounts.AccountView, USER),
        (accounts.InactiveAccount, USER),
        (accounts.ProvisionedAccount, f'{USER},"provisioning_token":"the-token"'),
        (accounts.WrittenAccount, f"{USER},{SECRETS}"),
        (accounts.CreatedAccount, f"{USER},{SECRETS}"),
        (RecoveredAccount, f"{COMMON},{STORED},{ADMIN}"),
        (ContactView, CONTACT),
    ],
)
def test_a_view_is_the_same_to_the_byte(view, keys):
    assert encoded(view) == f"{{{keys}}}"


def test_what_an_account_lacks_is_null_or_empty():
    bare = Account(id=1, username="bob", domain="d.org", created_at=NOW, updated_at=NOW, actions=ACCOUNT.actions)
    nothing = re.findall(r'"(\w+)":(?:null|\[\])', encoded(accounts.CreatedAccount, bare))
    assert nothing == [
        *("email", "display_name", "dtmf_protocol", "group", "phone", "confirmation_key_expires"),
        *("activation_expiration", "email_change_code", "types", "actions", "passwords", "admin"),
        *("confirmation_key", "provisioning_token"),
    ]
