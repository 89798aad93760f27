"""Named API keys: sign-in with one, and making and revoking them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, NoReturn, Protocol

from flexiapi.crypto.keys import random_text, token_hash
from flexiapi.errors import FieldErrors, NamedKeysFull, RecordNotFound, SignInRequired, ValidationFailed
from flexiapi.model import KEY_PREFIX, Account, Actor, KeyScope, NamedKey, Space
from flexiapi.observing import log
from flexiapi.rendering.messages import NamedKeyMadeMail
from flexiapi.services.ground import Ground
from flexiapi.services.sign_in.failed_sign_ins import FailedSignIns
from flexiapi.store import IdentifierTaken

MOST_KEYS = 100
"""The most named keys of a space."""

_LETTERS = 40
_USE_EVERY = timedelta(minutes=1)
_UNKNOWN = "The API key is unknown, expired or revoked."


@dataclass(frozen=True, slots=True)
class KeyIdentity:
    """A named API key that signed a request. It has no account."""

    key: NamedKey
    scopes: frozenset[KeyScope]
    headers: ClassVar[Sequence[tuple[str, str]]] = ()
    is_active_admin: ClassVar[bool] = False
    is_limited: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The key's id, for the log."""
        return f"key:{self.key.id}"


@dataclass(frozen=True, slots=True)
class NewNamedKey:
    """The values of a key to be made."""

    name: str
    scopes: Sequence[KeyScope]
    expires_days: int | None = None
    idle_days: int | None = None


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key in a list: whether it works, and the account that made it if that is still there."""

    key: NamedKey
    works: bool
    maker: Account | None = None


class NamedKeyValues(Protocol):
    """The values of a key that are valid so far."""

    def get(self, name: str, /) -> str | None:
        """Return the value of a field."""


class NamedKeys:
    """The named API keys of spaces.

    A key that an administrator made works only while that account is an active administrator of the space; one that a
    command made belongs to the space. Only the hash of a key is kept.
    """

    def __init__(self, ground: Ground, failures: FailedSignIns) -> None:
        self._store = ground.store
        self._accounts = ground.store.accounts
        self._spaces = ground.spaces
        self._failures = failures
        self._notices = ground.notices
        self._clock = ground.clock

    async def by_key(self, key: str, address: str, space: Space, *, from_cookie: bool) -> KeyIdentity:
        """Sign in with a named key of the space, and note its use, once a minute.

        Raises `SignInRequired`, and `TooManyRequests` for an unknown key over the limit.
        """
        if from_cookie:
            log.warning("sign-in failed", reason="named key in a cookie", ip=address)
            raise SignInRequired("A named API key is sent as header x-api-key, not as a cookie.")
        stored, now = await self._store.named_keys.by_hash(token_hash(key, space.stored)), self._clock.now()
        if stored is None or stored.space != space.stored:
            log.warning("sign-in failed", reason="unknown key", ip=address)
            await self._failures.count_key(address)
            raise SignInRequired(_UNKNOWN)
        if stored.is_over(now):
            self._refuse(stored, "expired key", address, _UNKNOWN)
        if not await self._may_work(stored, space):
            text = "This API key works only while the account that made it is an active administrator."
            self._refuse(stored, "no administrator's key", address, text)
        if stored.last_used_at is None or now - stored.last_used_at >= _USE_EVERY:
            self._store.key_uses.note_named(replace(stored, last_used_at=now))
        return KeyIdentity(stored, stored.opens)

    def _refuse(self, key: NamedKey, reason: str, address: str, text: str) -> NoReturn:
        log.warning("sign-in failed", reason=reason, ip=address, key=key.id)
        raise SignInRequired(text)

    async def _may_work(self, key: NamedKey, space: Space) -> bool:
        if key.account_id is None:
            return True
        account = await self._accounts.by_id(key.account_id, space.scope)
        return account is not None and is_keeper(account)

    async def make(self, new: NewNamedKey, actor: Actor) -> tuple[str, ListedKey]:
        """Make a key of the actor's space, and return its text, which cannot be had again, and what is stored.

        It belongs to the actor's account if there is one, whose proven address gets a notice.
        Raises `ValidationFailed` for a name that another key has, and `NamedKeysFull`.
        """
        text, now = f"{KEY_PREFIX}{random_text(_LETTERS)}", self._clock.second()
        key = NamedKey(
            id=0,
            name=new.name,
            scopes=tuple(scope for scope in KeyScope if scope in new.scopes),
            created_at=now,
            account_id=actor.account_id,
            space=actor.stored_space,
            expires_at=_after(now, new.expires_days),
            idle_days=new.idle_days,
        )
        try:
            made = await self._store.named_keys.add(key, token_hash(text, key.space), MOST_KEYS, actor)
        except IdentifierTaken as error:
            raise ValidationFailed({"name": [_taken("name")]}) from error
        if made is None:
            raise NamedKeysFull
        log.info("api key made", key=made.id, actor=actor.label)
        await self._tell(made, actor)
        return text, ListedKey(made, works=True)

    async def _tell(self, key: NamedKey, actor: Actor) -> None:
        scope = (actor.space or self._spaces.default).scope
        account = None if key.account_id is None else await self._accounts.by_id(key.account_id, scope)
        if account is not None:
            mail = NamedKeyMadeMail(account.address, key.created_at, key.name, ", ".join(key.scopes))
            await self._notices.notify(account.proven_email, mail, account, actor)

    async def faults(self, values: NamedKeyValues, space: Space) -> FieldErrors:
        """Check the name of a key that is to be made."""
        name = values.get("name")
        return {"name": [_taken("name")]} if name and await self._store.named_keys.has_name(name, space) else {}

    async def all(self, space: Space) -> Sequence[ListedKey]:
        """Return the keys of a space, by id, also those whose time was over in the last 30 days."""
        keys, now = await self._store.named_keys.of(space), self._clock.now()
        makers = sorted({key.account_id for key in keys if key.account_id is not None})
        accounts = {account.id: account for account in await self._accounts.by_ids(makers, space.scope)}
        return [_listed(key, accounts, now) for key in keys]

    async def get(self, key_id: int, space: Space) -> NamedKey:
        """Return a key of a space. Raises `RecordNotFound`."""
        found = next((key for key in await self._store.named_keys.of(space) if key.id == key_id), None)
        if found is None:
            raise RecordNotFound
        return found

    async def revoke(self, key_id: int, actor: Actor) -> NamedKey:
        """End a key of the actor's space at once, and return what it was. Raises `RecordNotFound`."""
        key = await self.get(key_id, actor.space or self._spaces.default)
        if not await self._store.named_keys.remove(key, actor):
            raise RecordNotFound
        log.info("api key revoked", key=key.id, actor=actor.label)
        return key


def is_keeper(account: Account) -> bool:
    """Return whether the named keys that an account made work."""
    return account.is_admin and account.activated and not account.is_shut_out and not account.is_blocked


def _listed(key: NamedKey, accounts: Mapping[int, Account], now: datetime) -> ListedKey:
    maker = None if key.account_id is None else accounts.get(key.account_id)
    is_kept = key.account_id is None or (maker is not None and is_keeper(maker))
    return ListedKey(key, is_kept and not key.is_over(now), maker)


def _after(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


def _taken(field: str) -> str:
    return f"{field} is taken by another key: choose another, or revoke that one"
