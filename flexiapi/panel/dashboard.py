"""The page of one's own account."""

from datetime import timedelta

from flexiapi.errors import RegistrarUnavailable
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.user import DashboardPage
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply

_PATIENCE = timedelta(seconds=1)
"""The time for the SIP server to tell of registered phones: the page is not to wait for one that is away."""


class DashboardEndpoint(PanelEndpoint):
    """The account at a glance."""

    path = "/dashboard"

    @endpoint(Access.USER, hidden=True)
    async def get(self) -> PageReply:
        """Show the account."""
        me, trouble, phones = self.me, None, None
        devices = self.phones.devices
        if devices.is_known and self.settings.panel.devices:
            try:
                phones = len(await devices.glance(me, _PATIENCE))
            except RegistrarUnavailable as error:
                trouble = error.message
        page = DashboardPage(
            self.frame(marked("My account")),
            me.address,
            is_activated=me.activated,
            display_name=me.display_name,
            phones=phones,
            trouble=trouble,
            set_up_at=None if me.last_provisioning is None else me.last_provisioning.fetched_at,
            email=me.email,
            waiting_email=None if me.email_change is None else me.email_change.target,
            phone=me.shown_phone,
            waiting_phone=None if me.phone_change is None else me.phone_change.target,
            has_password=bool(me.passwords),
            key=self.sign_in.api_keys.state(me),
            sessions=len(await self.sign_in.sessions.of(me)),
            contacts=len(await self.contacts.links.of_user(me)),
            shows_devices=self.settings.panel.devices,
        )
        return self.panel_page(page)
