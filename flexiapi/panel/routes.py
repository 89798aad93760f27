"""The endpoints of the panel."""

from flexiapi.api.handler import Handler
from flexiapi.panel.human_check import CreationTokenCheckEndpoint, CreationTokenValidationEndpoint

PANEL_ENDPOINTS: tuple[type[Handler], ...] = (CreationTokenCheckEndpoint, CreationTokenValidationEndpoint)
