"""The endpoints of the panel."""

from flexiapi.panel.endpoint import PageEndpoint
from flexiapi.panel.human_check import CreationTokenCheckEndpoint, CreationTokenValidationEndpoint
from flexiapi.panel.setup import SetupEndpoint

PANEL_ENDPOINTS: tuple[type[PageEndpoint], ...] = (
    CreationTokenCheckEndpoint,
    CreationTokenValidationEndpoint,
    SetupEndpoint,
)
