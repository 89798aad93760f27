"""The endpoints with pages."""

from flexiapi.panel.admin.account_routes import ACCOUNT_PAGES
from flexiapi.panel.admin.office_routes import OFFICE_PAGES
from flexiapi.panel.assets import LogoEndpoint, ScriptEndpoint, StylesheetEndpoint
from flexiapi.panel.dashboard import DashboardEndpoint
from flexiapi.panel.endpoint import PageEndpoint
from flexiapi.panel.entrance.routes import ENTRANCE_ENDPOINTS
from flexiapi.panel.human_check import CreationTokenCheckEndpoint, CreationTokenValidationEndpoint
from flexiapi.panel.language_endpoint import LanguageEndpoint
from flexiapi.panel.login import AuthenticationEndpoint, ConfirmEndpoint, LoginEndpoint, SignOutEndpoint
from flexiapi.panel.setup import SetupEndpoint
from flexiapi.panel.user.routes import USER_ENDPOINTS
from flexiapi.panel.user.sessions import EndOtherSessionsEndpoint, EndSessionEndpoint, SessionsEndpoint

# Pages that apps and mails lead to, also without the panel.
PAGE_ENDPOINTS: tuple[type[PageEndpoint], ...] = (
    CreationTokenCheckEndpoint,
    CreationTokenValidationEndpoint,
    SetupEndpoint,
)

PANEL_ENDPOINTS: tuple[type[PageEndpoint], ...] = (
    StylesheetEndpoint,
    ScriptEndpoint,
    LogoEndpoint,
    LoginEndpoint,
    AuthenticationEndpoint,
    SignOutEndpoint,
    ConfirmEndpoint,
    DashboardEndpoint,
    *ENTRANCE_ENDPOINTS,
    LanguageEndpoint,
    *USER_ENDPOINTS,
    SessionsEndpoint,
    EndSessionEndpoint,
    EndOtherSessionsEndpoint,
    *ACCOUNT_PAGES,
    *OFFICE_PAGES,
)
