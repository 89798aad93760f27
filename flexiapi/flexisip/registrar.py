"""The interface of registrars."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from flexiapi.model import Device


class Registrar(ABC):
    """The SIP server's store of bindings. Every method raises `RegistrarUnavailable` within a bounded time."""

    @abstractmethod
    async def devices(self, account_address: str) -> list[Device]:
        """Return the devices now registered under `user@domain`, the last updated first."""

    @abstractmethod
    async def remove(self, account_address: str, uuid: str) -> bool:
        """End the bindings of a device. Return False if `uuid` is not registered under `user@domain`."""

    @abstractmethod
    async def check(self) -> None:
        """Return if the registrar answers."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""


def newest_first(found: Iterable[Device]) -> list[Device]:
    """Sort devices, the last updated first; of several bindings of one device, the last updated counts."""
    by_age = sorted(found, key=lambda device: device.updated_at)
    newest = {device.uuid: device for device in by_age}
    return sorted(newest.values(), key=lambda device: device.updated_at, reverse=True)
