"""Verbs of an account about what its owner asks for by mail: a key that recovers it, a link to a new password."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from flexiapi.model.change import Change
from flexiapi.model.parts import Confirmation, Password
from flexiapi.model.proofs import AccountProofs


class AccountResets(AccountProofs):
    """Keys and links that anyone can have sent to the owner of an account."""

    __slots__ = ()

    def await_recovery_key(self, confirmation: Confirmation) -> Change[Self]:
        """Set the key that recovers the account, beside a PIN that is pending.

        Anyone can ask for a mail, so it must not end a PIN that the owner waits for. Expects the same as `await_code`,
        and that no other code was sent meanwhile.
        """
        pending = self.confirmation
        same = {"confirmation": None} if pending is None else self._same_code
        fields: dict[str, Any] = {**self._delivered, "confirmation": confirmation}
        if pending is not None and pending.pin_hash is not None:
            fields["confirmation"] = replace(
                pending,
                key=confirmation.key,
                expires_at=confirmation.expires_at,
                pin_expires_at=pending.pin_expires_at or pending.expires_at,
            )
        return self._changed("account.code_sent", expecting={**self._as_when_sent, **same}, **fields)

    def reset_password(self, passwords: Sequence[Password], now: datetime) -> Change[Self]:
        """Set the password that the holder of a mailed link chose, and end everything that signs in.

        The link proves the address, so it activates the account. Expects that sign-ins have not been ended and that
        address and activation are as they were when the account was read.
        """
        read = {"email": self.email, "activated": self.activated, "deactivated_at": self.deactivated_at}
        fields = {**self._codes_ended(), **self._activating(now), **self._email_proven, **self._first_password_gone}
        return self._changed(
            "account.password_reset",
            expecting={**read, **self._same_sign_in},
            ends_sign_ins=True,
            passwords=tuple(passwords),
            api_key=None,
            updated_at=now,
            **fields,
        )
