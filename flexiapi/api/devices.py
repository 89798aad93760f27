"""Registered devices of the current user, and of an account for administrators."""

from flexiapi.api.endpoint import ApiEndpoint
from flexiapi.api.segments import Id, Uuid
from flexiapi.api.views.devices import DeviceView
from flexiapi.errors import RecordNotFound, RegistrarUnavailable
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access

_UUID = "urn:uuid:4f2e1a9c-1111-4222-8333-444455556666"
_EXAMPLE = {
    _UUID: {
        "uuid": _UUID,
        "update_time": "2023-06-17T11:06:40.000000Z",
        "user_agent": "LinphoneAndroid/5.0 (Pixel)",
    }
}


class MyDevicesEndpoint(ApiEndpoint):
    """The registered devices of the current user."""

    path = "/api/accounts/me/devices"

    @endpoint(Access.USER, raises=(RegistrarUnavailable,), example=_EXAMPLE)
    async def get(self) -> dict[str, DeviceView]:
        """Return the user registered devices, by their `uuid`."""
        return {device.uuid: DeviceView.of(device) for device in await self.phones.devices.of(self.me)}


class MyDeviceEndpoint(ApiEndpoint):
    """A registered device of the current user."""

    path = "/api/accounts/me/devices/{uuid}"

    @endpoint(Access.USER, raises=(RecordNotFound, RegistrarUnavailable))
    async def delete(self, uuid: Uuid) -> None:
        """Remove one of the user registered devices.

        Return `404` if it is not one of them.
        """
        await self.phones.devices.remove(self.me, uuid)


class AccountDevicesEndpoint(ApiEndpoint):
    """The registered devices of an account."""

    path = "/api/accounts/{id}/devices"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, RegistrarUnavailable), example=_EXAMPLE)
    async def get(self, id: Id) -> dict[str, DeviceView]:
        """Return the registered devices of an account, by their `uuid`."""
        account = await self.accounts.directory.for_admin(id, self.space)
        return {device.uuid: DeviceView.of(device) for device in await self.phones.devices.of(account)}


class AccountDeviceEndpoint(ApiEndpoint):
    """A registered device of an account."""

    path = "/api/accounts/{id}/devices/{uuid}"

    @endpoint(Access.ADMIN, raises=(RecordNotFound, RegistrarUnavailable))
    async def delete(self, id: Id, uuid: Uuid) -> None:
        """Remove one of the registered devices of an account.

        Return `404` if it is not one of them.
        """
        await self.phones.devices.remove(await self.accounts.directory.for_admin(id, self.space), uuid)
