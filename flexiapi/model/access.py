"""Verbs of an account about access: activation, deactivation, passwords, API keys, the admin role."""

from datetime import datetime
from typing import Any, Self

from flexiapi.model.change import Change
from flexiapi.model.parts import Password, StoredApiKey, Undelivered
from flexiapi.model.record import AccountRecord


class AccountAccess(AccountRecord):
    """Verbs about activation, credentials and roles."""

    __slots__ = ()

    def activate(self, now: datetime) -> Change[Self]:
        """Activate the account for an administrator. Pending codes and tokens stay usable.

        A number that is the user name is proven by that.
        """
        return self._changed("account.activated", **self._becoming_active(now), **self._name_proven, updated_at=now)

    def shut_out(self, now: datetime) -> Change[Self]:
        """Deactivate the account and end its key, nonces, codes and tokens.

        One that was never active keeps the code and the token that it was given, for the time after its activation by
        an administrator: until then they do not work. Expects that activation and role are as they were read.
        """
        was_active = self.activated or self.activated_at is not None
        ended = self._codes_ended() if was_active else {**self._changes_ended, "deactivated_at": now}
        read = {name: getattr(self, name) for name in ("activated", "activated_at", "admin_since")}
        return self._changed(
            "account.deactivated",
            expecting=read,
            ends_sign_ins=True,
            activated=False,
            activated_at=self.activated_at or (now if self.activated else None),
            api_key=None,
            updated_at=now,
            **ended,
        )

    def sign_out(self, now: datetime) -> Change[Self]:
        """End the API key, nonces and sessions. The password, codes and the provisioning token stay."""
        return self._changed("account.signed_out", ends_sign_ins=True, api_key=None, updated_at=now)

    def unlock(self, now: datetime) -> Change[Self]:
        """Forget failed sign-ins and codes of before."""
        return self._changed("account.unlocked", unlocked_at=now, updated_at=now)

    def with_language(self, language: str | None, now: datetime) -> Change[Self]:
        """Set the language of messages to the owner; `None` leaves it to the request and the domain."""
        return self._changed("account.language_set", language=language, updated_at=now)

    def note_undelivered(self, message: Undelivered) -> Change[Self]:
        """Remember a message with a code that could not be sent."""
        return self._changed("account.code_not_sent", undelivered=message)

    def block(self, now: datetime, reason: str | None = None) -> Change[Self]:
        """Block the account. A reason of before stays without another one.

        Expects that activation and role are as they were read.
        """
        read = {name: getattr(self, name) for name in ("activated", "admin_since")}
        fields: dict[str, Any] = {"blocked_at": self.blocked_at or now}
        if reason is not None:
            fields["block_reason"] = reason
        return self._changed("account.blocked", expecting=read, updated_at=now, **fields)

    def unblock(self, now: datetime) -> Change[Self]:
        """End the block of the account."""
        return self._changed("account.unblocked", blocked_at=None, block_reason=None, updated_at=now)

    def grant_admin(self, now: datetime) -> Change[Self]:
        """Give the account the admin role."""
        return self._changed("account.admin_granted", admin_since=self.admin_since or now, updated_at=now)

    def with_password(
        self,
        password: Password,
        now: datetime,
        *others: Password,
        keeps_key: bool,
        by_operator: bool = False,
        keeps_sign_ins: bool = False,
    ) -> Change[Self]:
        """Set a password, and end what the old one gave; the first password activates the account.

        `others` are further hashes of the same password. `keeps_key` keeps the API key, `keeps_sign_ins` also all
        other sign-ins but those that know the old password. The user's own password may be that of who signed up,
        unlike an operator's. Expects that sign-ins have not been ended since the account was read.
        """
        first: dict[str, Any] = {} if self.passwords else self._activating(now)
        key = {} if keeps_key else {"api_key": None}
        return self._changed(
            "account.password_changed",
            expecting=self._same_sign_in,
            ends_sign_ins=not keeps_sign_ins,
            passwords=(password, *others),
            updated_at=now,
            **{**(self._first_password_gone if by_operator else {}), **self._codes_ended(), **first, **key},
        )

    def with_api_key(self, key_hash: bytes, now: datetime) -> Change[Self]:
        """Set an API key in place of the one before.

        Expects that sign-ins have not been ended since the account was read.
        """
        key = StoredApiKey(key_hash, created_at=now, last_used_at=now)
        return self._changed("account.api_key_created", expecting=self._same_sign_in, api_key=key)

    def without_api_key(self) -> Change[Self]:
        """Remove the API key. Expects that it is still the one that was read."""
        expecting = {} if self.api_key is None else {"api_key.hash": self.api_key.hash}
        return self._changed("account.api_key_ended", expecting=expecting, api_key=None)
