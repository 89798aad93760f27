"""Tokens that are pushed to a device, whose app opens the recovery page with them."""

from datetime import timedelta

from flexiapi.crypto.keys import random_text, token_hash
from flexiapi.errors import DeliveryFailed, RecoveryTokenTooSoon, TooManyRequests
from flexiapi.model import Actor, PushAddress, Space
from flexiapi.plugin import PushMessage
from flexiapi.services.ground import Ground

TOKEN_LENGTH = 13
_NOT_SENT = "The push notification could not be sent."


class RecoveryTokens:
    """Recovery tokens: each takes the place of the human check of the recovery page, once.

    They say nothing about an account. A device is sent one at a time.
    """

    def __init__(self, ground: Ground) -> None:
        self._store = ground.store
        self._notifier = ground.notifier
        self._limiter = ground.limiter
        self._clock = ground.clock
        self._life = timedelta(minutes=ground.settings.account.recovery_token_minutes)

    async def send_by_push(self, address: PushAddress, actor: Actor) -> None:
        """Send a token to a device. It is stored and counted only if the push is accepted.

        Raises `RecoveryTokenTooSoon` for a device that was sent one a short time ago, and `DeliveryFailed`.
        """
        token = random_text(TOKEN_LENGTH)
        message = PushMessage(
            address.provider,
            address.param,
            address.prid,
            {"token": token},
            time_to_live=round(self._life.total_seconds()),
            # A new token is only sent when the last one is no longer awaited.
            collapse_id="recovery-token",
            kind="recovery.token",
            language=None if actor.space is None else actor.space.language,
        )
        try:
            use = ("recovery_tokens", self._counted_as(message, actor))
            taken_at = await self._limiter.take(use)
        except TooManyRequests as error:
            raise RecoveryTokenTooSoon(error.retry_after) from error
        except DeliveryFailed as error:
            raise DeliveryFailed(_NOT_SENT) from error
        try:
            await self._notifier.push(message)
            now = self._clock.now()
            await self._store.recovery_tokens.add(token, now, now + self._life, actor)
        except BaseException as error:
            await self._limiter.give_back(use, taken_at=taken_at)
            if isinstance(error, DeliveryFailed):
                raise DeliveryFailed(_NOT_SENT) from error
            raise

    def _counted_as(self, message: PushMessage, actor: Actor) -> str:
        """Return the subject that a device is counted as in the actor's space, however its address is spelt."""
        return token_hash(f"device\x1f{self._notifier.identity(message)}", actor.stored_space).hex()

    async def is_free(self, token: str, space: Space) -> bool:
        """Return whether a token of the space can be used. This uses nothing."""
        return await self._store.recovery_tokens.is_free(token, self._clock.now(), space)

    async def spend(self, token: str, actor: Actor) -> bool:
        """Consume a token. Return False if it is unknown, used or expired."""
        return await self._store.recovery_tokens.consume(token, self._clock.now(), actor)
