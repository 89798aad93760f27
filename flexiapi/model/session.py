"""Sessions of the panel: a browser that is signed in to an account."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class SignInMethod(StrEnum):
    """The proof that a session began with."""

    PASSWORD = "password"  # noqa: S105  # the name of a kind of proof
    CODE = "code"
    QR = "qr"
    INVITE = "invite"


@dataclass(frozen=True, slots=True)
class PanelSession:
    """A session. Its cookie has a secret; the store has the hash of that.

    Attributes:
        id_hash: SHA-256 of the secret.
        epoch: the sign-in epoch of the account; the session ends when the account has another one.
        seen_at: time of the last request, to the minute.
        idle_until: end of the session if it is not used; never after `expires_at`.
        ip: address of the last request, to the minute.
        user_agent: name that the browser gave at the sign-in.
        confirmed_at: time of the last proof by password or code; `None` without one.
        is_limited: whether it may only activate its account.
        stays: whether it lasts when the browser is closed.
    """

    id_hash: bytes = field(repr=False)
    account_id: int
    epoch: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    idle_until: datetime
    ip: str
    user_agent: str
    method: SignInMethod
    confirmed_at: datetime | None = None
    is_limited: bool = False
    stays: bool = False

    def is_over(self, now: datetime) -> bool:
        """Return whether its time is over."""
        return self.expires_at <= now or self.idle_until <= now
