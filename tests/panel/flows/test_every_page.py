"""Every page with hostile texts in all that is stored: nothing runs, all can be used. Some with large letters too."""

import re
import time
from urllib.parse import quote

import pytest

from flexiapi.model import (
    Action,
    Algorithm,
    CallForwarding,
    DtmfProtocol,
    ExternalAccount,
    ForwardingKind,
    ForwardingTarget,
    KeyScope,
    PendingChange,
)
from flexiapi.model.parts import ProvisioningFetch
from flexiapi.panel.routes import PANEL_ENDPOINTS
from flexiapi.services.codes import NewInvitation
from flexiapi.services.sign_in import NewNamedKey
from flexiapi.web.operation import Access
from flexiapi.web.replies import PageReply
from tests.kit.page_faults import (
    disturbing,
    lost_in_forced_colors,
    overflow,
    repeated_names,
    small_targets,
    too_wide,
    wrong_fields,
)
from tests.kit.server import serving
from tests.kit.windows import Windows, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.security]

OVERRIDE = "\u202e"
VIEWS = [
    endpoint
    for endpoint in PANEL_ENDPOINTS
    if "get" in endpoint.operations and issubclass(endpoint.operations["get"].reply, PageReply)
]
# What markup in a text would leave on a page, if it were markup there.
INTRUDERS = """() => {
  const found = [...document.querySelectorAll("x-evil, [x-evil], [onerror], [onload], script:not([src])")];
  const texts = found.map((it) => it.outerHTML.slice(0, 200));
  if ("ran" in window) texts.push(`a script ran: ${window.ran}`);
  return texts;
}"""
PLANTED = (
    *("username", "display_name", "email", "email_change", "phone_change", "user_agent", "contact", "type"),
    *("list_title", "list_description", "external", "action_key", "action_code", "device", "fetch", "session"),
)


def evil(name, *, is_header=False):
    """A text with markup, quotes and a mark that turns the direction; headers have only ASCII."""
    mark = "" if is_header else OVERRIDE
    return (
        f"""{mark}planted-{name} "' x-evil="1 <x-evil>'"></x-evil><script>window.ran="{name}"</script>"""
        f"""<img src=x onerror=window.ran="{name}"><svg onload=alert(1)>{{{{7*7}}}}${{7*7}}&lt;"""
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory, mongod_uri, session_redis):
    url = f"unix://:{session_redis.password}@{session_redis.unix_socket}"
    tables = {"redis": {"url": url}, "panel": {"registration": "open"}}
    with serving(tables, tmp_path_factory.mktemp("pages"), mongod_uri) as running_server:
        yield running_server


@pytest.fixture(scope="module")
def admin(server):
    return server.person("admin.sweep", admin_since=server.clock.second())


@pytest.fixture(scope="module")
def victim(server, session_redis):
    """An account all of whose stored texts are hostile."""
    run, actor, services, now = server.run, server.actor, server.services, server.clock.second()
    contact = server.person(evil("username"), display_name=evil("contact"))
    kind = run(services.accounts.types.add(evil("type"), actor))
    contacts_list = run(services.contacts.lists.add(evil("list_title"), evil("list_description"), actor))
    run(services.contacts.lists.add_contact(contacts_list.id, contact.id, actor))
    external = ExternalAccount(evil("external"), "sip.example.com", "group", "0" * 64, Algorithm.SHA_256)
    run(services.accounts.external_accounts.add([external], actor))
    run(services.sign_in.named_keys.make(NewNamedKey(evil("key"), [KeyScope.FLEXISIP]), actor))
    run(services.codes.invitations.make(NewInvitation(evil("invitation"), evil("invited")), actor))
    waiting = {"pin_hash": b"0" * 32, "requested_at": now, "expires_at": now.replace(year=now.year + 1)}
    rule = CallForwarding(
        7,
        ForwardingKind.BUSY,
        ForwardingTarget.CONTACT,
        enabled=True,
        created_at=now,
        updated_at=now,
        contact_id=contact.id,
    )
    person = server.person(
        "victim.sweep",
        display_name=evil("display_name"),
        email=evil("email"),
        phone="+33612345678",
        user_agent=evil("user_agent"),
        dtmf_protocol=DtmfProtocol.SIPINFO,
        type_ids=(kind.id,),
        contact_ids=(contact.id,),
        contacts_list_ids=(contacts_list.id,),
        actions=(Action(7, evil("action_key"), evil("action_code")),),
        call_forwardings=(rule,),
        external_account=external,
        email_change=PendingChange(evil("email_change"), **waiting),
        phone_change=PendingChange(evil("phone_change"), **waiting),
        last_provisioning=ProvisioningFetch(now, now, "127.0.0.1", evil("fetch")),
    )
    registered = f"<sip:a@192.0.2.1;updatedAt={int(time.time())};expires=600?user-agent={quote(evil('device'))}>"
    with session_redis.client() as client:
        client.hset(f"fs:{person.sip}", '"<urn:uuid:one>"', f'{registered};+sip.instance="<urn:uuid:one>"')
    return person


