"""Pushes that a SIP server has sent to wake phones."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flexiapi.errors import DeliveryFailed, FieldErrors
from flexiapi.model import PushAddress
from flexiapi.plugin import PushMessage, PushPurpose
from flexiapi.services.ground import Ground

SECONDS = 3.0
"""The time in which a push is sent or given up, in seconds: a caller waits meanwhile."""

_ONCE_IN = timedelta(seconds=5)
_LIFE_OF_CALL = 30


@dataclass(frozen=True, slots=True)
class WakingPush:
    """A push to a device: what it is about, and the Call-ID of that if it has one."""

    address: PushAddress
    purpose: PushPurpose
    call_id: str | None = field(default=None, repr=False)


class WakingPushes:
    """Pushes about calls and messages that wait for a phone. The phone learns of them nothing but the Call-ID."""

    def __init__(self, ground: Ground) -> None:
        self._notifier = ground.notifier
        self._pushes = ground.store.sent_pushes
        self._clock = ground.clock

    async def faults(self, values: Any) -> FieldErrors:
        """Check that there may be a backend for the device's `pn_provider`."""
        fault = await self._notifier.provider_fault(values["pn_provider"]) if "pn_provider" in values else None
        return {} if fault is None else {"pn_provider": [f"pn_provider {fault}"]}

    async def send(self, push: WakingPush) -> None:
        """Send a push, unless the same device got one for the same call in the last seconds.

        Raises `DeliveryFailed`, and its subclass `DeviceUnregistered` for a device that the provider no longer knows.
        """
        if push.call_id is None:
            await self._notifier.push(_message(push), SECONDS)
            return
        now, device = self._clock.now(), push.address.prid
        if not await self._pushes.begin(push.call_id, device, now, now + _ONCE_IN):
            return
        try:
            await self._notifier.push(_message(push), SECONDS)
        except BaseException as error:
            await self._pushes.forget(push.call_id, device)
            if isinstance(error, Exception) and not isinstance(error, DeliveryFailed):
                raise DeliveryFailed from error
            raise


def _message(push: WakingPush) -> PushMessage:
    address, call_id = push.address, push.call_id or ""
    return PushMessage(
        address.provider,
        address.param,
        address.prid,
        {"type": push.purpose, "call-id": call_id},
        # A call that is over wakes no phone.
        time_to_live=_LIFE_OF_CALL if push.purpose == "call" else None,
        kind=f"waking.{push.purpose}",
        purpose=push.purpose,
        call_id=call_id,
    )
