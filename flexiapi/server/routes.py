"""All endpoints of the server."""

from flexiapi.api.routes import API_ENDPOINTS
from flexiapi.panel.routes import PANEL_ENDPOINTS
from flexiapi.web.endpoint import Endpoint

ENDPOINTS: tuple[type[Endpoint], ...] = (*API_ENDPOINTS, *PANEL_ENDPOINTS)
