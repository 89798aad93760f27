"""Two spaces in one server, and all that one of them may have."""

import asyncio
import hashlib
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import SimpleNamespace

from flexiapi.crypto.keys import opened, random_text, token_hash
from flexiapi.model import (
    Account,
    Action,
    Actor,
    ActorKind,
    Algorithm,
    BridgedAccount,
    BridgeProtocol,
    CallForwarding,
    Confirmation,
    DictionaryEntry,
    DtmfProtocol,
    ForwardingKind,
    ForwardingTarget,
    KeyScope,
    PendingChange,
    ReportedDevice,
    ReportKind,
    SipReport,
    SoundType,
    StoredApiKey,
    Voicemail,
)
from flexiapi.services.codes import NewInvitation
from flexiapi.services.contacts.card_text import card_of
from flexiapi.services.sign_in import NewNamedKey
from flexiapi.store import FiledReport
from tests.kit.person import PASSWORD
from tests.kit.stranger import new_number

A, B = "sip.example.org", "b.example.org"
PIN = "0427"


def card_text(uid):
    """A vCard with this UID."""
    return f"BEGIN:VCARD\nVERSION:4.0\nUID:{uid}\nFN:A name\nEND:VCARD\n"


def actor_of(server, domain):
    """An actor of the space of a domain."""
    return Actor(ActorKind.SYSTEM, space=server.store.spaces.of_domain(domain))


@dataclass
class World:
    """Accounts, tokens, a list, a type and an action of one space. Every text in it stands nowhere else.

    `person` and `admin` sign in; `member` has the contact `contact`; `waiting` and `pinned` wait for a code.
    """

    domain: str
    accounts: dict
    keys: dict
    tokens: dict
    type_id: int
    list_id: int
    texts: set = field(default_factory=set)
    new_key: Callable | None = None
    new_invitation: Callable | None = None

    def __getattr__(self, name):
        try:
            return self.__dict__["accounts"][name]
        except KeyError:
            raise AttributeError(name) from None

    @cached_property
    def named_key_id(self):
        """The id of a named API key, made when it is first asked for: a space has not many."""
        return self.new_key()

    @cached_property
    def invitation_id(self):
        """The id of an invitation, made when it is first asked for."""
        return self.new_invitation()

    @property
    def host(self):
        return {"Host": self.domain} if self.domain == B else {}

    def headers(self, name):
        return {**self.host, "x-api-key": self.keys[name]}


def world(server, domain) -> World:
    """Make a new world, with as few writes as possible."""
    made = server.run(_made(server, domain))
    keys, new = server.services.sign_in.named_keys, NewNamedKey(f"Key {secrets.token_hex(4)}", [KeyScope.PUSH])
    made.new_key = lambda: server.run(keys.make(new, actor_of(server, domain)))[1].key.id
    invitations, invited = server.services.codes.invitations, NewInvitation("An invitation")
    made.new_invitation = lambda: server.run(invitations.make(invited, actor_of(server, domain))).invitation.id
    return made


async def _made(server, domain) -> World:
    store, services, actor = server.store, server.services, actor_of(server, domain)
    now, mark = server.clock.second(), secrets.token_hex(4)
    texts = {"type": f"type-{mark}", "title": f"Title {mark}", "action": f"action-{mark}"}
    names = ("person", "admin", "member", "contact", "waiting", "pinned")
    made_type, made_list, action_id, *numbers = await asyncio.gather(
        store.types.add(texts["type"], actor),
        store.contacts_lists.add(texts["title"], f"Description {mark}", actor),
        store.counters.next("account_actions"),
        *(store.counters.next("accounts") for _ in names),
    )
    type_id, list_id, ids = made_type.id, made_list.id, dict(zip(names, numbers, strict=True))
    keys = {name: random_text(40) for name in ("person", "admin", "member")}
    code = random_text(13)
    hashed = services.codes.address_changes._codes.hash

    def made(name, **fields):
        username = f"{name}.{mark}"
        stored = services.sign_in.passwords.stored(username, domain, Algorithm.SHA_256, PASSWORD)
        key = keys.get(name)
        api_key = StoredApiKey(token_hash(key), now, now) if key else None
        defaults = {"activated": True, "email": f"{name}.{mark}@example.com", "phone": new_number(), "api_key": api_key}
        fields = {"dtmf_protocol": DtmfProtocol.SIPINFO, **defaults, **fields}
        return Account(ids[name], username, domain, now, now, passwords=(stored,), **fields)

    def change(channel, target):
        return PendingChange(target, hashed(PIN, ids["person"], channel, target), now, now + timedelta(hours=1))

    rule = CallForwarding(
        await store.counters.next("call_forwardings"),
        ForwardingKind.ALWAYS,
        ForwardingTarget.CONTACT,
        enabled=False,
        created_at=now,
        updated_at=now,
        contact_id=ids["contact"],
    )
    linked = {
        "contact_ids": (ids["contact"],),
        "contacts_list_ids": (list_id,),
        "type_ids": (type_id,),
        "call_forwardings": (rule,),
    }
    action = Action(action_id, texts["action"], "1")
    pinned = new_number()
    confirmation = Confirmation(pin_hash=hashed(PIN, ids["pinned"], "confirmation", pinned))
    changes = {
        "email_change": change("email", f"new.{mark}@example.com"),
        "phone_change": change("phone", new_number()),
    }
    accounts = {
        "person": made("person", **linked, **changes),
        "admin": made("admin", admin_since=now),
        "member": made(
            "member",
            **linked,
            actions=(action,),
            dictionary=(DictionaryEntry("customer", mark),),
            bridged_account=BridgedAccount(
                ids["member"], f"bridged.{mark}", "sip.example.com", BridgeProtocol.TLS, "0" * 32, now, now
            ),
            provisioning_token=random_text(13),
            provisioning_token_at=now,
        ),
        "contact": made("contact"),
        "waiting": made("waiting", activated=False, confirmation=Confirmation(key=code)),
        "pinned": made("pinned", activated=False, phone=pinned, confirmation=confirmation),
    }
    *_, tokens = await asyncio.gather(
        store.bulk.put(list(accounts.values()), actor),
        store.contacts_lists.add_contact(list_id, ids["contact"], actor),
        *(
            store.cards.add(ids[name], card_of(card_text(f"urn:uuid:{name}.{mark}")), now)
            for name in ("person", "member")
        ),
        _tokens(services, accounts["person"], actor),
    )
    await store.sip_reports.write(_reports(server, accounts), now)
    tokens |= {**await _voicemails(server, accounts, actor), "code": code}
    made_world = World(domain, accounts, keys, {**tokens, "action": action.id}, type_id, list_id)
    made_world.texts = {mark, *tokens.values(), code, *keys.values()}
    made_world.tokens["rule"] = rule.id
    made_world.texts |= {account.phone for account in accounts.values()} | {
        opened(accounts["member"].provisioning_token)
    }
    return made_world


