"""Sign-in to the panel by password."""

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import dataclass
from hashlib import sha256

from flexiapi.crypto import digest
from flexiapi.crypto.keys import SealedText
from flexiapi.errors import WrongCredentials
from flexiapi.model import Account, Actor, Algorithm, Password, Space, e164, usual_name
from flexiapi.observing import log
from flexiapi.services.fields import is_phone, kept_email
from flexiapi.services.ground import Ground
from flexiapi.services.sign_in.failed_sign_ins import FailedSignIns
from flexiapi.services.sign_in.passwords import Passwords
from flexiapi.sip_address import user_and_domain

_LONGEST = 254
_BETWEEN_DIGITS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]")
_BOUND_TO = "a password that no account has"


@dataclass(frozen=True, slots=True)
class SignInName:
    """The names that a text may stand for: an address, a phone number, an e-mail address."""

    username: str
    domain: str
    phone: str | None
    email: str | None

    @property
    def label(self) -> str:
        """The one name by which failures are counted while no account has it."""
        return f"{self.phone or self.username}@{self.domain}"


class PanelSignIn:
    """Sign-in by user name, full address, phone number or e-mail address, and password.

    Failures count into the limits that DIGEST uses. An unknown account costs the same look-ups, the same comparison and
    the same counters as a known one, so that they cannot be told apart.
    """

    def __init__(self, ground: Ground, passwords: Passwords, failures: FailedSignIns) -> None:
        self._accounts = ground.store.accounts
        self._listings = ground.store.listings
        self._passwords = passwords
        self._failures = failures
        now = ground.clock.second()
        sealed = ground.key.seal(digest.ha1(Algorithm.SHA_256, "", "", ""), _BOUND_TO)
        dummy = Password(Algorithm.SHA_256, SealedText(ground.key, sealed, _BOUND_TO))
        self._dummy = Account(0, "", ground.spaces.default.domain, now, now, passwords=(dummy,))

    async def by_password(self, identifier: str, password: str, space: Space, actor: Actor) -> Account:
        """Return the account of the space that a name and a password sign in to.

        One that was never active may sign in. Raises `WrongCredentials`, also for an account that is deactivated,
        blocked or has no password, and `TooManyRequests`.
        """
        named = _named(identifier, space)
        account = await self._found(named, space)
        who = _counted_as(named) if account is None else account.id
        unlocked_at = None if account is None else account.unlocked_at
        address = actor.address
        may_enter = await self._failures.compared(
            address, who, lambda: self._may_enter(account, password, address), unlocked_at, counts_first=True
        )
        if not may_enter:
            raise WrongCredentials
        assert account is not None
        return account

    async def _found(self, named: SignInName, space: Space) -> Account | None:
        """Return the account with one of the names. All are looked up in any case, at once."""
        accounts, number = self._accounts, named.phone or named.username
        lookups: list[Awaitable[Account | None]] = [
            accounts.by_address_or_alias(named.username, named.domain, space.scope),
            accounts.by_phone(number, space),
            accounts.by_claim(number, space.domain, space.scope),
            self._listings.only_by_email(named.email or "", space.scope),
        ]
        by_address, by_phone, by_claim, by_email = await asyncio.gather(*lookups)
        if named.phone is None:
            by_phone = by_claim = None
        return by_address or by_phone or by_email or by_claim

    def _may_enter(self, account: Account | None, password: str, address: str) -> bool:
        is_right = self._passwords.fits(account if account and account.passwords else self._dummy, password)
        reason = _refusal(account, is_right=is_right)
        if reason is not None:
            log.warning("sign-in failed", reason=reason, ip=address, account=None if account is None else account.id)
        return reason is None


def _refusal(account: Account | None, *, is_right: bool) -> str | None:
    """Return why an account may not enter, `None` if it may."""
    if account is None:
        return "unknown account"
    if not account.passwords:
        return "no password"
    if not is_right:
        return "wrong password"
    if account.is_shut_out:
        return "deactivated"
    return "blocked" if account.is_blocked else None


def _named(identifier: str, space: Space) -> SignInName:
    """Return the names that a text may stand for in a space."""
    text = identifier.strip()[:_LONGEST].lower()
    username, domain = user_and_domain(text) or (text, space.domain)
    phone = _BETWEEN_DIGITS.sub("", username)
    if phone.startswith("00"):
        phone = f"+{phone.removeprefix('00')}"
    is_number = domain == space.domain and is_phone(phone)
    return SignInName(usual_name(username), domain, e164(phone) if is_number else None, kept_email(text))


def _counted_as(named: SignInName) -> str:
    """Return the subject that failures for an unknown account are counted for, whatever was typed."""
    return sha256(named.label.encode()).hexdigest()[:32]
