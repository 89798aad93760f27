"""Devices that are registered at the SIP server."""

import asyncio
from datetime import timedelta

from flexiapi.errors import RecordNotFound, RegistrarUnavailable
from flexiapi.flexisip.registrar import Registrar
from flexiapi.model import Account, Device


class Devices:
    """Registered devices; none without a registrar."""

    def __init__(self, registrar: Registrar | None) -> None:
        self._registrar = registrar

    @property
    def is_known(self) -> bool:
        """True if the settings name a registrar."""
        return self._registrar is not None

    async def check(self) -> None:
        """Return if the registrar answers, or there is none. Raises `RegistrarUnavailable`."""
        if self._registrar is not None:
            await self._registrar.check()

    async def of(self, account: Account) -> list[Device]:
        """Return the account's devices, the last updated first. Raises `RegistrarUnavailable`."""
        return await self._registrar.devices(account.address) if self._registrar else []

    async def glance(self, account: Account, within: timedelta) -> list[Device]:
        """Return the same as `of`, but wait no longer than this. Raises `RegistrarUnavailable`."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                return await self.of(account)
        except TimeoutError as error:
            raise RegistrarUnavailable from error

    async def remove(self, account: Account, uuid: str) -> None:
        """Remove a device's registration. Raises `RecordNotFound`, `RegistrarUnavailable`."""
        if self._registrar is None or not await self._registrar.remove(account.address, uuid):
            raise RecordNotFound
