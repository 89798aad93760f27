"""Settings of the account panel: its pages, its sessions."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from flexiapi.settings.values import OptionalPath, SettingsSection


class PanelSettings(SettingsSection):
    """The account panel: pages on which people manage their account, and administrators all of them."""

    enabled: bool = Field(
        True, description="show the panel; false leaves the pages that phones need, and answers 404 on the others"
    )
    registration: Literal["closed", "invited", "open"] = Field(
        "closed",
        description="who may register on the pages of the panel: anybody, people with an invitation of an "
        "administrator, or not at all",
    )
    phone: bool = Field(True, description="people may register and recover their account by phone, which sends SMS")
    devices: bool = Field(True, description="show people the devices that are registered with their account")
    hue: int = Field(215, ge=0, le=359, description="hue of the colours, in degrees: 0 is red, 120 is green")
    logo: OptionalPath = Field(None, description="PNG or SVG file that the pages show beside the name of the service")
    country_database: OptionalPath = Field(
        None,
        description="file in the format MMDB, such as GeoLite2-Country.mmdb, that tells the country of the network "
        "addresses that pages and mails show; read at the start; unset, they show none",
    )
    session_idle_minutes: int = Field(120, ge=1, description="life of a session that is not used, in minutes")
    session_hours: int = Field(12, ge=1, description="life of a session however it is used, in hours")
    session_days: int = Field(
        30,
        ge=0,
        description="life of a session that is to last when the browser is closed, used or not, in days; 0 offers none",
    )

    @property
    def idle_life(self) -> timedelta:
        """The life of a session that is not used."""
        return timedelta(minutes=self.session_idle_minutes)

    @property
    def life(self) -> timedelta:
        """The life of a session that ends with the browser."""
        return timedelta(hours=self.session_hours)

    @property
    def lasting_life(self) -> timedelta:
        """The life of a session that lasts when the browser is closed; zero offers none."""
        return timedelta(days=self.session_days)