@pytest.fixture(scope="module")
def opened(server, engine, admin, victim):
    """A window of the victim, one of an administrator, and one of a stranger, by access. Scripts inside would run."""
    made, dialogs = Windows(engine), []
    windows = {}
    for access, person in ((Access.PUBLIC, None), (Access.USER, victim), (Access.ADMIN, admin)):
        page = made.open(server.url, bypass_csp=True, user_agent=evil("session", is_header=True))
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        if person is not None:
            sign_in(page, person.account.username, person.password)
        windows[access] = page
    yield windows
    made.close()
    assert dialogs == []
    assert made.thrown == []


@pytest.fixture(scope="module")
def places(server, victim, opened):
    """The values for parameters of paths: by path and name, or by name."""
    run, services = server.run, server.services
    account = server.account(victim.id)
    session = next(iter(run(services.sign_in.sessions.of(account))))
    asking = server.actor.__class__(server.actor.kind, user_agent=evil("asking"), address="192.0.2.9")
    asking.space = services.spaces.default
    return {
        "id": str(victim.id),
        "/admin/accounts/{id}/contacts/{item}/delete": {"item": account.contact_ids[0]},
        "/admin/accounts/{id}/types/{item}/delete": {"item": account.type_ids[0]},
        "/admin/accounts/{id}/contacts_lists/{item}/detach": {"item": account.contacts_list_ids[0]},
        "/admin/types": {"id": account.type_ids[0]},
        "/admin/contacts_lists": {"id": account.contacts_list_ids[0], "item": account.contact_ids[0]},
        "item": "7",
        "action": "deactivate",
        "session": session.id_hash.hex(),
        "uuid": "urn:uuid:one",
        "/auth_tokens/auth/{token}": {"token": run(services.sign_in.qr.hand_over(account, server.actor)).token},
        "/auth_tokens/auth/external/{token}": {"token": run(services.sign_in.qr.ask(asking)).token},
    }


def path_of(endpoint, places):
    path = endpoint.path
    special = next((one for key, one in places.items() if isinstance(one, dict) and path.startswith(key)), {})
    if path in places:
        special = places[path]
    for name, parameter in endpoint.operations["get"].path.items():
        value = special.get(name) or places.get(name) or parameter.segment.example
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    return path


@pytest.fixture
def large_letters(opened):
    """Set the letters of all windows to twice their size, on a narrow dark screen, as a phone's settings do."""
    links = [(page, page.context.new_cdp_session(page)) for page in opened.values()]
    for page, link in links:
        page.set_viewport_size({"width": 320, "height": 640})
        page.emulate_media(color_scheme="dark")
        link.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    yield
    for page, link in links:
        link.send("Page.setFontSizes", {"fontSizes": {"standard": 16, "fixed": 13}})
        page.set_viewport_size({"width": 1280, "height": 720})


@pytest.fixture(scope="module")
def shown():
    """The planted texts that were seen on a page."""
    return set()


