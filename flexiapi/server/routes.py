"""All endpoints of the server."""

from collections.abc import Mapping

from flexiapi.api.provisioning import AuthTokenProvisioningEndpoint, TokenProvisioningEndpoint
from flexiapi.api.routes import API_ENDPOINTS
from flexiapi.panel.routes import PANEL_ENDPOINTS
from flexiapi.panel.setup import AuthTokenSetupPage, ProvisioningSetupPage
from flexiapi.panel.unknown import UnknownPage
from flexiapi.web.endpoint import Endpoint, UnknownPath

ENDPOINTS: tuple[type[Endpoint], ...] = (*API_ENDPOINTS, *PANEL_ENDPOINTS)

# A browser that opens these gets a page: people follow links of which phones need the documents.
PAGES_OF_BROWSERS: Mapping[type[Endpoint], type[Endpoint]] = {
    TokenProvisioningEndpoint: ProvisioningSetupPage,
    AuthTokenProvisioningEndpoint: AuthTokenSetupPage,
    UnknownPath: UnknownPage,
}
