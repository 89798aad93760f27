"""The fields of an account."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from flexiapi.crypto.keys import Secret
from flexiapi.model.call_forwarding import CallForwarding
from flexiapi.model.change import Change
from flexiapi.model.parts import (
    Action,
    ActivationExpiration,
    BridgedAccount,
    Confirmation,
    DictionaryEntry,
    DtmfProtocol,
    ExternalAccount,
    Password,
    PendingChange,
    ProvisioningFetch,
    StoredApiKey,
    TokenMaker,
    Undelivered,
)

_BETWEEN_WORDS = str.maketrans(dict.fromkeys(".-_+@", " "))
_CODES: Mapping[str, None] = {"confirmation": None, "activation_expiration": None}
_PENDING_CHANGES: Mapping[str, None] = {"email_change": None, "phone_change": None}
_PROVISIONING: Mapping[str, None] = dict.fromkeys(
    ("provisioning_token", "provisioning_token_at", "provisioning_token_until", "provisioning_by")
)


def folded(text: str) -> str:
    """Return a text as searches compare it: in lower case, without accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()


def words_in(text: str) -> list[str]:
    """Return the words of a folded text."""
    return text.translate(_BETWEEN_WORDS).split()


def search_words(username: str, email: str | None, phone: str | None, display_name: str | None) -> list[str]:
    """Return what a search compares with the names of an account: user name, address and number, and all their words.

    Its domain is not among them: whole services have the same.
    """
    names = [folded(name) for name in (username, email, phone) if name]
    texts = [*names, folded(display_name)] if display_name else names
    return list(dict.fromkeys([*names, *(word for text in texts for word in words_in(text))]))


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account without its verbs. `username`, `domain` and `email` are lower-case; `phone` is `+` and digits.

    Attributes:
        language: tag of the language that its owner gets messages in; `None` leaves it to the request and the domain.
        activated_at: when the account became active for the first time.
        deactivated_at: when an administrator deactivated it before that, so that it cannot activate itself.
        block_reason: why an administrator blocked it, for administrators alone.
        provisioning_token_until: end of a token that was mailed; `None` leaves it to the settings.
        unlocked_at: when an operator had failed sign-ins and codes of before forgotten.
        undelivered: the last message with a code that could not be sent, if none was sent since.
        unreadable: fields that could not be read from the database, and have their default here.
        phone: its number, which it proved, or which an administrator set.
        claimed_phone: a number that it was created with and has not proven. It is no identifier.
        claimed_email: the address in `email` while it is not proven. With `account.email_unique` it is no identifier.
        unconfirmed: whether the public created it and it has proven nothing yet.
        replacing_until: until then its code is being sent, or that of the account that replaces it.
        provisioning_by: who made the provisioning token; `None` is the account itself.
        has_first_password: whether the password comes from who signed up with a number, and need not be its owner.
        sign_in_epoch: grows when everything that signs in ends; nonces and tokens carry it.
    """

    id: int
    username: str
    domain: str
    created_at: datetime
    updated_at: datetime
    activated: bool = False
    activated_at: datetime | None = None
    deactivated_at: datetime | None = None
    blocked_at: datetime | None = None
    block_reason: str | None = None
    email: str | None = None
    phone: str | None = None
    claimed_phone: str | None = None
    claimed_email: str | None = None
    unconfirmed: bool = False
    replacing_until: datetime | None = None
    display_name: str | None = None
    dtmf_protocol: DtmfProtocol | None = None
    group: str | None = None
    language: str | None = None
    ip_address: str = ""
    user_agent: str = ""
    admin_since: datetime | None = None
    passwords: tuple[Password, ...] = ()
    has_first_password: bool = False
    sign_in_epoch: int = 0
    unlocked_at: datetime | None = None
    undelivered: Undelivered | None = None
    api_key: StoredApiKey | None = None
    provisioning_token: Secret | None = field(default=None, repr=False)
    provisioning_token_at: datetime | None = None
    provisioning_token_until: datetime | None = None
    provisioning_by: TokenMaker | None = None
    last_provisioning: ProvisioningFetch | None = None
    confirmation: Confirmation | None = None
    activation_expiration: ActivationExpiration | None = None
    email_change: PendingChange | None = None
    phone_change: PendingChange | None = None
    type_ids: tuple[int, ...] = ()
    actions: tuple[Action, ...] = ()
    dictionary: tuple[DictionaryEntry, ...] = ()
    contact_ids: tuple[int, ...] = ()
    contacts_list_ids: tuple[int, ...] = ()
    call_forwardings: tuple[CallForwarding, ...] = ()
    external_account: ExternalAccount | None = None
    bridged_account: BridgedAccount | None = None
    creation_token_hash: bytes | None = field(default=None, repr=False)
    unreadable: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """`username@domain`."""
        return f"{self.username}@{self.domain}"

    @property
    def words(self) -> list[str]:
        """Texts that a search compares."""
        return search_words(self.username, self.email, self.phone, self.display_name)

    @property
    def is_claim(self) -> bool:
        """True if the user name is a number that is not proven yet: then there is no other name to find it by."""
        return self.claimed_phone is not None and self.claimed_phone == self.username

    @property
    def shown_phone(self) -> str | None:
        """The number; before the activation also one that is only claimed."""
        return self.phone or (None if self.activated else self.claimed_phone)

    @property
    def proven_email(self) -> str | None:
        """The address, unless it is only claimed."""
        return None if self.email == self.claimed_email else self.email

    @property
    def texted_number(self) -> str | None:
        """The number that SMS go to: its own, one that it claims, or its user name."""
        return self.phone or self.claimed_phone or (self.username if self.username.startswith("+") else None)

    @property
    def is_admin(self) -> bool:
        """True with the admin role, which needs activation to be used."""
        return self.admin_since is not None

    @property
    def is_shut_out(self) -> bool:
        """True if an administrator deactivated the account, before or after its first activation."""
        return not self.activated and (self.activated_at is not None or self.deactivated_at is not None)

    @property
    def is_blocked(self) -> bool:
        """True if an administrator blocked the account: it keeps everything, and may use nothing."""
        return self.blocked_at is not None

    @property
    def is_barred(self) -> bool:
        """True if it was deactivated before it was ever active: what it was given does not activate it."""
        return not self.activated and self.deactivated_at is not None

    @property
    def waits_for_first_entry(self) -> bool:
        """True if an administrator created the account and its confirmation key was never used."""
        return not self.activated and self.confirmation is not None and self.confirmation.key is not None

    def _changed(
        self, event: str, *, expecting: Mapping[str, Any] | None = None, ends_sign_ins: bool = False, **fields: Any
    ) -> Change[Self]:
        """Return the change that writes `fields`."""
        after = replace(self, **fields, sign_in_epoch=self.sign_in_epoch + int(ends_sign_ins))
        return Change(event, self, after, frozenset(fields), expecting or {}, ends_sign_ins=ends_sign_ins)

    def _becoming_active(self, now: datetime) -> dict[str, Any]:
        """Return the fields of an account that becomes active. The only place where that is written."""
        mark = {"unconfirmed": False, "replacing_until": None} if self.unconfirmed else {}
        bar = {} if self.deactivated_at is None else {"deactivated_at": None}
        return {"activated": True, "activated_at": self.activated_at or now, **bar, **mark}

    def _activating(self, now: datetime) -> dict[str, Any]:
        """Return the fields of an account that proved itself: active, and without pending code or deadline."""
        return {**self._becoming_active(now), **_CODES}

    @property
    def _first_password_gone(self) -> dict[str, Any]:
        """Return the fields of an account that gets another password."""
        return {"has_first_password": False} if self.has_first_password else {}

    @property
    def _name_proven(self) -> dict[str, Any]:
        """Return the fields of an account whose user name is a number that is proven now, none for all others."""
        return self._phone_proven if self.is_claim else {}

    @property
    def _phone_proven(self) -> dict[str, Any]:
        """Return the fields of an account that proves the number that it claims, none if it claims none."""
        return {} if self.claimed_phone is None else {"phone": self.claimed_phone, "claimed_phone": None}

    @property
    def _email_proven(self) -> dict[str, Any]:
        """Return the fields of an account whose address is proven now, none if it was before."""
        return {} if self.claimed_email is None else {"claimed_email": None}

    def _codes_ended(self, *, keeps_first_entry: bool = False) -> dict[str, Any]:
        """Return the fields that end all pending codes and the provisioning token.

        With `keeps_first_entry` an account that waits for its first entry keeps what activates it.
        """
        if keeps_first_entry and self.waits_for_first_entry:
            return dict(_PENDING_CHANGES)
        return {**_PENDING_CHANGES, **_PROVISIONING, "confirmation": None}

    @property
    def _changes_ended(self) -> Mapping[str, None]:
        """The fields that end pending changes of address."""
        return _PENDING_CHANGES

    @property
    def _same_sign_in(self) -> Mapping[str, Any]:
        """The precondition that sign-ins have not been ended, nor the account blocked, since it was read."""
        return {"sign_in_epoch": self.sign_in_epoch, **self._not_blocked}

    @property
    def _not_blocked(self) -> Mapping[str, Any]:
        """The precondition that the account has not been blocked since it was read; none if it was blocked then."""
        return {} if self.is_blocked or "blocked_at" in self.unreadable else {"blocked_at": None}

    @property
    def _delivered(self) -> Mapping[str, None]:
        """The fields of an account to which a code was sent."""
        return {} if self.undelivered is None else {"undelivered": None}

    @property
    def _token_ended(self) -> Mapping[str, None]:
        """The fields that end the provisioning token."""
        return _PROVISIONING
