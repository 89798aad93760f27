"""Test pushes and test messages, which people send to their own phones."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from flexiapi.errors import DeliveryFailed, DeviceUnregistered, RouteNotFound
from flexiapi.model import Account, Device, PushAddress
from flexiapi.plugin import PushMessage
from flexiapi.services.ground import Ground
from flexiapi.services.phones.devices import Devices
from flexiapi.services.phones.messages import Messages

MOST_PHONES = 10
_LIFE = 300
_KIND = "test"


@dataclass(frozen=True, slots=True)
class PushOutcome:
    """The outcome of a test push: how many phones the provider took it for, and how many it no longer knows.

    `failed` are those that no backend could serve; all are 0 if no registered phone says how it is woken.
    """

    accepted: int = 0
    unregistered: int = 0
    failed: int = 0


class PhoneTrials:
    """Test pushes and messages to the phones that an account has registered now, within its limit per hour."""

    def __init__(self, ground: Ground, devices: Devices, messages: Messages) -> None:
        self._notifier = ground.notifier
        self._limiter = ground.limiter
        self._devices = devices
        self._messages = messages

    async def push(self, account: Account, title: str) -> PushOutcome:
        """Send a push, which shows `title`, to the phones that say how they are woken, at most ten.

        The addresses are those of their registrations; the server keeps no others. Raises `TooManyRequests`,
        `RegistrarUnavailable`.
        """
        await self._limiter.count("tests", f"push {account.id}")
        addresses = _addresses(await self._devices.of(account))
        results = await asyncio.gather(*(self._outcome(address, title) for address in addresses))
        return PushOutcome(results.count("accepted"), results.count("unregistered"), results.count("failed"))

    async def _outcome(self, address: PushAddress, title: str) -> str:
        message = PushMessage(
            address.provider,
            address.param,
            address.prid,
            # Not `token`: an app that waits for a creation token would take it for one.
            {_KIND: "hello"},
            title=title,
            time_to_live=_LIFE,
            collapse_id=_KIND,
            kind=_KIND,
        )
        try:
            await self._notifier.push(message)
        except DeviceUnregistered:
            return "unregistered"
        except DeliveryFailed:
            return "failed"
        return "accepted"

    async def message(self, account: Account, body: str) -> str:
        """Send a SIP message to the account's own address. Return its id.

        Raises `RouteNotFound` without a way to send messages, `TooManyRequests`, `SipUnavailable`, `ValidationFailed`.
        """
        if not self._messages.is_enabled:
            raise RouteNotFound
        await self._limiter.count("tests", f"message {account.id}")
        return await self._messages.send(account.address, body)


def _addresses(devices: Sequence[Device]) -> list[PushAddress]:
    """Return each push address of the devices once, the last updated first."""
    named = dict.fromkeys(device.push for device in devices if device.push is not None)
    return list(named)[:MOST_PHONES]
