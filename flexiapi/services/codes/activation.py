"""Activation by a code that was received by mail or phone."""

import hmac
from collections.abc import Collection

from flexiapi.crypto.codes import Codes
from flexiapi.errors import ActivationExpired, RecordNotFound
from flexiapi.model import Account, Actor, Confirmation
from flexiapi.services.clock import Clock
from flexiapi.services.limiter import Limiter
from flexiapi.services.outcome import existing
from flexiapi.settings import AccountSettings
from flexiapi.store import Store


class Confirmations:
    """Compares confirmation keys and PINs: every try is counted first, and the last one ends the code."""

    def __init__(self, store: Store, codes: Codes, limiter: Limiter, settings: AccountSettings, clock: Clock) -> None:
        self._store = store
        self._codes = codes
        self._limiter = limiter
        self._tries = settings.pin_tries
        self._clock = clock

    async def check(self, account: Account, code: str, actor: Actor) -> Account:
        """The account as it is now, if the code is its pending one.

        Raises `RecordNotFound` for a wrong code or none pending, `ActivationExpired` for a right one that is too late,
        `TooManyRequests` after too many tries on one day.
        """
        if account.confirmation is None:
            raise RecordNotFound
        await self._limiter.count("code_tries", str(account.id))
        counted = await self._store.accounts.count_try(account.id, "confirmation", self._tries)
        if counted is None or counted.confirmation is None:
            raise RecordNotFound
        if not self._fits(counted, counted.confirmation, code):
            if counted.confirmation.attempts >= self._tries:
                await self._store.accounts.apply(counted.drop_code(), actor)
            raise RecordNotFound
        self._refuse_late(counted, counted.confirmation)
        return counted

    def _fits(self, account: Account, pending: Confirmation, code: str) -> bool:
        if pending.key is not None:
            return hmac.compare_digest(pending.key.encode(), code.encode())
        stored = pending.pin_hash or b""
        is_to_phone = self._codes.fits(code, stored, account.id, "confirmation", account.phone)
        is_to_username = self._codes.fits(code, stored, account.id, "confirmation", account.username)
        return is_to_phone or is_to_username

    def _refuse_late(self, account: Account, pending: Confirmation) -> None:
        now = self._clock.now()
        expiration = account.activation_expiration
        if not account.activated and expiration is not None and expiration.expires <= now:
            raise ActivationExpired
        if pending.expires_at is not None and pending.expires_at <= now:
            raise ActivationExpired


class Activation:
    """Activates accounts by their pending code, once."""

    def __init__(
        self, store: Store, confirmations: Confirmations, clock: Clock, public_domains: Collection[str]
    ) -> None:
        self._store = store
        self._confirmations = confirmations
        self._clock = clock
        self._public_domains = public_domains

    async def activate(self, username: str, domain: str, code: str, actor: Actor) -> Account:
        """Activate the account of that address. Raises as `Confirmations.check`."""
        is_public = domain in self._public_domains
        account = await self._store.accounts.by_address(username, domain) if is_public else None
        if account is None:
            raise RecordNotFound
        account = await self._confirmations.check(account, code, actor)
        return await self.use_code(account, actor)

    async def use_code(self, account: Account, actor: Actor) -> Account:
        """Activate the account by the code that was right, which ends. Raises `RecordNotFound` to all but the first."""
        return existing(await self._store.accounts.apply(account.use_code(self._clock.second()), actor))
