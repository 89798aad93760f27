"""Verbs of an account about proofs: confirmation codes, changes of address, provisioning tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from flexiapi.model.change import Change
from flexiapi.model.parts import Channel, Confirmation, Password, PendingChange, ProvisioningFetch, TokenMaker
from flexiapi.model.record import AccountRecord

# The networks with a share of the tries of a PIN. The first ones keep theirs.
_MOST_ASKING = 4
_LONGEST_AGENT = 200


class AccountProofs(AccountRecord):
    """Codes and tokens that prove an address or open an account."""

    __slots__ = ()

    def networks_asking(self, network: str, now: datetime) -> tuple[str, ...]:
        """Return the networks that asked for the PIN that is pending, and the one that asks for a new PIN."""
        pending = self.confirmation
        ends_at = None if pending is None else pending.pin_expires_at or pending.expires_at
        before = pending.networks if pending is not None and ends_at is not None and ends_at > now else ()
        return tuple(dict.fromkeys((*before, network)))[:_MOST_ASKING]

    def await_code(self, confirmation: Confirmation) -> Change[Self]:
        """Set the code that activates or recovers the account. It replaces the one that is pending.

        Expects that activation, e-mail address and sign-ins are as they were when the code was sent.
        """
        fields = {**self._bar_lifted, **self._delivered, "confirmation": confirmation}
        return self._changed("account.code_sent", expecting=self._as_when_sent, **fields)

    def await_recovery_pin(self, confirmation: Confirmation, now: datetime) -> Change[Self]:
        """Set the PIN that recovers the account, beside a mailed key that is still valid.

        Anyone can ask for a PIN, so it must not end what an administrator had mailed. Expects the same as `await_code`,
        and that no other code was sent meanwhile.
        """
        pending = self.confirmation
        if pending is None or pending.key is None or (pending.expires_at is not None and pending.expires_at <= now):
            return self.await_code(confirmation)
        ends_at = confirmation.expires_at
        both = replace(confirmation, key=pending.key, expires_at=pending.expires_at, pin_expires_at=ends_at)
        fields: dict[str, Any] = {**self._delivered, "confirmation": both}
        return self._changed("account.code_sent", expecting={**self._as_when_sent, **self._same_code}, **fields)

    def await_first_code(self, confirmation: Confirmation) -> Change[Self]:
        """Set the code of a new account, which was inserted to be held while the code was sent.

        Expects that it is still held and not active.
        """
        held = {"replacing_until": self.replacing_until, "activated": self.activated}
        return self._changed("account.code_sent", expecting=held, confirmation=confirmation, replacing_until=None)

    def await_recovery(self, confirmation: Confirmation, token: str, now: datetime) -> Change[Self]:
        """Set the code and the provisioning token of a recovery mail, which ends with the code.

        Expects the same as `await_code`.
        """
        made: dict[str, Any] = {"provisioning_token": token, "provisioning_token_at": now, "provisioning_by": "mail"}
        made |= {**self._delivered, "provisioning_token_until": confirmation.expires_at}
        fields = {**self._bar_lifted, **made, "confirmation": confirmation, "updated_at": now}
        return self._changed("account.recovery_sent", expecting=self._as_when_sent, **fields)

    @property
    def _bar_lifted(self) -> dict[str, Any]:
        """The fields with which something new from an administrator lets in an account that was never active.

        What it had been given before ends.
        """
        return {"deactivated_at": None, "confirmation": None, **self._token_ended} if self.is_barred else {}

    @property
    def _as_when_sent(self) -> Mapping[str, Any]:
        return {"activated": self.activated, "email": self.email, **self._same_sign_in}

    def use_code(self, now: datetime) -> Change[Self]:
        """Activate the account by its pending code, which ends and proves the address that it was sent to.

        Expects that the code is still the one compared, and that the account was not blocked meanwhile.
        """
        fields = {**self._activating(now), **self._proven_by_code}
        return self._changed("account.confirmed", expecting=self._same_code, updated_at=now, **fields)

    def recover(
        self, now: datetime, passwords: Sequence[Password] | None = None, *, is_to_name: bool = False
    ) -> Change[Self]:
        """Give the account back to the holder of its pending code, and end what signs in, but for the password.

        With `passwords` they replace those that the account has, whose creator need not be the owner of the number.
        A PIN then ends an address that is not proven, and with `is_to_name`, where it was sent to the number that is
        the user name, another number of the account. One that was sent to such another number does not show that the
        new password is the owner's. Expects the same as `use_code`.
        """
        fields = {**self._codes_ended(), **self._activating(now), **self._proven_by_code, "api_key": None}
        if passwords is not None:
            is_pin = "confirmation.pin_hash" in self._same_code
            is_elsewhere = is_pin and self.username.startswith("+") and not is_to_name
            fields |= {"passwords": tuple(passwords), **({} if is_elsewhere else self._first_password_gone)}
            if self.claimed_email is not None and "claimed_email" not in fields:
                fields |= {"email": None, "claimed_email": None}
            if is_to_name and self.phone not in (None, self.username):
                fields["phone"] = self.username
        return self._changed(
            "account.recovered", expecting=self._same_code, ends_sign_ins=True, updated_at=now, **fields
        )

    @property
    def _proven_by_code(self) -> dict[str, Any]:
        """Return the fields that the pending code proves: a key was mailed, a PIN was sent to the number."""
        pending = self.confirmation
        assert pending is not None
        return self._phone_proven if pending.pin_hash is not None else self._email_proven

    def drop_code(self) -> Change[Self]:
        """End the pending code, which is spent. Expects that it is still the one compared."""
        return self._changed("account.code_dropped", expecting=self._same_code, confirmation=None)

    @property
    def _same_code(self) -> Mapping[str, Any]:
        pending = self.confirmation
        assert pending is not None
        same = {"deactivated_at": self.deactivated_at, **self._not_blocked}
        if pending.key is not None:
            return {"confirmation.key": pending.key, **same}
        return {"confirmation.pin_hash": pending.pin_hash, **same}

    def pending_change(self, channel: Channel) -> PendingChange | None:
        """Return the change of address that waits for its code."""
        return self.email_change if channel == "email" else self.phone_change

    def await_change(self, channel: Channel, pending: PendingChange) -> Change[Self]:
        """Set the change of address that waits for its code.

        Expects that sign-ins have not been ended since the account was read.
        """
        fields: dict[str, Any] = {change_field(channel): pending, **self._delivered}
        return self._changed(f"account.{channel}_change_requested", expecting=self._same_sign_in, **fields)

    def confirm_change(self, channel: Channel, now: datetime) -> Change[Self]:
        """Set the address that its code proved, and activate the account.

        A new e-mail address ends the provisioning token, which was mailed to the old one. Expects that the pending
        change is still the one compared, and that the account was not blocked meanwhile.
        """
        pending = self.pending_change(channel)
        assert pending is not None
        ended = self._token_ended if channel == "email" else {}
        proved = {channel: pending.target, change_field(channel): None, **self._claim_ended(channel)}
        fields: dict[str, Any] = {**proved, **self._activating(now), **ended}
        return self._changed(
            f"account.{channel}_changed", expecting=self._same_change(channel), updated_at=now, **fields
        )

    def _claim_ended(self, channel: Channel) -> dict[str, Any]:
        claimed = f"claimed_{channel}"
        return {} if getattr(self, claimed) is None else {claimed: None}

    def drop_change(self, channel: Channel) -> Change[Self]:
        """End the pending change of address. Expects that it is still the one compared."""
        fields: dict[str, Any] = {change_field(channel): None}
        return self._changed(f"account.{channel}_change_dropped", expecting=self._same_change(channel), **fields)

    def _same_change(self, channel: Channel) -> Mapping[str, Any]:
        pending = self.pending_change(channel)
        assert pending is not None
        return {f"{change_field(channel)}.pin_hash": pending.pin_hash, **self._not_blocked}

    def with_provisioning_token(self, token: str, now: datetime, by: TokenMaker | None = None) -> Change[Self]:
        """Set a provisioning token in place of the one before; `by` is who made it, if not the account itself.

        Expects that sign-ins have not been ended since the account was read: a deactivation would otherwise leave a
        token that activates again. One that was mailed also expects the address and the activation as they were.
        """
        made = {"provisioning_token": token, "provisioning_token_at": now, "provisioning_by": by}
        given = {**self._token_ended, **made, "updated_at": now}
        expecting = self._as_when_sent if by == "mail" else self._same_sign_in
        return self._changed("account.provisioning_token_created", expecting=expecting, **self._bar_lifted | given)

    @property
    def _token_activates(self) -> bool:
        """True if the provisioning token activates the account: its own does not before the account proved anything.

        A link in a mail does not prove a number.
        """
        if self.is_claim:
            return self.provisioning_by == "admin"
        return not self.unconfirmed or self.provisioning_by is not None

    def use_provisioning_token(
        self, now: datetime, password: Password | None = None, *, address: str = "", user_agent: str = ""
    ) -> Change[Self]:
        """End the provisioning token, which a program at an address fetched, and activate the account by it.

        With `password`, reset the password; by a token that the account made itself, it is still one of who signed up.
        Expects that token and sign-ins are as they were read.
        """
        fields: dict[str, Any] = {"last_provisioning": _fetch_of(self, now, address, user_agent), "updated_at": now}
        if not self.activated and self._token_activates:
            fields |= {**self._activating(now), **self._name_proven}
        if self.provisioning_by == "mail":
            fields |= self._email_proven
        if password is not None:
            mark = {} if self.provisioning_by is None else self._first_password_gone
            fields |= {"passwords": (password,), "api_key": None, **self._codes_ended(), **mark}
        return self._changed(
            "account.provisioned",
            expecting={"provisioning_token": self.provisioning_token, **self._same_sign_in},
            ends_sign_ins=password is not None,
            **{**fields, **self._token_ended},
        )


def _fetch_of(account: AccountRecord, now: datetime, address: str, user_agent: str) -> ProvisioningFetch:
    return ProvisioningFetch(now, account.provisioning_token_at, address, user_agent[:_LONGEST_AGENT])


def change_field(channel: Channel) -> str:
    """Return the name of the field that holds a pending change of address."""
    return f"{channel}_change"
