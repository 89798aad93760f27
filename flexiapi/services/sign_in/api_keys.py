"""API keys, and auth tokens that sign in another device."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flexiapi.crypto.keys import random_text, token_hash
from flexiapi.errors import RecordNotFound
from flexiapi.model import Account, Actor, AuthToken, Space
from flexiapi.rendering.messages import ApiKeyMadeMail
from flexiapi.services.ground import Ground
from flexiapi.services.outcome import existing

KEY_LENGTH = 40
AUTH_TOKEN_LENGTH = 32
AUTH_TOKEN_LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ApiKeyState:
    """The times of a key that was made, and whether it is over. `ends_at` is when it is over unless it is used."""

    created_at: datetime
    last_used_at: datetime
    ends_at: datetime
    is_over: bool


class ApiKeys:
    """API keys: one per account, a new one replaces it."""

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._spaces = ground.spaces
        self._notices = ground.notices
        self._clock = ground.clock
        app = ground.settings.app
        self._life = timedelta(minutes=app.api_key_expiration_minutes)
        self._longest_life = timedelta(days=app.api_key_max_days) or None

    @property
    def unused_life(self) -> timedelta:
        """The life of a key that is not used."""
        return self._life

    @property
    def longest_life(self) -> timedelta | None:
        """The life of a key however it is used; `None` is for ever."""
        return self._longest_life

    def state(self, account: Account) -> ApiKeyState | None:
        """Return the state of an account's key, `None` if it has none. Another process may know of a later use."""
        key = account.api_key
        if key is None:
            return None
        used_at = max(key.last_used_at, self._store.key_uses.last(key.hash) or key.last_used_at)
        ends = [used_at + self._life, *([key.created_at + self._longest_life] if self._longest_life else [])]
        return ApiKeyState(key.created_at, used_at, min(ends), min(ends) < self._clock.now())

    async def make(self, account: Account, actor: Actor, *, tells: bool = False) -> str:
        """Create a key in place of the one before. With `tells` the account's proven address gets a notice.

        Raises `RecordNotFound`, also when the account was signed out everywhere since it was read.
        """
        key = random_text(KEY_LENGTH)
        existing(await self._store.accounts.apply(account.with_api_key(token_hash(key), self._clock.now()), actor))
        if tells:
            mail = ApiKeyMadeMail(account.address, self._clock.now())
            await self._notices.notify(account.proven_email, mail, account, actor)
        return key

    async def end(self, account: Account, actor: Actor) -> None:
        """End the key of the account, if it has one."""
        if account.api_key is not None:
            await self._store.accounts.apply(account.without_api_key(), actor)

    async def new_auth_token(self, actor: Actor) -> AuthToken:
        """Create a token that a signed-in device may attach to its account."""
        now = self._clock.second()
        token = AuthToken(random_text(AUTH_TOKEN_LENGTH), now, now + AUTH_TOKEN_LIFE)
        await self._store.auth_tokens.add(token.token, token.created_at, token.expires_at, actor)
        return token

    async def attach(self, token: str, account: Account, actor: Actor) -> None:
        """Bind an auth token to an account. Raises `RecordNotFound`: unknown, expired or bound before."""
        tokens, now = self._store.auth_tokens, self._clock.now()
        if not await tokens.attach(token, account.id, account.sign_in_epoch, now, actor):
            raise RecordNotFound

    async def redeem(self, token: str, actor: Actor) -> str:
        """Exchange an attached auth token, once, for an API key. Raises `RecordNotFound`."""
        account = await self.holder(token, actor.space or self._spaces.default)
        await self.use_up(token, actor)
        return await self.make(account, actor)

    async def holder(self, token: str, space: Space) -> Account:
        """Return the account of the space that an auth token is attached to.

        Raises `RecordNotFound`, also when the account was signed out everywhere since.
        """
        attached = await self._store.auth_tokens.attached(token, self._clock.now(), space)
        account = None if attached is None else await self._store.accounts.by_id(attached.account_id, space.scope)
        if attached is None or account is None or account.sign_in_epoch != attached.epoch:
            raise RecordNotFound
        if account.is_blocked:
            raise RecordNotFound
        return account

    async def use_up(self, token: str, actor: Actor) -> None:
        """Consume an attached auth token. Raises `RecordNotFound` if it was consumed before."""
        if not await self._store.auth_tokens.consume(token, self._clock.now(), actor):
            raise RecordNotFound
