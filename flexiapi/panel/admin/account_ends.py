"""Ends of what an account is in use by: registrations of devices, sessions of browsers."""

from typing import Annotated

from flexiapi.errors import RecordNotFound
from flexiapi.panel.admin.account_endpoint import Confirmed, ConfirmedEndpoint, Id
from flexiapi.panel.done import Done
from flexiapi.panel.forms import EMPTY, Filled
from flexiapi.rendering.catalogues import marked
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access, Segment
from flexiapi.web.replies import PageReply

Uuid = Annotated[str, Segment(".{1,255}", "urn:uuid:4f2e1a9c-1111-4222-8333-444455556666", "a device's uuid")]
SessionHash = Annotated[str, Segment("[0-9a-f]{64}", "0" * 64, "the SHA-256 of a session's secret")]


class DeviceRemovalEndpoint(ConfirmedEndpoint):
    """The end of the registration of a device."""

    path = "/admin/accounts/{id}/devices/{uuid}/delete"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id, uuid: Uuid) -> PageReply:
        """Show what will be ended."""
        del id, uuid
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, uuid: Uuid, body: Confirmed) -> PageReply:
        """End the registration."""
        del body
        await self.phones.devices.remove(await self.account(), uuid)
        return self.see_other(f"/admin/accounts/{id}/devices", Done.REGISTRATION_ENDED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button."""
        return self.confirmation(
            await self.account(),
            filled,
            title=marked("End the registration of the device"),
            lead=(
                marked("It is not called any more until it registers again, which it does by itself."),
                marked("Deactivate or block the account, or change its password, to keep the device out."),
            ),
            submit=marked("End the registration"),
            tab="devices",
            subject=self.arguments["uuid"],
        )


class SessionEndEndpoint(ConfirmedEndpoint):
    """The end of a session of a browser."""

    path = "/admin/accounts/{id}/sessions/{session}/end"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def get(self, id: Id, session: SessionHash) -> PageReply:
        """Show what will be ended."""
        del id, session
        return await self.show()

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True)
    async def post(self, id: Id, session: SessionHash, body: Confirmed) -> PageReply:
        """End the session."""
        del body
        if not await self.sign_in.sessions.end_by_hash(await self.account(), bytes.fromhex(session)):
            raise RecordNotFound
        return self.see_other(f"/admin/accounts/{id}/activity", Done.SESSION_ENDED)

    async def show(self, filled: Filled = EMPTY) -> PageReply:
        """Return the page with the button. Raises `RecordNotFound`."""
        account = await self.account()
        sessions = await self.sign_in.sessions.of(account)
        ended = [one for one in sessions if one.id_hash.hex() == self.arguments["session"]]
        if not ended:
            raise RecordNotFound
        return self.confirmation(
            account,
            filled,
            title=marked("End the session"),
            lead=(marked("The browser is signed out at once."),),
            submit=marked("End the session"),
            tab="activity",
            subject=ended[0].user_agent or ended[0].ip,
        )
