"""Pages that explain, the way into the panel, and a server without the panel."""

import pytest

import flexiapi
from tests.kit.server import serving, shared_by_module
from tests.kit.visitor import Visitor

HTML = {"Accept": "text/html"}
PATHS = (
    "/register",
    "/register/email",
    "/register/phone",
    "/activate",
    "/activate/alice@sip.example.org/KEY",
    "/recover/email",
    "/recover/phone",
    "/recovery/email",
    "/recovery/phone",
    "/recovery/phone/token",
    "/recover/+33612345678/0427",
    "/reset_password/token",
    "/authenticate/qrcode",
    "/authenticate/qrcode/token",
    "/authenticate/qrcode/token/state",
    "/auth_tokens",
    "/auth_tokens/auth/token",
    "/auth_tokens/auth/external/token",
    "/documentation",
    "/about",
)
TARGETS = (
    "/accounts",
    "/recover",
    "/recover/confirm",
    "/reset_password",
    "/activate/resend",
    "/activate/cancel",
    "/auth_tokens/auth/external/token/refuse",
)
TEXTS_BEFORE = (
    "FlexiAPI: your confirmation code is PIN. It works for 10 minutes.",
    "FlexiAPI: your recovery code is PIN. It works for 10 minutes. Give it to nobody.",
    "FlexiAPI: your validation code is PIN. It works for 10 minutes.",
    "FlexiAPI : votre code de confirmation est PIN. Il est valable 10 minutes.",
    "FlexiAPI : votre code de récupération est PIN. Il est valable 10 minutes. Ne le communiquez à personne.",
    "FlexiAPI : votre code de validation est PIN. Il est valable 10 minutes.",
)
server = shared_by_module({"panel": {"registration": "open"}})


@pytest.fixture
def browser(server):
    visitor = Visitor(server.url)
    yield visitor
    visitor.close()


def test_the_manual_links_to_what_it_explains(browser):
    page = browser.open("/documentation")
    for path in ("/login", "/register", "/recover/email", "/recover/phone", "/authenticate/qrcode", "/api_key"):
        assert f'href="{path}"' in page.text


def test_about_names_version_and_licences(browser):
    page = browser.open("/about")
    for text in (flexiapi.__version__, "Apache-2.0", "tornado", "motor"):
        assert text in page.text


def test_the_root_leads_into_the_panel(server, browser):
    assert browser.open("/").url.path == "/login"
    browser.sign_in(server.person())
    assert browser.open("/").url.path == "/dashboard"


def test_without_the_panel_its_paths_do_not_exist(tmp_path, mongod_uri):
    with serving({"panel": {"enabled": False}}, tmp_path, mongod_uri) as server:
        for path in (*PATHS, "/login"):
            assert server.http.get(path, headers=HTML).status_code == 404
        for path in (*TARGETS, *PATHS):
            assert server.http.post(path, headers=HTML, data={}).status_code == 404
        person = server.person(activated=False, email="new@example.org")
        server.run(server.services.codes.resending.resend(server.account(person.id), server.actor))
        assert "/activate" not in server.messages[-1]["text"]
        assert [*_texts(server, None), *_texts(server, "fr")] == list(TEXTS_BEFORE)
        assert server.http.get("/", headers=HTML).status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_get_changes_nothing_and_pages_have_a_strict_policy(server, browser, path):
    before = server.run(_counts(server))
    answer = browser.http.get(path, headers=HTML)
    assert answer.status_code in (200, 303, 404)
    if answer.status_code == 200:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "<script>" not in answer.text
        assert " style=" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
    assert server.run(_counts(server)) == before


def _texts(server, language):
    """Send each SMS with a code, and return the texts with PIN in place of the code."""
    codes, actor, number = server.services.codes, server.actor, f"+3361234567{len(language or '')}"
    waiting = server.person(activated=False, claimed_phone="+33612345600", language=language).account
    owner = server.person(phone=number, language=language).account
    server.run(codes.resending.resend(waiting, actor))
    server.run(codes.recovery.text_pin(number, actor))
    server.run(codes.address_changes.request_phone(owner, "+33612345690", actor))
    return [one["text"].replace(one["code"], "PIN") for one in server.messages[-3:]]


async def _counts(server):
    """The number of documents of each collection that a page could write."""
    database = server.store._database
    names = ("accounts", "auth_tokens", "creation_tokens", "reset_links", "sessions", "request_tokens")
    return {name: await database[name].count_documents({}) for name in names}