@pytest.mark.parametrize("endpoint", VIEWS, ids=lambda endpoint: endpoint.path)
def test_hostile_texts_stay_texts_and_all_can_be_used(opened, places, shown, endpoint):
    access = endpoint.operations["get"].access
    page = opened[access]
    page.goto(path_of(endpoint, places))
    shown |= set(re.findall(r"planted-(\w+)", page.content()))
    assert page.evaluate(INTRUDERS) == []
    assert "49$" not in page.evaluate("document.body.innerText")
    assert disturbing(page, OVERRIDE) == []
    assert small_targets(page) == []
    assert repeated_names(page) == []
    assert wrong_fields(page, is_own=access is not Access.ADMIN) == []
    assert lost_in_forced_colors(page) == []


def test_every_planted_text_was_seen_somewhere(shown):
    assert set(PLANTED) - shown == set()


def show_error(page):
    page.goto("/login")
    page.get_by_role("button", name="Sign in", exact=True).click()


def show_missing_page(page):
    page.goto("/admin/accounts/123456789")


def show_code_form(page):
    page.goto("/recover/email")
    for field in page.locator("main form input:visible").all():
        field.fill("nobody@example.org")
    page.get_by_role("button", name="Send the code").click()


def show_awaited_code(page):
    page.context.clear_cookies()
    page.goto("/register/email")
    page.get_by_label("User name").fill(f"new.{time.time_ns()}")
    page.get_by_label("E-mail address").fill("new@example.org")
    for field in page.locator("input[type=password]").all():
        field.fill("correct-horse-battery")
    page.get_by_role("button", name="Create the account").click()


def press_at(path, button):
    def show(page):
        page.goto(path)
        page.get_by_role("main").get_by_role("button", name=button, exact=True).click()

    return show


def change_all(page):
    page.goto("/admin/accounts")
    page.locator("input[name=ids]").last.check()
    page.locator("select[name=change]").select_option("activate")
    page.get_by_role("button", name="Do it for the chosen accounts").click()


# Pages that no address leads to: results of forms, and failures.
RESULTS = {
    "a mistake": (Access.PUBLIC, show_error, "#summary"),
    "a missing page": (Access.ADMIN, show_missing_page, "h1"),
    "the form for a code": (Access.PUBLIC, show_code_form, "[name=code]"),
    "the code of a sign-up": (Access.PUBLIC, show_awaited_code, "[name=code]"),
    "a QR code for a sign-in": (Access.PUBLIC, press_at("/authenticate/qrcode", "Show the QR code"), "img.qr"),
    "a QR code for another device": (Access.USER, press_at("/auth_tokens", "Show a new QR code"), "img.qr"),
    "a new API key": (Access.USER, press_at("/api_key", "Generate a new key"), "#new-key"),
    "a new link": (Access.USER, press_at("/provision", "Make a new link"), "img.qr"),
    "results of many changes": (Access.ADMIN, change_all, ".note"),
}


@pytest.mark.parametrize("result", RESULTS)
def test_results_of_forms_can_be_used_on_any_screen(request, opened, result):
    access, show, shows = RESULTS[result]
    page = opened[access]
    for large in (False, True):
        if large:
            request.getfixturevalue("large_letters")
        show(page)
        page.locator(shows).wait_for()
        page.wait_for_load_state()
        assert page.evaluate(INTRUDERS) == []
        assert disturbing(page, OVERRIDE) == []
        assert repeated_names(page) == []
        assert wrong_fields(page, is_own=access is not Access.ADMIN) == []
        assert small_targets(page) == []
        assert lost_in_forced_colors(page) == []
        assert too_wide(page) == []
        assert overflow(page) == 0


# The pages with most on them; all of them by the option --slow.
FULLEST = ("/dashboard", "/sessions", "/admin", "/admin/accounts", "/admin/accounts/{id}", "/admin/contacts_lists")
ALL_SIZES = [pytest.param(one, id=one.path, marks=[] if one.path in FULLEST else pytest.mark.slow) for one in VIEWS]


@pytest.mark.usefixtures("large_letters")
@pytest.mark.parametrize("endpoint", ALL_SIZES)
def test_large_letters_fit_a_narrow_screen(opened, places, endpoint):
    page = opened[endpoint.operations["get"].access]
    page.goto(path_of(endpoint, places))
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "32px"
    assert too_wide(page) == []
    assert overflow(page) == 0
