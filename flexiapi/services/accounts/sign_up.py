"""Sign-up by the public: an account with a code that confirms it, begun again when it was not confirmed in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from flexiapi import failpoints
from flexiapi.crypto.codes import grouped, random_key, random_pin
from flexiapi.errors import DeliveryFailed, FieldErrors, TooManyRequests, ValidationFailed
from flexiapi.limit_key import counted_as
from flexiapi.model import Account, Actor, Change, Channel, CodeChannel, Confirmation, Scope, Space
from flexiapi.observing import log
from flexiapi.rendering.messages import AccountConfirmationMail, AccountConfirmationSms
from flexiapi.services.accounts.creation import Creation
from flexiapi.services.accounts.details import AccountDetails
from flexiapi.services.accounts.removal import AccountRemoval
from flexiapi.services.confirmation_links import ConfirmationLinks
from flexiapi.services.ground import Ground

_HELD = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The names of a new account; `phone` is the number that it claims."""

    username: str
    domain: str
    phone: str | None
    email: str | None

    @classmethod
    def of(cls, account: Account) -> Self:
        return cls(account.username, account.domain, account.claimed_phone, account.email)

    @property
    def claimed(self) -> str | None:
        """The number that the code goes to, `None` if it is mailed."""
        return _texted(self.username, self.phone, self.email)

    def may_replace(self, in_the_way: Sequence[Account], now: datetime) -> bool:
        """Return whether a single account is in the way that is the same attempt, not confirmed in time."""
        if len(in_the_way) != 1:
            return False
        old = in_the_way[0]
        is_same = (self.phone and self.phone == old.claimed_phone) or (self.email and self.email == old.email)
        return bool(is_same) and old.may_be_replaced(now)


