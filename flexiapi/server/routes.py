"""All endpoints of the server."""

from collections.abc import Mapping, Sequence

from flexiapi.api.provisioning import AuthTokenProvisioningEndpoint, TokenProvisioningEndpoint
from flexiapi.api.routes import API_ENDPOINTS
from flexiapi.panel.routes import PAGE_ENDPOINTS, PANEL_ENDPOINTS
from flexiapi.panel.setup import AuthTokenSetupPage, ProvisioningSetupPage
from flexiapi.panel.unknown import UnknownPage
from flexiapi.settings import Settings
from flexiapi.web.endpoint import Endpoint, UnknownPath

ENDPOINTS_WITHOUT_PANEL: tuple[type[Endpoint], ...] = (*API_ENDPOINTS, *PAGE_ENDPOINTS)
ENDPOINTS: tuple[type[Endpoint], ...] = (*ENDPOINTS_WITHOUT_PANEL, *PANEL_ENDPOINTS)

# A browser that opens these gets a page: people follow links of which phones need the documents.
PAGES_OF_BROWSERS: Mapping[type[Endpoint], type[Endpoint]] = {
    TokenProvisioningEndpoint: ProvisioningSetupPage,
    AuthTokenProvisioningEndpoint: AuthTokenSetupPage,
    UnknownPath: UnknownPage,
}


def endpoints_of(settings: Settings) -> Sequence[type[Endpoint]]:
    """Return the endpoints that a server with these settings has."""
    return ENDPOINTS if settings.panel.enabled else ENDPOINTS_WITHOUT_PANEL
