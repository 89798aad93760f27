"""The fields of an account."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from flexiapi.model.change import Change
from flexiapi.model.parts import (
    Action,
    ActivationExpiration,
    Confirmation,
    DtmfProtocol,
    ExternalAccount,
    Password,
    PendingChange,
    StoredApiKey,
)

_BETWEEN_WORDS = re.compile(r"[.\-_+@\s]+")
_CODES: Mapping[str, None] = {"confirmation": None, "activation_expiration": None}
_PENDING_CHANGES: Mapping[str, None] = {"email_change": None, "phone_change": None}
_PROVISIONING: Mapping[str, None] = {"provisioning_token": None, "provisioning_token_at": None}


def folded(text: str) -> str:
    """Return a text as searches compare it: in lower case, without accents."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()


def words_in(text: str) -> list[str]:
    """Return the words of a folded text."""
    return [word for word in _BETWEEN_WORDS.split(text) if word]


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
        activated_at: when the account became active for the first time.
        sign_in_epoch: grows when everything that signs in ends; nonces and tokens carry it.
    """

    id: int
    username: str
    domain: str
    created_at: datetime
    updated_at: datetime
    activated: bool = False
    activated_at: datetime | None = None
    email: str | None = None
    phone: str | None = None
    display_name: str | None = None
    dtmf_protocol: DtmfProtocol | None = None
    group: str | None = None
    ip_address: str = ""
    user_agent: str = ""
    admin_since: datetime | None = None
    passwords: tuple[Password, ...] = ()
    sign_in_epoch: int = 0
    api_key: StoredApiKey | None = None
    provisioning_token: str | None = field(default=None, repr=False)
    provisioning_token_at: datetime | None = None
    confirmation: Confirmation | None = None
    activation_expiration: ActivationExpiration | None = None
    email_change: PendingChange | None = None
    phone_change: PendingChange | None = None
    type_ids: tuple[int, ...] = ()
    actions: tuple[Action, ...] = ()
    contact_ids: tuple[int, ...] = ()
    contacts_list_ids: tuple[int, ...] = ()
    external_account: ExternalAccount | None = None
    creation_token_hash: bytes | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """`username@domain`."""
        return f"{self.username}@{self.domain}"

    @property
    def words(self) -> list[str]:
        """What a search compares."""
        return search_words(self.username, self.email, self.phone, self.display_name)

    @property
    def is_admin(self) -> bool:
        """True with the admin role, which needs activation to be used."""
        return self.admin_since is not None

    @property
    def is_shut_out(self) -> bool:
        """True if the account was active once and has been deactivated since."""
        return self.activated_at is not None and not self.activated

    @property
    def waits_for_first_entry(self) -> bool:
        """True if an administrator created the account and its confirmation key was never used."""
        return not self.activated and self.confirmation is not None and self.confirmation.key is not None

    def _changed(
        self,
        event: str,
        *,
        expecting: Mapping[str, Any] | None = None,
        ends_sign_ins: bool = False,
        **fields: Any,
    ) -> Change[Self]:
        """Return the change that writes `fields`."""
        epoch = self.sign_in_epoch + 1 if ends_sign_ins else self.sign_in_epoch
        after = replace(self, **fields, sign_in_epoch=epoch)
        return Change(event, self, after, frozenset(fields), expecting or {}, ends_sign_ins=ends_sign_ins)

    def _becoming_active(self, now: datetime) -> dict[str, Any]:
        """Return the fields of an account that becomes active. The only place where that is written."""
        return {"activated": True, "activated_at": self.activated_at or now}

    def _activating(self, now: datetime) -> dict[str, Any]:
        """Return the fields of an account that proved itself: active, and without pending code or deadline."""
        return {**self._becoming_active(now), **_CODES}

    def _codes_ended(self, *, keeps_first_entry: bool = False) -> dict[str, Any]:
        """Return the fields that end all pending codes and the provisioning token.

        With `keeps_first_entry` an account that waits for its first entry keeps what activates it.
        """
        if keeps_first_entry and self.waits_for_first_entry:
            return dict(_PENDING_CHANGES)
        return {**_PENDING_CHANGES, **_PROVISIONING, "confirmation": None}

    @property
    def _same_sign_in(self) -> Mapping[str, Any]:
        """The precondition that sign-ins have not been ended since the account was read."""
        return {"sign_in_epoch": self.sign_in_epoch}

    @property
    def _token_ended(self) -> Mapping[str, None]:
        """The fields that end the provisioning token."""
        return _PROVISIONING
