"""Everything that is stored about the owner of an account, as a file."""

import json

from flexiapi.errors import RegistrarUnavailable, TooManyRequests
from flexiapi.model import Device
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.panel.user.personal_data import OwnRecords, document_of
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import Json


class ExportEndpoint(PanelEndpoint):
    """The export of one's own data."""

    path = "/export"

    @endpoint(Access.USER, hidden=True, secret=True, fresh=10, raises=(TooManyRequests,))
    async def get(self) -> Json:
        """Return everything that is stored about the account, without secrets."""
        records = await self.accounts.personal_data.of(self.me)
        devices: list[Device] | None
        try:
            devices = await self.phones.devices.of(self.me)
        except RegistrarUnavailable:
            devices = None
        own = OwnRecords(
            records,
            await self.contacts.links.of_user(self.me),
            await self.sign_in.sessions.of(self.me),
            devices,
        )
        text = json.dumps(document_of(self.me, own), ensure_ascii=False, indent=2)
        headers = [("Content-Disposition", 'attachment; filename="account.json"'), ("Cache-Control", "no-store")]
        return Json(text.encode(), headers)
