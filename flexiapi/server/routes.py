"""Every endpoint of the server."""

from flexiapi.api.routes import API_ENDPOINTS
from flexiapi.panel.routes import PANEL_ENDPOINTS
from flexiapi.web.handler import ApiHandler

ENDPOINTS: tuple[type[ApiHandler], ...] = (*API_ENDPOINTS, *PANEL_ENDPOINTS)