def _reports(server, accounts):
    """A call and a message of the world, as its SIP server reports them."""
    person, member = accounts["person"], accounts["member"]
    space = server.store.spaces.of_domain(person.domain)
    return [
        FiledReport(
            SipReport(
                kind=kind,
                id=f"{kind}-{person.username}",
                sender=person.address,
                receivers=(member.address,),
                begun_at=server.clock.now(),
                devices=(ReportedDevice(f"key-of-{member.username}", member.address),),
            ),
            space,
            space.reach,
        )
        for kind in (ReportKind.CALL, ReportKind.MESSAGE)
    ]


async def _tokens(services, person, actor):
    codes, api_keys = services.codes.creation_tokens, services.sign_in.api_keys
    creation, request, validated, free, attached = await asyncio.gather(
        codes.make(actor),
        codes.request(actor),
        codes.request(actor),
        api_keys.new_auth_token(actor),
        api_keys.new_auth_token(actor),
    )
    await asyncio.gather(codes.validate_request(validated, actor), api_keys.attach(attached.token, person, actor))
    return {
        "creation": creation,
        "request": request,
        "validated": validated,
        "free": free.token,
        "attached": attached.token,
    }


async def _voicemails(server, accounts, actor):
    """A voicemail of the member, one of the person, and a slot of the member."""
    store, now, voicemails = server.store.voicemails, server.clock.now(), server.services.calls.voicemails
    tokens = {}
    for owner, name in (("member", "voicemail"), ("person", "own_voicemail")):
        announced = await voicemails.announce(accounts[owner], f"sip:bob@{secrets.token_hex(4)}", SoundType.WAV, actor)
        link = str(uuid.UUID(bytes=secrets.token_bytes(16)))
        file_id = await store.files.begin(now)
        came_at = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=secrets.randbelow(2**29))
        slot, ends_at = announced.slot, now + timedelta(days=1)
        voicemail = Voicemail(slot.id, slot.account_id, slot.caller, slot.type, 1, now, came_at, ends_at, file_id, link)
        await store.files.add(file_id, 0, b"R")
        await store.add(voicemail, actor, most=10, most_bytes=10)
        tokens |= {name: slot.id, f"{name}_link": link, f"{name}_name": voicemail.name}
    announced = await voicemails.announce(accounts["member"], None, SoundType.WAV, actor)
    return {**tokens, "slot": announced.secret}


async def documents(server, one):
    """All that the database has of a world but for uses of keys and events on their way."""
    database, stored = server.store._database, server.store.spaces.of_domain(one.domain).stored
    queries = {
        "accounts": {"_id": {"$in": [account.id for account in one.accounts.values()]}},
        "account_types": {"_id": one.type_id},
        "contacts_lists": {"_id": one.list_id},
        "voicemail_boxes": {"_id": {"$in": [account.id for account in one.accounts.values()]}},
        "voicemail_slots": {"account_id": {"$in": [account.id for account in one.accounts.values()]}},
    }
    of_accounts = {"accounts": {"$in": [account.id for account in one.accounts.values()]}}
    queries |= dict.fromkeys(("reported_calls", "reported_messages", "reported_conferences"), of_accounts)
    keys = {"$in": [token_hash(token, stored) for token in map(str, one.tokens.values())]}
    queries |= {name: {"_id": keys} for name in ("creation_tokens", "request_tokens", "auth_tokens")}
    found = await asyncio.gather(
        *(database[name].find(query).sort("_id").to_list(None) for name, query in queries.items())
    )
    for document in (document for documents_of_one in found for document in documents_of_one):
        document.get("api_key", {}).pop("last_used_at", None)
        for name in ("pending_events", "pending_since"):
            document.pop(name, None)
    return found


def sip_auth_query(account):
    """The query of Flexisip's plugin for a right answer of the account to a challenge."""
    nonce, uri = secrets.token_hex(8), f"sip:{account.domain}"
    signed = hashlib.sha256(f"REGISTER:{uri}".encode()).hexdigest()
    response = hashlib.sha256(f"{account.passwords[0].ha1}:{nonce}:{signed}".encode()).hexdigest()
    values = SimpleNamespace(
        method="REGISTER",
        domain=account.domain,
        username=account.username,
        nonce=nonce,
        uri=uri,
        response=response,
        algorithm="SHA-256",
    )
    return "&".join(f"{name}={value}" for name, value in vars(values).items())
