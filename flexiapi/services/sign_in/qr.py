"""Sign-in by a QR code, in both directions: of a browser by a device, and of a device by a browser."""

import asyncio
import hmac
import secrets
from dataclasses import dataclass, field

from flexiapi.crypto.keys import random_text, token_hash
from flexiapi.errors import CodeRefused, RecordNotFound
from flexiapi.model import Account, Actor, AskingBrowser, AuthToken, QrRequest, Space
from flexiapi.provisioning import qr
from flexiapi.services.ground import Ground
from flexiapi.services.sign_in.api_keys import AUTH_TOKEN_LENGTH, AUTH_TOKEN_LIFE, ApiKeys

_SECRET_LENGTH = 32
_SMALLEST, _NUMBERS = 10, 90
_CHOICES = 3
_LONGEST_AGENT = 255


@dataclass(frozen=True, slots=True)
class ShownQr:
    """The token that a browser shows that asks to be signed in, and the secret that it keeps."""

    token: str = field(repr=False)
    secret: str = field(repr=False)


class QrSignIn:
    """Sign-in by a QR code.

    A browser that is signed out shows a token, which a signed-in person attaches after comparing a number. The token
    signs in the browser that asked, by its secret: a photograph of the code is worth nothing. A browser that is signed
    in shows a token that is attached already, which signs in the first device that uses it.
    """

    def __init__(self, ground: Ground, api_keys: ApiKeys) -> None:
        self._store = ground.store
        self._spaces = ground.spaces
        self._limiter = ground.limiter
        self._api_keys = api_keys
        self._clock = ground.clock

    async def ask(self, actor: Actor) -> ShownQr:
        """Create a token for the browser of the actor. Raises `TooManyRequests`."""
        shown = ShownQr(random_text(AUTH_TOKEN_LENGTH), random_text(_SECRET_LENGTH))
        drawn = secrets.SystemRandom().sample(range(_SMALLEST, _SMALLEST + _NUMBERS), _CHOICES)
        agent = actor.user_agent[:_LONGEST_AGENT]
        browser = AskingBrowser(token_hash(shown.secret), drawn[0], tuple(sorted(drawn)), actor.address, agent)
        now = self._clock.second()
        await self._store.auth_tokens.ask(shown.token, browser, now, now + AUTH_TOKEN_LIFE, actor)
        return shown

    def url(self, place: str, space: Space) -> str:
        """Return the address of a page about a token of the space."""
        return f"{space.url}/auth_tokens/{place}"

    async def image(self, place: str, space: Space) -> bytes:
        """Return the same as a QR code, a PNG image."""
        return await asyncio.to_thread(qr.png, self.url(place, space))

    async def request(self, token: str, space: Space) -> QrRequest:
        """Return the request of a browser. Raises `RecordNotFound` if it is unknown, expired or done."""
        request = await self._store.auth_tokens.asked(token, self._clock.now(), space)
        if request is None:
            raise RecordNotFound
        return request

    async def own_request(self, token: str, secret: str, space: Space) -> QrRequest:
        """Return the request of the browser that has the secret. Raises `RecordNotFound`, also for another browser."""
        request = await self.request(token, space)
        if not hmac.compare_digest(token_hash(secret), request.browser.secret_hash):
            raise RecordNotFound
        return request

    async def host(self, request: QrRequest, space: Space) -> Account:
        """Return the account that lets a browser in. Raises `RecordNotFound` if it may not."""
        return await self._holder(request.account_id, request.epoch, space)

    async def approve(self, token: str, number: int, account: Account, actor: Actor) -> None:
        """Let the browser in that shows a number. Another number ends its request.

        Raises `RecordNotFound` for a request that is done, `CodeRefused` for the wrong number, `TooManyRequests`.
        """
        request = await self.request(token, actor.space or self._spaces.default)
        await self._limiter.count("qr_sign_ins", str(account.id))
        if number != request.browser.number:
            await self._store.auth_tokens.refuse(token, actor)
            raise CodeRefused
        await self._api_keys.attach(token, account, actor)

    async def refuse(self, token: str, actor: Actor) -> None:
        """End the request of a browser that is not to be signed in."""
        await self._store.auth_tokens.refuse(token, actor)

    async def redeem(self, token: str, secret: str, actor: Actor) -> Account:
        """Return the account that the browser with the secret may sign in to, once.

        Raises `RecordNotFound`, also when the account was signed out everywhere since.
        """
        space = actor.space or self._spaces.default
        attached = await self._store.auth_tokens.redeem(token, token_hash(secret), self._clock.now(), actor)
        if attached is None:
            raise RecordNotFound
        return await self._holder(attached.account_id, attached.epoch, space)

    async def _holder(self, account_id: int | None, epoch: int | None, space: Space) -> Account:
        account = None if account_id is None else await self._store.accounts.by_id(account_id, space.scope)
        if account is None or account.sign_in_epoch != epoch:
            raise RecordNotFound
        if account.is_blocked or account.is_shut_out:
            raise RecordNotFound
        return account

    async def hand_over(self, account: Account, actor: Actor) -> AuthToken:
        """Create a token that signs in the device that uses it first, in place of the one before."""
        now = self._clock.second()
        token = AuthToken(random_text(AUTH_TOKEN_LENGTH), now, now + AUTH_TOKEN_LIFE)
        await self._store.auth_tokens.add_attached(
            token.token, account.id, account.sign_in_epoch, now, token.expires_at, actor
        )
        return token

    async def take_over(self, token: str, actor: Actor) -> Account:
        """Return the account that a handed-over token signs in to, once. Raises `RecordNotFound`."""
        account = await self._api_keys.holder(token, actor.space or self._spaces.default)
        if account.is_shut_out:
            raise RecordNotFound
        await self._api_keys.use_up(token, actor)
        return account
