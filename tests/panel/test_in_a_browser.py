"""Every page of the panel in a real browser, in two looks, in four by --slow. Screenshots lie in `screenshots/`."""

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from flexiapi.model import (
    EVERYWHERE,
    Actor,
    ActorKind,
    Algorithm,
    ForwardingKind,
    ForwardingTarget,
    Granted,
    KeyScope,
    ReportKind,
    SipReport,
)
from flexiapi.panel.routes import PANEL_ENDPOINTS
from flexiapi.services.calls import ForwardingValues
from flexiapi.services.codes import NewInvitation
from flexiapi.services.sign_in import NewNamedKey
from flexiapi.store import FiledReport
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply
from tests.kit.browser import barriers
from tests.kit.server import shared_by_module

pytestmark = pytest.mark.browser

server = shared_by_module({"statistics": {"days": 30}, "panel": {"registration": "open"}})

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "screenshots"
LOOKS = {
    "light-1280": ("light", 1280),
    "dark-320": ("dark", 320),
    "dark-1280": ("dark", 1280),
    "light-320": ("light", 320),
}
OF_EVERY_RUN = ["light-1280", "dark-320"]
VIEWS = [
    endpoint
    for endpoint in PANEL_ENDPOINTS
    if "get" in endpoint.operations and issubclass(endpoint.operations["get"].reply, PageReply)
]
# A name without blanks is what a narrow page has most trouble with.
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 3


@pytest.fixture(scope="module")
def admin(server):
    return server.person(
        "first.admin",
        admin_since=server.clock.second(),
        email="admin@example.org",
        display_name=LONG,
        phone="+33612345678",
    )


@pytest.fixture(scope="module")
def browsers(server, chromium, admin):
    """A page of a browser that is signed in as administrator, and one of a browser that is not, by access."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(chromium.endpoint)
        contexts = [browser.new_context(), browser.new_context()]
        for context in contexts:
            context.set_default_timeout(60_000)
        inside, outside = (context.new_page() for context in contexts)
        inside.goto(f"{server.url}/login")
        inside.get_by_label("User name").fill(admin.account.username)
        inside.locator("#field-password").fill(admin.password)
        inside.get_by_role("button", name="Sign in").click()
        inside.wait_for_url("**/dashboard")
        yield {Access.PUBLIC: outside, Access.USER: inside, Access.ADMIN: inside}
        for context in contexts:
            context.close()
        browser.close()


@pytest.fixture(scope="module")
def places(server, admin):
    """Values of path parameters: the first account, type, list and external account have the same id."""
    services, actor = server.services, server.actor
    server.run(services.accounts.types.add("intercom-of-the-main-door", actor))
    listed = server.run(services.contacts.lists.add(LONG, f"{LONG} of Building A", actor))
    server.run(services.contacts.lists.add_contact(listed.id, admin.id, actor))
    server.run(
        services.accounts.external_accounts.add_one("a" * 64, "sip.example.com", "x", Algorithm.SHA_256, "a", actor)
    )
    new_key = NewNamedKey("a" * 64, list(KeyScope), expires_days=30, idle_days=7)
    server.run(services.sign_in.named_keys.make(new_key, Actor(ActorKind.ACCOUNT, admin.id)))
    invitation = NewInvitation("a" * 64, None, 1000, 365, Granted((1,), (listed.id,)))
    server.run(services.codes.invitations.make(invitation, actor))
    rule = ForwardingValues(ForwardingKind.ALWAYS, ForwardingTarget.VOICEMAIL, enabled=True)
    server.run(services.calls.forwarding.add(server.account(admin.id), rule, actor))
    at, to = server.clock.second(), f"{'b' * 64}@{'c' * 50}.example.org"
    call = SipReport(kind=ReportKind.CALL, id="a", sender=admin.sip, receivers=(to,), begun_at=at)
    server.run(server.store.sip_reports.write([FiledReport(call, server.store.spaces.default, EVERYWHERE)], at))
    server.run(server.store.journal.pending.move_of("accounts", admin.id))
    server.run(server.parts.numbering.number_all())
    return {"id": str(admin.id)}


def path_of(endpoint, operation, places):
    path = endpoint.path
    for name, parameter in operation.path.items():
        path = path.replace(f"{{{name}}}", places.get(name, parameter.segment.example))
    return path


@pytest.mark.parametrize(("place", "endpoint"), list(enumerate(VIEWS)), ids=[endpoint.path for endpoint in VIEWS])
def test_a_page_bars_no_person_and_fits_in_each_look(server, browsers, places, request, place, endpoint):
    operation = endpoint.operations["get"]
    page = browsers[operation.access]
    page.goto(server.url + path_of(endpoint, operation, places))
    assert page.locator("h1").count() == 1
    SCREENSHOTS.mkdir(exist_ok=True)
    name = endpoint.path.strip("/").translate(str.maketrans("/", "-", "{}"))
    # Looks and the search for barriers take long: without the option --slow there are two, and each page has its turn.
    is_slow = request.config.getoption("--slow")
    looks = list(LOOKS) if is_slow else OF_EVERY_RUN
    turn = looks[place % len(looks)]
    for look in looks:
        scheme, width = LOOKS[look]
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png", full_page=True)
        assert page.evaluate("document.scrollingElement.scrollWidth <= document.documentElement.clientWidth"), look
        if look == turn or is_slow:
            assert barriers(page) == [], look
