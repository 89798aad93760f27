"""Activation by a code sent by mail or SMS."""

import asyncio
import hmac
from dataclasses import replace
from datetime import datetime

from flexiapi.crypto.codes import is_pin, joined
from flexiapi.crypto.keys import Secret, found_by, token_hash
from flexiapi.errors import ActivationExpired, CodeRefused, RecordNotFound, ValidationFailed
from flexiapi.model import Account, Actor, Change, Channel, Space
from flexiapi.observing import log
from flexiapi.services.ground import Ground
from flexiapi.services.names import taken
from flexiapi.services.outcome import existing
from flexiapi.store import IdentifierTaken


class Confirmations:
    """Pending confirmation keys and PINs.

    Keys are too long to be guessed. Each try of a PIN is counted before the comparison.
    """

    def __init__(self, ground: Ground) -> None:
        self._codes = ground.codes
        self._limiter = ground.limiter
        self._clock = ground.clock

    async def check(self, account: Account, code: str, actor: Actor) -> Account:
        """Return the account if the code is its pending one. Of a key and a PIN, it has the PIN only if that is right.

        Raises `RecordNotFound` for a wrong code or none pending, `ActivationExpired` for a right one that is too late,
        `TooManyRequests` after too many tries of this PIN, or on one day.
        """
        pending = account.confirmation
        if pending is None or account.is_barred or account.is_blocked:
            raise RecordNotFound
        if account.is_claim and pending.key is not None:
            raise RecordNotFound
        may_be_pin = compares_pin(account, code)
        if may_be_pin:
            await self._limiter.take_pin_try(account, pending, actor.address)
        elif pending.key is None:
            raise RecordNotFound
        if may_be_pin and self._is_pin_of(account, pending.pin_hash or b"", code):
            self._refuse_late(account, pending.pin_expires_at or pending.expires_at)
            return account
        if pending.key is not None and _is_key(code, pending.key):
            self._refuse_late(account, pending.expires_at)
            return replace(account, confirmation=replace(pending, pin_hash=None))
        log.warning("wrong code", of="confirmation", account=account.id, ip=actor.address)
        raise RecordNotFound

    def _is_pin_of(self, account: Account, stored: bytes, code: str) -> bool:
        is_to_phone = self._codes.fits(code, stored, account.id, "confirmation", account.phone or account.claimed_phone)
        return is_to_phone or self.is_to_name(account, code)

    def is_to_name(self, account: Account, code: str) -> bool:
        """Return whether a code is the pending PIN, sent to the number that is the user name."""
        stored = account.confirmation.pin_hash if account.confirmation is not None else None
        return stored is not None and self._codes.fits(code, stored, account.id, "confirmation", account.username)

    def _refuse_late(self, account: Account, ends_at: datetime | None) -> None:
        now = self._clock.now()
        expiration = account.activation_expiration
        if not account.activated and expiration is not None and expiration.expires <= now:
            raise ActivationExpired
        if ends_at is not None and ends_at <= now:
            raise ActivationExpired


def compares_pin(account: Account, code: str) -> bool:
    """Return whether a code is compared to a PIN of the account, which counts the try before."""
    pending = account.confirmation
    if pending is None or account.is_barred or account.is_blocked or (account.is_claim and pending.key is not None):
        return False
    return pending.pin_hash is not None and is_pin(code)


def _is_key(code: str, key: Secret) -> bool:
    """Return whether a code is the key, in constant time, as it was typed or as it is shown: in upper case."""
    typed, known = joined(code), found_by(key)
    return any(hmac.compare_digest(known, token_hash(text)) for text in (code, typed, typed.upper()))


class Activation:
    """Activation of accounts by their pending code, which works once."""

    def __init__(self, ground: Ground, confirmations: Confirmations) -> None:
        self._store = ground.store
        self._confirmations = confirmations
        self._spaces = ground.spaces
        self._limiter = ground.limiter
        self._clock = ground.clock

    async def activate(self, username: str, domain: str, code: str, actor: Actor, *, channel: Channel) -> Account:
        """Activate the account of that address in the actor's space.

        By phone, `username` may also be a number that an account claims as its name. Raises as `Confirmations.check`
        and `use`.
        """
        space = actor.space or self._spaces.default
        account = await self.awaiting(username, domain, space, named_by_number=channel == "phone")
        if account is None:
            raise RecordNotFound
        return await self.activate_found(account, code, actor)

    async def awaiting(self, username: str, domain: str, space: Space, *, named_by_number: bool) -> Account | None:
        """Return the account of an address, or also the one that claims a number as its name, if it may be activated.

        It need not await a code.
        """
        accounts = self._store.accounts
        if domain not in space.names.public_domains:
            return None
        if not named_by_number:
            return await accounts.by_address(username, domain, space.scope)
        # Both at once, which is one query: a second one for the other names alone would tell which there are.
        named, claiming = await asyncio.gather(
            accounts.by_address(username, domain, space.scope), accounts.by_claim(username, domain, space.scope)
        )
        return named or claiming

    async def activate_found(self, account: Account, code: str, actor: Actor) -> Account:
        """Activate an account by its code. Raises as `Confirmations.check` and `use`."""
        account = await self._confirmations.check(account, code, actor)
        return await self.use(account, account.use_code(self._clock.second()), actor)

    async def activate_own(self, account: Account, code: str, actor: Actor) -> Account:
        """Activate the account of the caller by its code.

        Raises `CodeRefused`, `ActivationExpired`, `TooManyRequests`, and `ValidationFailed` if another account proved
        the number or address first.
        """
        try:
            return await self.activate_found(account, code, actor)
        except RecordNotFound as error:
            raise CodeRefused from error

    async def tries_left(self, account: Account, actor: Actor) -> int | None:
        """Return how many tries of its pending PIN the caller has left, `None` for a key or no code."""
        pending = account.confirmation
        return None if pending is None else await self._limiter.left_of_pin(account, pending, actor.address)

    async def use(self, account: Account, change: Change[Account], actor: Actor) -> Account:
        """Apply the change that a right code stands for.

        Raises `RecordNotFound` if the code was used meanwhile, and `ValidationFailed` if another account proved the
        number or address first; the code is spent then.
        """
        try:
            return existing(await self.applied(change, actor))
        except ValidationFailed:
            await self._store.accounts.apply(account.drop_code(), actor)
            raise

    async def applied(self, change: Change[Account], actor: Actor) -> Account | None:
        """Apply a change that proves an address. Raises `ValidationFailed` if another account proved it first."""
        try:
            return await self._store.accounts.apply(change, actor)
        except IdentifierTaken as error:
            raise taken(error, None) from error
