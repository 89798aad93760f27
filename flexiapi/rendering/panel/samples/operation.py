"""Samples of pages about the server."""

from flexiapi.model import Actor, ActorKind, BackendState, Event, KnownBackend
from flexiapi.rendering.catalogues import marked
from flexiapi.rendering.panel.admin import Budget
from flexiapi.rendering.panel.frame import PanelPage
from flexiapi.rendering.panel.operation import (
    BackendsPage,
    Figure,
    OverviewPage,
    ServerHealth,
    SettingsPage,
    ShownSpace,
    SpacesPage,
)
from flexiapi.rendering.panel.samples.admin import ACCOUNT, AT, FEW, MORE, VERY_MANY
from flexiapi.rendering.panel.samples.surroundings import FORM, FRAME
from flexiapi.settings.shown import HIDDEN, ShownSetting, ShownTable

_STATES = [
    BackendState("sms.main", "sms", "http", fault="the password is wrong", credit=12.5),
    BackendState("sms.other", "sms", "http", fault="", waiting=2, under_way=100),
    BackendState("mail.smtp", "mail", "smtp", is_resting=True, failed_at=AT, reason="no answer in time"),
    BackendState("mail.main", "mail", "smtp", failed_at=AT, reason="no answer in time"),
    BackendState("push.ios", "push", "apns", sent_at=AT, waiting=3),
    BackendState("push.android", "push", "fcm"),
]
_FIGURES = [
    Figure(marked("Accounts"), VERY_MANY, "/admin/accounts"),
    Figure(marked("Activated accounts"), MORE, "/admin/accounts?activated=true"),
    Figure(marked("Administrators"), FEW, "/admin/accounts?admin=true"),
]
_ACTORS = (Actor(ActorKind.ACCOUNT, 12), Actor(ActorKind.CLI))
_EVENTS = [Event("0" * 24, 7, "account.activated", AT, "accounts", 12, 3, actor) for actor in _ACTORS]
_TABLES = [
    ShownTable("account", [ShownSetting("quota", "5", "0", "Most accounts.", is_changed=True)]),
    ShownTable("app", [ShownSetting("key", HIDDEN, "", "Secret.", is_changed=True, is_secret=True)]),
    ShownTable("redis", [ShownSetting("host", "", "", "Host.")]),
]
_DOMAIN = ShownSpace("b.example.org", "b.example.org", "https://b.example.org", "B", "open", "closed", 500, FEW)

PAGES: tuple[PanelPage, ...] = (
    OverviewPage(FRAME, _FIGURES, [], {}),
    OverviewPage(
        FRAME,
        _FIGURES,
        _EVENTS,
        {12: ACCOUNT},
        ServerHealth(
            _STATES,
            "away",
            "ok",
            {"database": "The database does not answer."},
            [Budget("", 3, 1000, AT), Budget("+33", 0, 10, None)],
        ),
    ),
    OverviewPage(FRAME, _FIGURES, _EVENTS, {12: ACCOUNT}, ServerHealth([], "none", "none", {}, [])),
    BackendsPage(FRAME, FORM, _STATES, [KnownBackend("sms", "http", "flexiapi-http 1", ["sms.main"])]),
    BackendsPage(FRAME, None, [], [KnownBackend("sms", "http", "flexiapi-http 1", [])], is_checked=True),
    SettingsPage(FRAME, _TABLES),
    SettingsPage(FRAME, [], only_changed=True),
    SpacesPage(FRAME, [_DOMAIN, _DOMAIN._replace(quota=0)]),
)
