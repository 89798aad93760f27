"""Samples of pages for the owner of an account."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flexiapi.rendering.panel import phones, user
from flexiapi.rendering.panel.call_forwarding import CallForwardingPage, ForwardingLine
from flexiapi.rendering.panel.frame import PanelPage
from flexiapi.rendering.panel.samples.surroundings import ADDRESS, BUTTON, FORM, FRAME

_WHEN = datetime(2026, 11, 1, 9, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SampleKey:
    """The times of an API key."""

    created_at: datetime = _WHEN
    last_used_at: datetime = _WHEN
    ends_at: datetime = _WHEN
    is_over: bool = False


_PHONE = phones.PhoneLine("urn:uuid:a/b", "Linphone Android 5.2", "Pixel", _WHEN, _WHEN, "fcm", is_here=True)
_CONTACT = user.ContactLine(ADDRESS, "Alice Martin", "+33612345678")
_LINK = phones.LinkView("https://a.example.org/provisioning/x", "data:image/png;base64,AAAA", "linphone-config:x")
_FETCH = phones.FetchView(_WHEN, _WHEN, "Linphone Android 5.2", "Pixel", "192.0.2.7")
_CONTENT = (
    phones.GivenLine("proxy_0", "reg_identity", f"<sip:{ADDRESS}>", "SIP address"),
    phones.GivenLine("auth_info_0", "ha1", None),
)

PAGES: tuple[PanelPage, ...] = (
    user.DashboardPage(FRAME, ADDRESS),
    user.DashboardPage(
        FRAME,
        ADDRESS,
        is_activated=False,
        display_name="Alice Martin",
        phones=2,
        set_up_at=_WHEN,
        email="alice@example.org",
        waiting_email="new@example.org",
        phone="+33612345678",
        waiting_phone="+33612345679",
        has_password=False,
        key=SampleKey(),
        sessions=2,
        contacts=1,
    ),
    user.DashboardPage(FRAME, ADDRESS, trouble="The registrar is not available now. Try again later."),
    user.DashboardPage(FRAME, ADDRESS, key=SampleKey(is_over=True), shows_devices=False),
    user.ApiKeyPage(FRAME, BUTTON, None, None, timedelta(minutes=60), None, "https://accounts.example.org/api"),
    user.ApiKeyPage(FRAME, FORM, SampleKey(), "0" * 40, timedelta(minutes=60), timedelta(days=90), "/api"),
    user.AddressCodePage(FRAME, FORM, BUTTON, BUTTON, "new@example.org", 3, _WHEN),
    user.PasswordPage(FRAME, FORM, 6, refuses_common=True),
    phones.DevicesPage(FRAME, BUTTON, BUTTON, [_PHONE, phones.PhoneLine("x", "", "", _WHEN)]),
    phones.DevicesPage(FRAME, FORM, None, [], is_known=False),
    phones.DevicesPage(FRAME, BUTTON, BUTTON, [], failure="The registrar is not available now. Try again later."),
    phones.DevicesPage(FRAME, BUTTON, BUTTON, []),
    phones.RemoveDevicePage(FRAME, BUTTON, _PHONE),
    phones.ProvisionPage(FRAME, BUTTON, ADDRESS),
    phones.ProvisionPage(FRAME, BUTTON, ADDRESS, _LINK, _WHEN, _WHEN, "admin", _FETCH, _CONTENT),
    phones.ProvisionPage(FRAME, BUTTON, ADDRESS, made_at=_WHEN, made_by="mail", failure="It could not be made."),
    user.ContactsPage(FRAME, (), (), 0),
    user.ContactsPage(FRAME, [_CONTACT], [user.ContactGroup("Neighbours", "Of the house", [_CONTACT])], 1),
    user.ContactsPage(FRAME, (), [user.ContactGroup("Empty", "", [])], 1),
    CallForwardingPage(FRAME, ()),
    CallForwardingPage(
        FRAME,
        [
            ForwardingLine(1, "always", "voicemail", is_ended=True, switch=BUTTON),
            ForwardingLine(2, "busy", "sip_uri", f"sip:{ADDRESS}", is_enabled=False, switch=BUTTON),
            ForwardingLine(3, "no_answer", "contact", is_enabled=False, switch=BUTTON),
        ],
        may_add=False,
        message="enabled cannot be set for all calls and for some calls at the same time",
        about="enabled",
        label="Call forwarding",
    ),
    user.ContactsPage(FRAME, (), (), 0, ["Tatyana Schoen"], 120),
    user.DeletionPage(FRAME, FORM, ADDRESS, 7),
    user.DeletionPage(FRAME, FORM, ADDRESS, 0),
)
