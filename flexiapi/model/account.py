"""The SIP account: creation, replacement, removal.

Its other verbs are in `access`, `proofs`, `resets`, `links` and `account_forwardings`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from flexiapi.model.access import AccountAccess
from flexiapi.model.account_forwardings import AccountForwardings
from flexiapi.model.change import Change
from flexiapi.model.links import AccountLinks
from flexiapi.model.parts import Confirmation, DictionaryEntry, DtmfProtocol, Password
from flexiapi.model.resets import AccountResets


@dataclass(frozen=True, slots=True)
class Profile:
    """All that an administrator sets of an account at once. Only what is `None` of the last three stays as it is."""

    username: str
    domain: str
    password: Password
    email: str | None = None
    phone: str | None = None
    display_name: str | None = None
    dtmf_protocol: DtmfProtocol | None = None
    is_admin: bool = False
    user_agent: str = ""
    language: str | None = None
    is_blocked: bool | None = None
    dictionary: tuple[DictionaryEntry, ...] | None = None


_OF_PROFILE = frozenset(
    {"username", "domain", "email", "phone", "display_name", "dtmf_protocol", "user_agent"}
    | {"passwords", "admin_since", "updated_at", "sign_in_epoch"}
)
"""Fields that a replacement writes in any case."""

_OF_ROOM = ("replacing_until", "activated", "activated_at", "blocked_at", "admin_since")
"""Fields that have to be as they were read when an account makes room."""


class Account(AccountAccess, AccountResets, AccountLinks, AccountForwardings):
    """A SIP account. Every verb returns the `Change` that it is and does nothing else."""

    __slots__ = ()

    @classmethod
    def new(cls, now: datetime, *, activated: bool = False, is_admin: bool = False, **fields: Any) -> Change[Self]:
        """Create an account from `fields`, which include `username`, `domain` and `passwords`.

        The store gives the id, unless `fields` has one.
        """
        defaults = {"id": 0, "created_at": now, "updated_at": now, "admin_since": now if is_admin else None}
        made = cls(**{**defaults, **fields})
        return Change("account.created", None, replace(made, **made._becoming_active(now)) if activated else made)

    def replaced_by(
        self, profile: Profile, now: datetime, *, ends_sign_ins: bool, keeps_key: bool, leaves_space: bool = False
    ) -> Change[Self]:
        """Replace what an administrator sets. Another e-mail address ends what was mailed to the one before.

        `ends_sign_ins` is for another password or name: it ends nonces, the API key (kept with `keeps_key`), codes and
        tokens, but not what activates an account that waits for its first entry. One that `leaves_space` leaves types,
        contacts and contacts lists behind, which are of that space. Fields that cannot be read get their defaults.
        Expects that the role is as it was read, and with another address that no mail was sent since.
        """
        values: dict[str, Any] = {
            "username": profile.username,
            "domain": profile.domain,
            "email": profile.email,
            "phone": profile.phone,
            "display_name": profile.display_name,
            "dtmf_protocol": profile.dtmf_protocol,
            "is_admin": profile.is_admin,
            "password": profile.password,
            "user_agent": profile.user_agent,
            **{name: getattr(self, name) for name in self.unreadable if name not in _OF_PROFILE},
            **({} if profile.language is None else {"language": profile.language}),
            **({} if profile.is_blocked is None else {"is_blocked": profile.is_blocked}),
            **({} if profile.dictionary is None else {"dictionary": profile.dictionary}),
        }
        return self._administered(
            "account.replaced",
            values,
            now,
            ends_sign_ins=ends_sign_ins,
            keeps_key=keeps_key,
            leaves_space=leaves_space,
        )

    def amended(
        self,
        values: Mapping[str, Any],
        now: datetime,
        *,
        ends_sign_ins: bool,
        keeps_key: bool,
        leaves_space: bool = False,
    ) -> Change[Self]:
        """Change some of what an administrator sets: fields of `Profile` with their new values.

        It has the same effects as `replaced_by`, but writes only these fields, so that changes of others at the same
        time hold. Expects that the role is as it was read if it is given or the account leaves its space, and with a
        password that sign-ins have not been ended since: its hash is made with the name.
        """
        change = self._administered(
            "account.amended", values, now, ends_sign_ins=ends_sign_ins, keeps_key=keeps_key, leaves_space=leaves_space
        )
        return replace(change, expecting={**change.expecting, **(self._same_sign_in if "password" in values else {})})

    def _administered(
        self,
        event: str,
        values: Mapping[str, Any],
        now: datetime,
        *,
        ends_sign_ins: bool,
        keeps_key: bool,
        leaves_space: bool,
    ) -> Change[Self]:
        fields: dict[str, Any] = {**values, **self._claims_after(values), "updated_at": now}
        unchanged: Mapping[str, Any] = {}
        password = fields.pop("password", None)
        if password is not None:
            fields["passwords"] = (password,)
        if "is_admin" in values:
            fields["admin_since"] = (self.admin_since or now) if fields.pop("is_admin") else None
        fields |= self._block_after(fields.pop("is_blocked", None), now)
        if ends_sign_ins:
            fields |= {**self._codes_ended(keeps_first_entry=True), **self._first_password_gone}
        if ends_sign_ins and not keeps_key:
            fields["api_key"] = None
        if leaves_space:
            fields |= {"type_ids": (), "contact_ids": (), "contacts_list_ids": ()}
            rules = self._forwardings_without_contacts(now)
            fields, unchanged = {**fields, **rules}, self._same_forwardings if rules else {}
        is_role_read = "admin_since" not in self.unreadable and (
            leaves_space or not {"is_admin", "is_blocked"}.isdisjoint(values)
        )
        expecting: dict[str, Any] = {"admin_since": self.admin_since} if is_role_read else {}
        expecting |= {"activated": self.activated} if values.get("is_blocked") else {}
        expecting |= unchanged
        if "email" in values and values["email"] != self.email:
            ended, kept = self._mails_ended()
            fields |= ended
            expecting |= kept
        return self._changed(event, expecting=expecting, ends_sign_ins=ends_sign_ins, **fields)

    def _block_after(self, is_blocked: bool | None, now: datetime) -> dict[str, Any]:
        """Return the fields of an account that an administrator blocked or unblocked, none if its block stays."""
        if is_blocked is None:
            return {}
        return {"blocked_at": self.blocked_at or now} if is_blocked else {"blocked_at": None, "block_reason": None}

    def _mails_ended(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields that end what was mailed to an address, and the precondition that what stays is as read.

        What the account does not have is ended too: it may have been mailed since the account was read.
        """
        ended: dict[str, Any] = {"email_change": None}
        kept: dict[str, Any] = {}
        if self.provisioning_token is None or self.provisioning_by == "mail":
            ended |= self._token_ended
        else:
            kept["provisioning_token"] = self.provisioning_token
        pending = self.confirmation
        if pending is None or self._is_mailed(pending):
            ended["confirmation"] = None
        elif pending.key is None:
            kept["confirmation.pin_hash"] = pending.pin_hash
        else:
            kept["confirmation.key"] = pending.key
        return ended, kept

    def _is_mailed(self, pending: Confirmation) -> bool:
        """Return whether a code was mailed, not only shown to the administrator who created the account.

        A mailed key has an end. One of an administrator may have one too, and cannot be told from it then.
        """
        if pending.key is None:
            return False
        return self.activated or self.unconfirmed or (self.email is not None and pending.expires_at is not None)

    def _claims_after(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of claims after an administrator set others. What is claimed stays a claim."""
        fields: dict[str, Any] = {}
        if self.claimed_phone is not None and "phone" in values:
            is_same = values["phone"] == self.claimed_phone
            names_it = self.is_claim and values.get("username", self.username) == self.username
            fields = {"phone": None} if is_same else {} if names_it else {"claimed_phone": None}
        if "email" in values and values["email"] != self.claimed_email:
            fields |= self._email_proven
        return fields

    def may_be_replaced(self, now: datetime) -> bool:
        """Return whether a new account may take the place of this one, which was not confirmed in time."""
        pending = self.confirmation
        is_code_valid = pending is not None and (pending.expires_at is None or pending.expires_at > now)
        is_held = self.replacing_until is not None and self.replacing_until > now
        touched = (self.activated_at, self.deactivated_at, self.blocked_at, self.admin_since)
        was_touched = any(time is not None for time in touched)
        return self.unconfirmed and not (was_touched or is_code_valid or is_held)

    def begin_replacement(self, until: datetime) -> Change[Self]:
        """Mark the account as the one that a new account replaces, for as long as the code of that is being sent.

        Expects that the account has no other mark, code, activation, block or role than it was read with.
        """
        pending = self.confirmation
        code = {"confirmation": None} if pending is None else {"confirmation.expires_at": pending.expires_at}
        names = ("unconfirmed", "deactivated_at", *_OF_ROOM)
        read = {name: getattr(self, name) for name in names}
        return self._changed("account.replacement_begun", expecting={**read, **code}, replacing_until=until)

    def end_replacement(self) -> Change[Self]:
        """Remove the mark, when no account takes the place of this one. Expects that it is the one that was read."""
        marked = {"replacing_until": self.replacing_until}
        return self._changed("account.replacement_dropped", expecting=marked, replacing_until=None)

    def make_room(self) -> Change[Self]:
        """Remove the account for another one. Expects that mark, activation, block and role are as they were read."""
        return self.remove(*_OF_ROOM)

    def remove(self, *unchanged: str) -> Change[Self]:
        """Remove the account. Expects that the fields named in `unchanged` are as they were read."""
        expecting = {name: getattr(self, name) for name in unchanged}
        return Change("account.removed", self, None, expecting=expecting)
