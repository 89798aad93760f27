"""The settings in force, and the spaces."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from flexiapi.errors import RecordNotFound
from flexiapi.model import AccountSelection
from flexiapi.panel.admin.office_endpoint import of_operators
from flexiapi.panel.panel_endpoint import PanelEndpoint
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.operation import SettingsPage, ShownSpace, SpacesPage
from flexiapi.services.fields import Flag
from flexiapi.settings import shown
from flexiapi.web.endpoint import endpoint
from flexiapi.web.operation import Access
from flexiapi.web.parameters import Params
from flexiapi.web.replies import PageReply


class SettingsQuery(Params):
    """The settings to show."""

    changed: Annotated[Flag, Field(description="only those that are not the defaults")] = False


class SettingsEndpoint(PanelEndpoint):
    """The settings. Administrators of a domain with a table of its own see that table alone."""

    path = "/admin/settings"

    @endpoint(Access.ADMIN, hidden=True)
    async def get(self, params: SettingsQuery) -> PageReply:
        """Show the settings."""
        settings, stored = self.settings, self.space.stored
        if stored is None:
            tables = [*shown.tables(settings), *shown.tables_of_spaces(settings)]
        else:
            tables = [shown.table_of_space(settings, stored)]
        if params.changed:
            changed = (replace(table, settings=[one for one in table.settings if one.is_changed]) for table in tables)
            tables = [table for table in changed if table.settings]
        return self.panel_page(SettingsPage(self.frame(marked("Settings")), tables, params.changed))


class SpacesEndpoint(PanelEndpoint):
    """The domains with settings of their own."""

    path = "/admin/spaces"

    @endpoint(Access.ADMIN, raises=(RecordNotFound,), hidden=True, requires=of_operators)
    async def get(self) -> PageReply:
        """Show the domains. Raises `RecordNotFound` if there is only one."""
        services = self.context.services
        if not services.spaces.by_domain:
            raise RecordNotFound
        spaces = [
            ShownSpace(
                one.domain,
                one.host or one.domain,
                one.url,
                one.name,
                one.registration,
                one.panel_registration,
                one.quota,
                await self.accounts.browsing.total(AccountSelection(one.domain), one),
            )
            for one in services.spaces
        ]
        return self.panel_page(SpacesPage(self.frame(marked("Domains")), spaces))
