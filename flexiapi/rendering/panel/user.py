"""Pages of the panel for the owner of an account."""

from dataclasses import dataclass
from typing import ClassVar

from flexiapi.rendering.panel.frame import PanelPage


@dataclass(frozen=True, slots=True)
class DashboardPage(PanelPage):
    """The account at a glance; `address` is `user@domain`."""

    name: ClassVar[str] = "dashboard"

    address: str
