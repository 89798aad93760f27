"""The export of everything that is stored about a person."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime

from pymongo import MongoClient

from flexiapi.model import (
    Account,
    Action,
    ActivationExpiration,
    Algorithm,
    BridgedAccount,
    BridgeProtocol,
    CallForwarding,
    Confirmation,
    DictionaryEntry,
    DtmfProtocol,
    ExternalAccount,
    ForwardingKind,
    ForwardingTarget,
    PendingChange,
    ProvisioningFetch,
    Undelivered,
)
from flexiapi.panel.user.personal_data import SECRETS, account_of

NOW = datetime(2026, 11, 1, tzinfo=UTC)

# What documents hold beside the fields of an account, and why it is in no export.
OF_THE_DATABASE = {
    "identifiers": "made of the names that are exported",
    "words": "made of the names that are exported",
    "provisioning_secret": "hash and seal of a secret, whose times are exported",
    "confirmation_secret": "hash and seal of a secret, whose times are exported",
    "revision": "counter of changes, which the events have",
    "pending_events": "events that are about to be moved to the others",
    "pending_since": "time of those",
    "epoch": SECRETS["sign_in_epoch"],
}
STORED = {"id": "_id", "type_ids": "types", "contact_ids": "contacts", "contacts_list_ids": "contacts_lists"}
# Texts that no export has.
HIDDEN = ("5ecre7-token", "5ecre7-key", "5ecre7-hash", "5ecre7-pin")


def whole(server, person):
    """Give an account a value in every field."""
    pin = HIDDEN[3].encode()
    pending = PendingChange("new@example.org", pin, NOW, NOW)
    return server.set(
        person.id,
        activated_at=NOW,
        deactivated_at=NOW,
        phone=f"+33612{person.id:06}",
        claimed_phone=f"+33613{person.id:06}",
        claimed_email="claimed@example.org",
        unconfirmed=True,
        replacing_until=NOW,
        display_name="Alice",
        dtmf_protocol=DtmfProtocol.SIPINFO,
        group="team",
        language="fr",
        ip_address="192.0.2.7",
        user_agent="Phone/1",
        unlocked_at=NOW,
        undelivered=Undelivered("sms", "sms.main", "busy", NOW),
        provisioning_token=f"{HIDDEN[0]}-{person.id}",
        provisioning_token_at=NOW,
        provisioning_token_until=NOW,
        provisioning_by="admin",
        last_provisioning=ProvisioningFetch(NOW, NOW, "192.0.2.8", "Phone/2"),
        confirmation=Confirmation(key=HIDDEN[1], expires_at=NOW, networks=("192.0.2.9",)),
        activation_expiration=ActivationExpiration(1, NOW, NOW, NOW),
        email_change=pending,
        phone_change=replace(pending, target="+33612345670"),
        type_ids=(1,),
        actions=(Action(1, "open", "12"),),
        dictionary=(DictionaryEntry("customer", "C-1024"),),
        contact_ids=(2,),
        contacts_list_ids=(3,),
        external_account=ExternalAccount("line7", "trunk.example.net", "g", HIDDEN[2], Algorithm.MD5),
        call_forwardings=(
            CallForwarding(
                1, ForwardingKind.BUSY, ForwardingTarget.SIP_URI, True, NOW, NOW, "sip:bob@sip.example.org", 2
            ),
        ),
        bridged_account=BridgedAccount(
            5, f"line{person.id}", "trunk.example.net", BridgeProtocol.TLS, HIDDEN[2], NOW, NOW
        ),
        creation_token_hash=HIDDEN[2].encode(),
        has_first_password=True,
    )


def test_every_field_of_an_account_is_exported_or_on_the_list_of_secrets(server, person):
    account = whole(server, person)
    empty = {one.name for one in fields(Account) if not getattr(account, one.name)}
    assert empty <= {"blocked_at", "block_reason", "admin_since", "sign_in_epoch", "unreadable"}
    shown = account_of(account)
    assert shown.keys() == {one.name for one in fields(Account)} - SECRETS.keys() | {"password_algorithms"}
    assert {name for name, value in shown.items() if value in (None, [], "", {})} == {"blocked_at", "admin_since"}
    text = json.dumps(shown)
    assert not any(secret in text for secret in (*HIDDEN, person.key, account.passwords[0].ha1))


def test_every_key_of_a_document_is_exported_or_has_a_reason(server, person):
    whole(server, person)
    with MongoClient(server.uri) as client:
        document = client[server.settings.mongodb.database]["accounts"].find_one({"_id": person.id})
    exported = {STORED.get(name, name) for name in account_of(server.account(person.id))}
    assert document.keys() - exported - OF_THE_DATABASE.keys() - SECRETS.keys() == set()


def test_the_file_has_what_is_stored_elsewhere_and_no_secret(server, me, person):
    bob = server.person(display_name="Bob")
    made = server.run(server.store.contacts_lists.add("Neighbours", "Of the house", server.actor))
    server.set(person.id, contact_ids=(bob.id,), contacts_list_ids=(made.id,))
    server.run(server.store.journal.pending.move())
    answer = me.open("/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="account.json"'
    assert "no-store" in answer.headers["cache-control"]
    data = answer.json()
    assert data.keys() == {
        *("account", "types", "contacts", "contacts_lists", "vcards", "devices", "sessions", "tokens", "events"),
        *("provisioning_fetches", "named_api_keys", "events_are_complete"),
        *("voicemails", "calls", "messages", "conferences", "calls_messages_and_conferences_are_complete"),
    }
    assert data["account"]["username"] == person.account.username
    assert [one["address"] for one in data["contacts"]] == [bob.sip]
    assert [one["title"] for one in data["contacts_lists"]] == ["Neighbours"]
    (session,) = data["sessions"]
    assert (session["ip"], session["method"]) == ("127.0.0.1", "password")
    assert "id_hash" not in session
    assert "account.created" in [one["name"] for one in data["events"]]
    assert me.http.cookies["flexiapi"] not in answer.text
    assert person.account.passwords[0].ha1 not in answer.text
    assert person.key not in answer.text


def test_exports_are_limited_and_demand_a_fresh_proof(server, me, person):
    for _ in range(2):
        assert me.open("/export").status_code == 200
    assert me.open("/export").status_code == 429
    server.later(minutes=61)
    page = me.open("/export")
    assert page.url.path == "/confirm"
    assert me.send("/confirm", password=person.password).headers["content-type"].startswith("application/json")
