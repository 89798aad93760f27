"""Accounts as MongoDB documents. A field that is not set is absent, never null."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeGuard

from flexiapi.crypto.keys import ApplicationKey
from flexiapi.model import (
    Account,
    Action,
    ActivationExpiration,
    Algorithm,
    Confirmation,
    DtmfProtocol,
    Element,
    ElementChange,
    ExternalAccount,
    Password,
    PendingChange,
    Scope,
    Spaces,
    StoredApiKey,
    e164,
    usual_name,
)

Document = dict[str, Any]

_FIELDS = {
    "id": "_id",
    "type_ids": "types",
    "contact_ids": "contacts",
    "contacts_list_ids": "contacts_lists",
    "sign_in_epoch": "epoch",
}
_NAMES = tuple(field.name for field in dataclasses.fields(Account))
# Plain values that few accounts have.
_RARE = (
    "claimed_phone",
    "claimed_email",
    "unconfirmed",
    "replacing_until",
    "has_first_password",
    "provisioning_by",
)
_ALGORITHMS = {str(algorithm): algorithm for algorithm in Algorithm}
_SEQUENCES = ("type_ids", "contact_ids", "contacts_list_ids")
IDENTITY = frozenset({"username", "domain", "phone", "email", "claimed_phone", "claimed_email", "unconfirmed"})


class Named(Protocol):
    """The names of an account, of which its identifiers are made."""

    @property
    def username(self) -> str:
        """User name."""

    @property
    def domain(self) -> str:
        """SIP domain."""

    @property
    def phone(self) -> str | None:
        """Phone number."""

    @property
    def email(self) -> str | None:
        """E-mail address."""

    @property
    def claimed_phone(self) -> str | None:
        """Phone number that is not proven."""

    @property
    def claimed_email(self) -> str | None:
        """E-mail address if it is not proven."""

    @property
    def unconfirmed(self) -> bool:
        """Whether the public created it and it has proven nothing yet."""


class AccountDocuments:
    """Encoder and decoder of accounts, which seals password hashes with the application key.

    `spaces` have the domains of phone aliases; `email_unique` makes an address an identifier.
    """

    def __init__(self, key: ApplicationKey, spaces: Spaces, *, email_unique: bool) -> None:
        self._key = key
        self._spaces = spaces
        self.email_unique = email_unique
        self._encoders: Mapping[str, Callable[[Any, int], Any]] = {
            "passwords": lambda value, owner: [self._password(item, owner) for item in value],
            "confirmation": lambda value, _: _confirmation(value),
            "email_change": lambda value, _: _plain(value),
            "phone_change": lambda value, _: _plain(value),
            "activation_expiration": lambda value, _: _plain(value),
            "api_key": lambda value, _: _plain(value),
            "actions": lambda value, _: [_plain(item) for item in value],
            "external_account": self._external,
            "unconfirmed": _if_true,
            "has_first_password": _if_true,
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
        fields = {name: self.encode_field(name, getattr(account, name), account.id) for name in _NAMES}
        document = {_FIELDS.get(name, name): value for name, value in fields.items() if value is not None}
        document["identifiers"] = self.identifiers(account)
        return document

    def encode_field(self, name: str, value: Any, owner: int) -> Any:
        """Return the value of a field, `None` if it is to be absent."""
        if value is None or value == ():
            return None
        if name in self._encoders:
            return self._encoders[name](value, owner)
        return list(value) if name in _SEQUENCES else value

    def changes(self, after: Account, names: frozenset[str]) -> Document:
        """Return the update that writes the named fields of `after`."""
        setting: Document = {}
        unsetting: Document = {}
        for name in names:
            value = self.encode_field(name, getattr(after, name), after.id)
            if value is None:
                unsetting[_FIELDS.get(name, name)] = ""
            else:
                setting[_FIELDS.get(name, name)] = value
        if names & IDENTITY:
            setting["identifiers"] = self.identifiers(after)
        return {**({"$set": setting} if setting else {}), **({"$unset": unsetting} if unsetting else {})}

    def conditions(self, expecting: Mapping[str, Any]) -> Document:
        """Return the query for preconditions, which name fields of the account by dotted path."""
        return {".".join(_stored_path(path)): value for path, value in expecting.items()}

    def element(self, element: Element) -> tuple[Document, Document]:
        """Return the query and the update of a change to one element of a list."""
        name, item = _FIELDS.get(element.field, element.field), element.item
        if not isinstance(item, Action):
            if element.kind is ElementChange.ADDED:
                return {name: {"$ne": item}}, {"$push": {name: item}}
            return {name: item}, {"$pull": {name: item}}
        by_id = {f"{name}.id": item.id}
        if element.kind is ElementChange.ADDED:
            return {}, {"$push": {name: _plain(item)}}
        if element.kind is ElementChange.REPLACED:
            return by_id, {"$set": {f"{name}.$.key": item.key, f"{name}.$.code": item.code}}
        return by_id, {"$pull": {name: {"id": item.id}}}

    def decode(self, document: Document) -> Account:
        """Return the account of a document."""
        get = document.get
        owner = document["_id"]
        return Account(
            id=owner,
            username=document["username"],
            domain=document["domain"],
            created_at=document["created_at"],
            updated_at=document["updated_at"],
            activated=get("activated", False),
            activated_at=get("activated_at"),
            deactivated_at=get("deactivated_at"),
            blocked_at=get("blocked_at"),
            email=get("email"),
            phone=get("phone"),
            display_name=get("display_name"),
            dtmf_protocol=DtmfProtocol(protocol) if (protocol := get("dtmf_protocol")) else None,
            group=get("group"),
            ip_address=get("ip_address", ""),
            user_agent=get("user_agent", ""),
            admin_since=get("admin_since"),
            passwords=tuple(self._read_password(item, owner) for item in get("passwords", ())),
            sign_in_epoch=get("epoch", 0),
            api_key=StoredApiKey(**item) if (item := get("api_key")) else None,
            provisioning_token=get("provisioning_token"),
            provisioning_token_at=get("provisioning_token_at"),
            confirmation=Confirmation(**item) if (item := get("confirmation")) else None,
            activation_expiration=ActivationExpiration(**item) if (item := get("activation_expiration")) else None,
            email_change=PendingChange(**item) if (item := get("email_change")) else None,
            phone_change=PendingChange(**item) if (item := get("phone_change")) else None,
            type_ids=tuple(get("types", ())),
            actions=tuple(Action(**item) for item in get("actions", ())),
            contact_ids=tuple(get("contacts", ())),
            contacts_list_ids=tuple(get("contacts_lists", ())),
            external_account=self._read_external(item, owner) if (item := get("external_account")) else None,
            creation_token_hash=get("creation_token_hash"),
            **{name: document[name] for name in _RARE if name in document},
        )

    def _password(self, password: Password, owner: int) -> Document:
        return {"algorithm": str(password.algorithm), "sealed": self._key.seal(password.ha1, bound_to_account(owner))}

    def _read_password(self, item: Document, owner: int) -> Password:
        return Password(_ALGORITHMS[item["algorithm"]], self._key.open(item["sealed"], bound_to_account(owner)))

    def _external(self, external: ExternalAccount, owner: int) -> Document:
        return {
            "username": external.username,
            "domain": external.domain,
            "group": external.group,
            "algorithm": str(external.algorithm),
            "sealed": self._key.seal(external.ha1, bound_to_account(owner)),
        }

    def _read_external(self, item: Document, owner: int) -> ExternalAccount:
        return ExternalAccount(
            item["username"],
            item["domain"],
            item["group"],
            self._key.open(item["sealed"], bound_to_account(owner)),
            Algorithm(item["algorithm"]),
        )


def within(scope: Scope) -> Document:
    """Return the query for the accounts of a scope."""
    if scope.only is not None:
        return {"domain": scope.only}
    return {"domain": {"$nin": sorted(scope.but)}} if scope.but else {}


def is_within(document: Document | None, scope: Scope) -> TypeGuard[Document]:
    """Return whether there is an account document and its domain is in the scope: the one filter between spaces."""
    if document is None:
        return False
    domain = document["domain"]
    return domain not in scope.but if scope.only is None else domain == scope.only


def claim(number: str, domain: str) -> str:
    """Return the identifier of the account to whose number the code went that is to prove it. It finds nothing else."""
    return f"claim:{number}@{domain}"


def bound_to_account(owner: int) -> str:
    """Return the context that seals of an account are bound to."""
    return f"account:{owner}"


def _confirmation(value: Confirmation) -> Document:
    return {name: item for name in value.__slots__ if (item := getattr(value, name)) is not None}


def _if_true(value: bool, _owner: int) -> bool | None:
    return value or None


def _plain(value: Any) -> Document:
    return {name: getattr(value, name) for name in value.__slots__}


def _stored_path(path: str) -> list[str]:
    """Return the parts of a dotted path, the first by its name in documents."""
    first, *rest = path.split(".")
    return [_FIELDS.get(first, first), *rest]