class SigningUp:
    """Accounts that the public creates. Their number and address are claims until a code proves them.

    An account that is named by its number is `claimed` as a whole: it is not found before its activation. The code is
    stored only after its message was accepted. Meanwhile the account is held: no other one takes its place.
    """

    def __init__(self, ground: Ground, creation: Creation, removal: AccountRemoval) -> None:
        self._store = ground.store
        self._names = ground.names
        self._phone_countries = ground.phone_countries
        self._creation = creation
        self._removal = removal
        self._settings = ground.settings.account
        self._notices = ground.notices
        self._links = ConfirmationLinks(ground.spaces, ground.settings.panel)
        self._codes = ground.codes
        self._clock = ground.clock

    async def sign_up(self, new: AccountDetails, token: str, actor: Actor, *, channel: CodeChannel = "sms") -> Account:
        """Create an account by a creation token and send the code that activates it.

        The code goes to the number, by that channel, if that is the name or if there is no address, else to the
        address. An account that has the name, was not confirmed in time and has the same number or address is replaced.
        Raises `ValidationFailed` on the token or for a name that is taken, `NoExternalAccountLeft`, `SpaceFull`, and
        `DeliveryFailed` and `TooManyRequests` where nothing is left of an attempt whose code was not sent.
        """
        async with self._creation.spending(token, actor) as granted:
            now = self._clock.second()
            number = new.phone or _number_in(new.username)
            change = self._creation.by_token(
                new,
                token,
                actor,
                granted,
                phone=None,
                claimed_phone=number,
                claimed_email=new.email,
                unconfirmed=True,
                replacing_until=now + _HELD,
                has_first_password=_texted(new.username, number, new.email) is not None,
            )
            assert change.after is not None
            attempt = _Attempt(new.username, change.after.domain, number, new.email)
            in_the_way = await self._in_the_way(attempt)
            if attempt.may_replace(in_the_way, now):
                return await self._replace(in_the_way[0], change, actor, channel)
            account = await self._creation.add(change, actor)
            failpoints.reach("sign-up-inserted")
            return await self._confirm(account, actor, channel)

    async def faults(self, values: Mapping[str, Any], domain: str, space: Space) -> FieldErrors:
        """Check the name, number and address of a new account of a domain: not taken, and not waiting for a code."""
        username, phone, email = values.get("username"), values.get("phone"), values.get("email")
        if username and username.startswith("+") and phone not in (None, username):
            return {"username": ["username must be the phone number, or begin with no +"]}
        phone = phone or _number_in(username)
        is_number = username in (None, phone)
        names = {"username": None if is_number else username, "phone": phone, "email": email}
        faults = await self._names.conflicts(names, domain, public=True)
        attempt = _Attempt(username or phone or "", domain, phone, email)
        in_the_way = await self._in_the_way(attempt)
        if attempt.may_replace(in_the_way, self._clock.now()):
            if in_the_way[0].username == username:
                faults.pop("username", None)
        elif attempt.claimed and any(old.claimed_phone == phone for old in in_the_way):
            faults["phone"] = ["phone is taken"]
        if attempt.claimed:
            field = "phone" if values.get("phone") else "username"
            faults |= self._notices.number_faults(attempt.claimed, values.get("channel"), field)
            faults |= await self._phone_countries.faults(attempt.claimed, space, field)
        if is_number and phone and await self._store.tombstones.has(f"{phone}@{domain}"):
            faults["phone"] = ["phone is taken"]
        sent: dict[Channel, str | None] = {"phone": phone, "email": email if self._settings.email_unique else None}
        return await self._awaited(sent, space) | faults

    async def told_faults(self, values: Mapping[str, Any], domain: str, space: Space) -> FieldErrors:
        """Check only what anyone may be told: whether the name is taken, and whether the number gets codes.

        Whether an account has the address or number is told by the code alone, which proves it. That a number waits for
        a code is told, for a second one cannot wait beside it.
        """
        username, phone, email = values.get("username"), values.get("phone"), values.get("email")
        faults = await self._names.conflicts({"username": username}, domain, public=True)
        attempt = _Attempt(username or "", domain, phone, email)
        if attempt.may_replace(await self._in_the_way(attempt), self._clock.now()):
            faults.pop("username", None)
        waiting = await self._awaited({"phone": phone}, space)
        faults |= await self._phone_countries.faults(phone, space)
        return waiting | self._notices.number_faults(phone, values.get("channel")) | faults

    async def give_up(self, account: Account, actor: Actor) -> None:
        """Remove an account that its creator does not want to confirm. Does nothing to one that is no longer new."""
        if account.unconfirmed and not account.is_barred:
            await self._is_given_up(account, actor)

    async def _awaited(self, addresses: Mapping[Channel, str | None], space: Space) -> FieldErrors:
        """Return errors for the addresses to which a code was sent that is still valid."""
        now, accounts = self._clock.now(), self._store.accounts
        return {
            channel: [f"{channel} waits for the code that was sent to it: use that, or try again later"]
            for channel, address in addresses.items()
            if address and await accounts.awaits_code(channel, address, now, space.scope)
        }

    async def _in_the_way(self, new: _Attempt) -> list[Account]:
        """Return the accounts that have the name of a new one, or wait for a code to its number."""
        accounts = self._store.accounts
        named = await accounts.by_address(new.username, new.domain, Scope(only=new.domain))
        claiming = await accounts.by_claim(new.claimed, new.domain) if new.claimed else None
        found = {old.id: old for old in (named, claiming) if old is not None}
        return list(found.values())

    async def _confirm(self, account: Account, actor: Actor, channel: CodeChannel) -> Account:
        """Send the code of a new account and store it. Where the code proves its name, a refusal ends the account."""
        try:
            confirmation = await self._send(account, account, actor, channel)
        except (DeliveryFailed, TooManyRequests) as error:
            if account.is_claim and await self._is_given_up(account, actor):
                raise
            log.warning("confirmation not sent", account=account.id, reason=type(error).__name__)
            return await self._store.accounts.apply(account.end_replacement(), actor) or account
        failpoints.reach("sign-up-sent")
        stored = await self._store.accounts.apply(account.await_first_code(confirmation), actor)
        stored = stored or await self._store.accounts.by_id(account.id, Scope(only=account.domain))
        if stored is None:
            raise _taken(account)
        return stored

    async def _is_given_up(self, account: Account, actor: Actor) -> bool:
        """Undo the creation of an account. Return False if an administrator activated or changed it meanwhile."""
        is_removed = await self._removal.discard(account.make_room(), actor, keeps_token=True)
        if is_removed and account.external_account is not None:
            await self._store.external_accounts.give_back_of(account.id, account.external_account, actor)
        await self._removal.heal()
        return is_removed or await self._store.accounts.by_id(account.id, Scope(only=account.domain)) is None

    async def _replace(self, old: Account, change: Change[Account], actor: Actor, channel: CodeChannel) -> Account:
        """Put a new account in the place of an old one, once its code was sent."""
        accounts, new = self._store.accounts, change.after
        assert new is not None
        async with self._creation.room(new.domain, actor) as external:
            marked = await accounts.apply(old.begin_replacement(self._clock.second() + _HELD), actor)
            if marked is None:
                raise _taken(new)
            failpoints.reach("sign-up-marked")
            new = replace(new, id=await self._store.counters.next("accounts"), replacing_until=None)
            try:
                confirmation = await self._send(new, marked, actor, channel)
            except (DeliveryFailed, TooManyRequests):
                await accounts.apply(marked.end_replacement(), actor)
                raise
            is_removed = await self._removal.discard(marked.make_room(), actor)
            failpoints.reach("sign-up-old-removed")
            await self._removal.heal()
            if not is_removed:
                raise _taken(new)
            waiting = replace(change, after=replace(new, confirmation=confirmation))
            return await self._creation.add(waiting, actor, external)

    async def _send(self, account: Account, stored: Account, actor: Actor, channel: CodeChannel) -> Confirmation:
        """Send the code of an account, and return it as it is to be stored.

        `stored` is that account, or the one that it replaces, which remembers a failure. Raises `TooManyRequests` and
        `DeliveryFailed`.
        """
        now = self._clock.second()
        number = _Attempt.of(account).claimed
        if number is not None:
            life, pin = self._settings.pin_life, random_pin()
            pin_hash = self._codes.hash(pin, account.id, "confirmation", number)
            sms = AccountConfirmationSms(pin, life, account.domain, self._links.texted(account, pin))
            await self._notices.text(number, sms, stored, actor, channel=channel)
            return Confirmation(pin_hash=pin_hash, expires_at=now + life, networks=(counted_as(actor.address),))
        life, key = timedelta(hours=self._settings.activation_hours), random_key()
        mail = AccountConfirmationMail(account.address, grouped(key), life, self._links.mailed(account, key))
        await self._notices.mail(account.email or "", mail, stored, actor)
        return Confirmation(key=key, expires_at=now + life)


def _number_in(username: str | None) -> str | None:
    """Return a user name that is a number, which claims that number; `None` for other names."""
    return username if username and username.startswith("+") else None


def _texted(username: str, phone: str | None, email: str | None) -> str | None:
    """Return the number that the code of a new account goes to, `None` if it is mailed."""
    return phone if email is None or phone == username else None


def _taken(account: Account) -> ValidationFailed:
    field = "phone" if account.is_claim else "username"
    return ValidationFailed({field: [f"{field} is taken"]})
