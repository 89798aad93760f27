"""Tokens that let an account be created: by push, after a human check, from an administrator."""

from datetime import datetime, timedelta
from typing import TypedDict

from flexiapi.crypto.keys import random_text
from flexiapi.errors import CreationTokenRefused, DeliveryFailed, FieldErrors, RecordNotFound
from flexiapi.limit_key import counted_as
from flexiapi.model import Account, Actor, PushAddress, PushDevice, Space, SpentToken
from flexiapi.plugin import PushMessage
from flexiapi.services.ground import Ground

TOKEN_LENGTH = 13
_NOT_SENT = "The push notification could not be sent."


class CreationTokenValues(TypedDict, total=False):
    """The creation token among the values of a request, if it is given and well-formed."""

    account_creation_token: str


class PushValues(TypedDict, total=False):
    """The provider among the values of a request, if it is given and well-formed."""

    pn_provider: str


class CreationTokens:
    """Creation tokens, and the request tokens that are exchanged for them."""

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._notifier = ground.notifier
        self._notices = ground.notices
        self._settings = ground.settings.account
        self._limiter = ground.limiter
        self._clock = ground.clock

    async def make(self, actor: Actor) -> str:
        """Create a token for an administrator to pass on, which also counts where only the invited may register."""
        token = random_text(TOKEN_LENGTH)
        await self._keep(token, actor, is_invitation=True)
        return token

    async def mint(self, actor: Actor) -> str:
        """Create a token for a request that spends it itself, counted for its network. Raises `TooManyRequests`."""
        await self._limiter.count("anonymous_tokens", counted_as(actor.address))
        token = random_text(TOKEN_LENGTH)
        await self._keep(token, actor)
        return token

    async def push_faults(self, values: PushValues) -> FieldErrors:
        """Check that there may be a backend for the device's `pn_provider`."""
        fault = await self._notifier.provider_fault(values["pn_provider"]) if "pn_provider" in values else None
        return {} if fault is None else {"pn_provider": [f"pn_provider {fault}"]}

    async def send_by_push(self, address: PushAddress, actor: Actor) -> None:
        """Send a token to a device. It is stored and counted only if the push is accepted.

        Raises `CreationTokenRefused` for a device that waits for a token or had too many, and `DeliveryFailed`.
        """
        token = random_text(TOKEN_LENGTH)
        message = self._message(address, token, actor)
        device = PushDevice(address, self._identity(message))
        now = self._clock.now()
        until = now + timedelta(minutes=self._settings.creation_token_retry_minutes)
        devices = self._store.push_devices
        if not await devices.reserve(device, actor, now, until, self._settings.creation_tokens_per_device):
            raise CreationTokenRefused
        try:
            await self._notifier.push(message)
            await self._store.creation_tokens.push(token, self._clock.now(), self.end_of_new(), address, actor)
            await devices.note_sent(device, token, actor)
        except BaseException as error:
            await devices.release(device, actor)
            if isinstance(error, DeliveryFailed):
                raise DeliveryFailed(_NOT_SENT) from error
            raise

    def _message(self, address: PushAddress, token: str, actor: Actor) -> PushMessage:
        return PushMessage(
            address.provider,
            address.param,
            address.prid,
            {"token": token},
            title=self._settings.creation_token_title,
            time_to_live=round(timedelta(days=self._settings.creation_token_days).total_seconds()),
            # A new token is only sent when the last one no longer serves.
            collapse_id="creation-token",
            kind="creation.token",
            language=self._language(actor),
        )

    def _language(self, actor: Actor) -> str | None:
        """Return the language of a push: that of the domain if it has a title, which the settings have in that one."""
        usual = None if actor.space is None else actor.space.language
        if self._settings.creation_token_title is not None or not actor.accept_language:
            return usual
        return self._notices.preferred_language(actor) or usual

    def _identity(self, message: PushMessage) -> str:
        try:
            return self._notifier.identity(message)
        except DeliveryFailed as error:
            raise DeliveryFailed(_NOT_SENT) from error

    async def request(self, actor: Actor) -> str:
        """Create a request token, which a human must validate."""
        token = random_text(TOKEN_LENGTH)
        await self._store.request_tokens.add(token, self._clock.now(), self.end_of_new_request(), actor)
        return token

    def end_of_new(self) -> datetime:
        """Return when a creation token that is made now expires."""
        return self._clock.second() + timedelta(days=self._settings.creation_token_days)

    def end_of_new_request(self) -> datetime:
        """Return when a request token that is made now expires."""
        return self._clock.second() + timedelta(hours=self._settings.request_token_hours)

    async def spend(self, token: str, account: Account, actor: Actor) -> SpentToken:
        """Consume a creation token for an account that there is, so that it creates none. Raises `RecordNotFound`."""
        spent = await self._store.creation_tokens.spend(token, account.id, self._clock.now(), actor)
        if spent is None:
            raise RecordNotFound
        return spent

    async def is_request_open(self, token: str, space: Space) -> bool:
        """Return whether a request token of the space waits for validation, or is validated and not used."""
        return await self._store.request_tokens.is_open(token, self._clock.now(), space)

    async def validate_request(self, token: str, actor: Actor) -> None:
        """Mark the request token as one of a human. Raises `RecordNotFound`."""
        if not await self._store.request_tokens.validate(token, self._clock.now(), actor):
            raise RecordNotFound

    async def exchange(self, request_token: str, actor: Actor) -> str:
        """Exchange a validated request token, once, for a creation token. Raises `RecordNotFound`."""
        token = random_text(TOKEN_LENGTH)
        if not await self._store.request_tokens.consume(request_token, self._clock.now(), token, actor):
            raise RecordNotFound
        try:
            await self._keep(token, actor)
        except BaseException:
            await self._store.request_tokens.give_back(request_token, actor)
            raise
        return token

    async def faults(self, values: CreationTokenValues, space: Space) -> FieldErrors:
        """Check a creation token of the space that is to be consumed."""
        token = values.get("account_creation_token")
        if not token or await self.is_free(token, space):
            return {}
        return {"account_creation_token": ["account_creation_token is unknown, used or expired"]}

    async def sign_up_faults(self, values: CreationTokenValues, space: Space) -> FieldErrors:
        """Check a creation token that is to create an account, which in some spaces takes an administrator's token."""
        token = values.get("account_creation_token")
        if not token or space.registration != "invited":
            return await self.faults(values, space)
        return await self.invitation_faults(token, space)

    async def invitation_faults(self, token: str, space: Space) -> FieldErrors:
        """Check a creation token that must come from an administrator."""
        if await self._store.creation_tokens.is_free(token, self._clock.now(), space, as_invitation=True):
            return {}
        return {"account_creation_token": ["account_creation_token is no invitation, or it is used or expired"]}

    async def is_free(self, token: str, space: Space | None = None) -> bool:
        """Return whether a creation token of the space (`None`: the default one) can be used."""
        return await self._store.creation_tokens.is_free(token, self._clock.now(), space)

    async def _keep(self, token: str, actor: Actor, *, is_invitation: bool = False) -> None:
        tokens = self._store.creation_tokens
        await (tokens.invite if is_invitation else tokens.add)(token, self._clock.now(), self.end_of_new(), actor)
