"""Accounts as MongoDB documents. A field that is not set is absent, never null."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from operator import attrgetter
from typing import Any

from flexiapi.crypto.keys import ApplicationKey, SealedText, Secret, found_by, opened
from flexiapi.model import (
    Account,
    Action,
    Algorithm,
    Confirmation,
    DictionaryEntry,
    DtmfProtocol,
    Named,
    Password,
    Spaces,
    e164,
    usual_name,
)
from flexiapi.store.accounts_elsewhere import bridge_document, bridge_read, external_document, external_read
from flexiapi.store.forwardings import forwardings_read, forwardings_stored
from flexiapi.store.unreadable import PARTS, UNREADABLE, classes_of_fields, in_part

Document = dict[str, Any]

STORED_NAMES = {
    "id": "_id",
    "type_ids": "types",
    "contact_ids": "contacts",
    "contacts_list_ids": "contacts_lists",
    "sign_in_epoch": "epoch",
}
_ELSEWHERE = ("external_account", "bridged_account")
_SEQUENCES = ("type_ids", "contact_ids", "contacts_list_ids")
# A document holds these otherwise than an account.
_COMPOSED = frozenset(
    {*PARTS, *_SEQUENCES, "passwords", "actions", "dictionary", "call_forwardings", *_ELSEWHERE}
    | {"unconfirmed", "has_first_password", "provisioning_token", "provisioning_token_until", "confirmation"}
)
_NAMES = tuple(field.name for field in dataclasses.fields(Account) if field.name != "unreadable")
_values = attrgetter(*_NAMES)
_READ_AS_THEY_ARE = {
    STORED_NAMES.get(name, name): (name, classes)
    for name, classes in classes_of_fields().items()
    if name not in _COMPOSED - {"unconfirmed", "has_first_password"} | {"dtmf_protocol", "unreadable"}
}
_ALGORITHMS = {str(algorithm): algorithm for algorithm in Algorithm}
_IDENTITY = frozenset({"username", "domain", "phone", "email", "claimed_phone", "claimed_email", "unconfirmed"})
# What identifiers and words of an account are made of.
SPOKEN = _IDENTITY | {"display_name"}


class AccountDocuments:
    """Encoder and decoder of accounts, which seals secrets with the application key.

    `spaces` have the domains of phone aliases; `email_unique` makes an address an identifier.

    Provisioning tokens and confirmation keys are in `provisioning_secret` and `confirmation_secret`: SHA-256 and seal.
    While `writes_clear_text`, they are also where older servers look for them. What is there wins over a secret that is
    not `alone`: an older server may have written another one, or have ended it.
    """

    writes_clear_text = True

    def __init__(self, key: ApplicationKey, spaces: Spaces, *, email_unique: bool) -> None:
        self._key = key
        self._spaces = spaces
        self.email_unique = email_unique
        self._encoders: Mapping[str, Callable[[Any, int], Any]] = {
            "passwords": lambda value, owner: [self._password(item, owner) for item in value],
            **dict.fromkeys(PARTS, lambda value, _: plain(value)),
            **dict.fromkeys(("actions", "dictionary"), lambda value, _: [plain(item) for item in value]),
            "call_forwardings": lambda value, _: forwardings_stored(value),
            "external_account": lambda value, owner: external_document(value, bound_to_account(owner), key),
            "bridged_account": lambda value, owner: bridge_document(value, owner, key),
            "unconfirmed": _if_true,
            "has_first_password": _if_true,
        }
        self._decoders: Mapping[str, tuple[str, Callable[[Any, int], Any]]] = {
            "dtmf_protocol": ("dtmf_protocol", lambda value, _: DtmfProtocol(value)),
            "passwords": ("passwords", lambda value, owner: tuple(self._read_password(item, owner) for item in value)),
            "actions": ("actions", lambda value, _: tuple(Action(**item) for item in value)),
            "call_forwardings": ("call_forwardings", lambda value, _: forwardings_read(value)),
            "dictionary": ("dictionary", lambda value, _: tuple(DictionaryEntry(**item) for item in value)),
            "external_account": (
                "external_account",
                lambda value, owner: external_read(value, bound_to_account(owner), key),
            ),
            "bridged_account": ("bridged_account", lambda value, owner: bridge_read(value, owner, key)),
            **{STORED_NAMES[name]: (name, lambda value, _: tuple(value)) for name in _SEQUENCES},
            **{name: (name, _part(part)) for name, part in PARTS.items()},
        }

    def identifiers(self, account: Named) -> list[str]:
        """Return the identifiers by which the account is found. No other account may have one of them.

        Numbers and user names in an unusual spelling are there in the usual one too.
        """
        space = self._spaces.by_domain.get(account.domain, self._spaces.default)
        names = []
        awaits_pin = account.unconfirmed and not account.email
        if account.claimed_phone and (awaits_pin or account.claimed_phone == account.username):
            names.append(claim(account.claimed_phone, account.domain))
        if account.claimed_phone != account.username:
            names += [f"sip:{name}@{account.domain}" for name in (account.username, usual_name(account.username))]
            if account.username.startswith("+"):
                names += [f"tel:{number}{space.suffix}" for number in (account.username, e164(account.username))]
        if account.phone:
            names.append(f"sip:{account.phone}@{space.domain}")
            names += [f"tel:{number}{space.suffix}" for number in (account.phone, e164(account.phone))]
        if account.email and self.email_unique and account.email != account.claimed_email:
            names.append(f"mailto:{account.email}{space.suffix}")
        return list(dict.fromkeys(names))

    def encode(self, account: Account) -> Document:
        """Return the whole document."""
        document: Document = {}
        for name, value in zip(_NAMES, _values(account), strict=True):
            if value is None or value == ():
                continue
            if name in _COMPOSED:
                document.update((key, part) for key, part in self.stored(name, account).items() if part is not None)
            else:
                document[STORED_NAMES.get(name, name)] = value
        return document | {"identifiers": self.identifiers(account), "words": account.words}

    def stored(self, name: str, account: Account) -> Document:
        """Return what a document holds of a field; `None` stands for an absent value."""
        value = getattr(account, name)
        if name == "provisioning_token":
            return self._provisioning(account)
        if name == "provisioning_token_until":
            return {}
        if name == "confirmation":
            return self._confirmation(value, account.id)
        key = STORED_NAMES.get(name, name)
        if value is None or value == ():
            return {key: None}
        if name in self._encoders:
            return {key: self._encoders[name](value, account.id)}
        return {key: list(value) if name in _SEQUENCES else value}

    def changes(self, after: Account, names: frozenset[str]) -> Document:
        """Return the update that writes the named fields of `after`."""
        setting: Document = {}
        unsetting: Document = {}
        for name in names:
            for key, value in self.stored(name, after).items():
                if value is None:
                    unsetting[key] = ""
                else:
                    setting[key] = value
        if names & SPOKEN:
            setting |= {"identifiers": self.identifiers(after), "words": after.words}
        return {**({"$set": setting} if setting else {}), **({"$unset": unsetting} if unsetting else {})}

    def decode(self, document: Document) -> Account:
        """Return the account of a document, without what cannot be read of it."""
        try:
            return self._decoded(document)
        except UNREADABLE:
            return in_part(self._decoded, document, self._spaces.default.domain)

    def _decoded(self, document: Document) -> Account:
        """Return the account of a document. Raises one of `UNREADABLE`."""
        owner = document["_id"]
        fields: dict[str, Any] = {}
        for key, value in document.items():
            if key in _READ_AS_THEY_ARE:
                name, classes = _READ_AS_THEY_ARE[key]
                if not isinstance(value, classes):
                    raise TypeError(key)
                fields[name] = value
            elif value and key in self._decoders:
                name, read = self._decoders[key]
                fields[name] = read(value, owner)
        if "confirmation" in document:
            fields["confirmation"] = self._read_confirmation(document)
        if "provisioning_token" in document or "provisioning_secret" in document:
            fields["provisioning_token"] = self._read_token(document)
            fields["provisioning_token_until"] = _end_of_token(document)
        return Account(**fields)

    def _provisioning(self, account: Account) -> Document:
        token, until = account.provisioning_token, account.provisioning_token_until
        secret = self._secret(token, bound_to_token(account.id))
        if secret is not None:
            secret |= {"until": until} if until else {}
            secret |= {} if self.writes_clear_text else {"alone": True}
        return {"provisioning_token": self._clear(token), "provisioning_secret": secret}

    def _confirmation(self, pending: Confirmation | None, owner: int) -> Document:
        if pending is None:
            return {"confirmation": None, "confirmation_secret": None}
        told: Document = {"attempts": pending.attempts, "expires_at": pending.expires_at}
        told |= {"key": self._clear(pending.key), "pin_hash": pending.pin_hash if pending.key is None else None}
        secret = self._secret(pending.key, bound_to_key(owner)) or {"hash": pending.pin_hash}
        secret |= _of_pin(pending)
        shown = {name: value for name, value in told.items() if value is not None}
        return {"confirmation": shown, "confirmation_secret": secret}

    def _secret(self, secret: Secret | None, bound: str) -> Document | None:
        """Return hash and seal of a secret."""
        if secret is None:
            return None
        same = secret.sealed(bound) if isinstance(secret, SealedText) else None
        return {"hash": found_by(secret), "sealed": same or self._key.seal(opened(secret), bound)}

    def _clear(self, secret: Secret | None) -> str | None:
        return opened(secret) if secret is not None and self.writes_clear_text else None

    def _read_token(self, document: Document) -> Secret | None:
        clear, secret = document.get("provisioning_token"), document.get("provisioning_secret")
        if clear is not None:
            return str(clear)
        if secret is None or not secret.get("alone"):
            return None
        return SealedText(self._key, secret["sealed"], bound_to_token(document["_id"]), secret["hash"])

    def _read_confirmation(self, document: Document) -> Confirmation | None:
        told = document.get("confirmation")
        if told is None:
            return None
        secret, key = document.get("confirmation_secret") or {}, told.get("key")
        if key is None and told.get("pin_hash") is None and secret:
            key = SealedText(self._key, secret["sealed"], bound_to_key(document["_id"]), secret["hash"])
        return _confirmation_read(told, secret, key)

    def _password(self, password: Password, owner: int) -> Document:
        return {
            "algorithm": str(password.algorithm),
            "sealed": self._key.seal(opened(password.stored), bound_to_account(owner)),
        }

    def _read_password(self, item: Document, owner: int) -> Password:
        return Password(_ALGORITHMS[item["algorithm"]], SealedText(self._key, item["sealed"], bound_to_account(owner)))


def _of_pin(pending: Confirmation) -> Document:
    """Return what `confirmation_secret` holds of a PIN: who asked for it, and all of one that is beside a key."""
    asked: Document = {"network": " ".join(pending.networks)} if pending.networks else {}
    beside = {"pin_hash": pending.pin_hash, "pin_expires_at": pending.pin_expires_at}
    return asked | beside if pending.key is not None and pending.pin_hash is not None else asked


def _confirmation_read(told: Document, secret: Document, key: Secret | None) -> Confirmation:
    """Return a confirmation, without what `confirmation_secret` holds of another one: older servers do not write it."""
    pin_hash = told.get("pin_hash")
    of_pin = secret if secret and secret.get("hash") == (pin_hash if key is None else found_by(key)) else {}
    ends_at, networks, until = told.get("expires_at"), of_pin.get("network", "").split(), of_pin.get("pin_expires_at")
    return Confirmation(key, of_pin.get("pin_hash", pin_hash), ends_at, told.get("attempts", 0), tuple(networks), until)


def claim(number: str, domain: str) -> str:
    """Return the identifier of the account to whose number the code went that is to prove it. It finds nothing else."""
    return f"claim:{number}@{domain}"


def bound_to_account(owner: int) -> str:
    """Return the context that seals of an account are bound to."""
    return f"account:{owner}"


def bound_to_token(owner: int) -> str:
    """Return the context that the seal of a provisioning token is bound to."""
    return f"provisioning token of account:{owner}"


def bound_to_key(owner: int) -> str:
    """Return the context that the seal of a confirmation key is bound to."""
    return f"confirmation key of account:{owner}"


def _end_of_token(document: Document) -> datetime | None:
    """Return when a mailed token ends; `None` for one that is not, or that an older server made since."""
    secret = document.get("provisioning_secret") or {}
    until, clear = secret.get("until"), document.get("provisioning_token")
    if not isinstance(until, datetime | None):
        raise TypeError
    return until if until is None or clear is None or found_by(clear) == secret.get("hash") else None


def _part(part: Callable[..., Any]) -> Callable[[Document, int], Any]:
    return lambda value, _: part(**value)


def _if_true(value: bool, _owner: int) -> bool | None:
    return value or None


def plain(value: Any) -> Document:
    """Return a part as a document."""
    return {name: getattr(value, name) for name in value.__slots__}
