"""Sweeps over all pages of the panel: who may open them, where forms come from, headers, markup in stored texts."""

import re

import httpx
import pytest
from pymongo import MongoClient

from flexiapi.model import Algorithm, DtmfProtocol, KeyScope
from flexiapi.panel.assets import LogoEndpoint, ScriptEndpoint, StylesheetEndpoint
from flexiapi.panel.forms import TOKEN, Form
from flexiapi.panel.panel_endpoint import FormEndpoint, PanelEndpoint
from flexiapi.panel.routes import PANEL_ENDPOINTS
from flexiapi.services.codes import NewInvitation
from flexiapi.services.sign_in import NewNamedKey
from flexiapi.web.operation import Access
from tests.kit.server import shared_by_module
from tests.kit.visitor import Visitor

pytestmark = pytest.mark.security

server = shared_by_module({"panel": {"registration": "open"}})

ASSETS = {StylesheetEndpoint, ScriptEndpoint, LogoEndpoint}
PAGES = [endpoint for endpoint in PANEL_ENDPOINTS if endpoint not in ASSETS]
OPERATIONS = [
    pytest.param(endpoint, verb, id=f"{verb.upper()} {endpoint.path}")
    for endpoint in PAGES
    for verb in endpoint.operations
]
CLOSED = [one for one in OPERATIONS if one.values[0].operations[one.values[1]].access is not Access.PUBLIC]
OF_ADMINS = [one for one in OPERATIONS if one.values[0].operations[one.values[1]].access is Access.ADMIN]
FORMS = [one for one in OPERATIONS if one.values[1] != "get"]
VIEWS = [one for one in OPERATIONS if one.values[1] == "get"]
# What changes by itself or with every request.
RESTLESS = {"limits", "events", "announced_events", "servers", "leases", "meta", "used_nonces"}
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest.fixture(scope="module")
def admin(server):
    return server.person("admin.sweep", admin_since=server.clock.second())


@pytest.fixture(scope="module")
def member(server, admin):
    return server.person(
        "member.sweep", email="member@example.org", phone="+33612345678", dtmf_protocol=DtmfProtocol.SIPINFO
    )


def signed_in(server, person):
    visitor = Visitor(server.url)
    visitor.sign_in(person)
    return visitor


@pytest.fixture(scope="module")
def sessions(server, admin, member):
    """Visitors by access."""
    assert str(member.id) == MEMBER
    server.run(furnish(server))
    found = {Access.ADMIN: signed_in(server, admin), Access.USER: signed_in(server, member)}
    found[Access.PUBLIC] = Visitor(server.url)
    found[Access.PUBLIC].open("/login")
    yield found
    for one in found.values():
        one.close()


@pytest.fixture(scope="module")
def strangers(server, admin):
    """The secrets of another session, and of another browser without one."""
    other = signed_in(server, admin)
    secrets = {False: other.http.cookies["flexiapi"]}
    other.http.cookies.clear()
    other.open("/login")
    yield secrets | {True: other.http.cookies["flexiapi-form"]}
    other.close()


# The account that is made second, so that something stands behind the paths.
MEMBER = "2"


async def furnish(server):
    """Make records other than accounts with the id of the member."""
    services, actor = server.services, server.actor
    for number in range(int(MEMBER)):
        await services.accounts.types.add(f"sweep-{number}", actor)
        await services.contacts.lists.add(f"Sweep {number}", "of the sweep", actor)
        await services.accounts.external_accounts.add_one(
            f"sweep.{number}", "sip.example.com", "secret", Algorithm.SHA_256, "", actor
        )
        await services.codes.invitations.make(NewInvitation(f"Sweep {number}"), actor)
        await services.sign_in.named_keys.make(NewNamedKey(f"Sweep {number}", [KeyScope.PUSH]), actor)


def path_of(endpoint, operation):
    path = endpoint.path
    for name, parameter in operation.path.items():
        path = path.replace(f"{{{name}}}", MEMBER if name == "id" else parameter.segment.example)
    return path


@pytest.fixture(scope="module")
def documents(server):
    """A function that returns all that is stored, except what changes by itself."""
    with MongoClient(server.uri) as client:
        database = client[server.settings.mongodb.database]

        def read():
            found = {}
            for name in set(database.list_collection_names()) - RESTLESS:
                for one in database[name].find():
                    for restless in ("seen_at", "idle_until", "pending_events", "pending_since"):
                        one.pop(restless, None)
                    found[name, str(one["_id"])] = one
            return found

        yield read


@pytest.fixture(scope="module")
def stranger(server):
    """A client without cookies."""
    with httpx.Client(base_url=server.url, verify=False, timeout=60) as client:
        yield client


class TestAccess:
    @pytest.mark.parametrize(("endpoint", "verb"), CLOSED)
    def test_without_a_session_it_leads_to_the_sign_in(self, stranger, admin, endpoint, verb):
        """An API key is none: neither as header nor as cookie."""
        path = path_of(endpoint, endpoint.operations[verb])
        for headers in ({}, admin.headers, {"Cookie": f"x-api-key={admin.key}"}):
            answer = stranger.request(verb.upper(), path, headers=headers)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")

    @pytest.mark.parametrize(("endpoint", "verb"), OF_ADMINS)
    def test_administration_is_closed_to_others(self, sessions, endpoint, verb):
        path = path_of(endpoint, endpoint.operations[verb])
        assert sessions[Access.USER].http.request(verb.upper(), path).status_code in (403, 404)

    def test_administration_is_below_one_path(self):
        for endpoint in PAGES:
            for operation in endpoint.operations.values():
                assert (operation.access is Access.ADMIN) == endpoint.path.startswith("/admin"), endpoint.path

    def test_the_declarations_are_those_of_the_panel(self):
        assert all(issubclass(endpoint, PanelEndpoint) for endpoint in PAGES)
        for endpoint in PAGES:
            for verb, operation in endpoint.operations.items():
                assert operation.hidden, endpoint.path
                assert not operation.effects, endpoint.path
                if verb != "get":
                    assert issubclass(operation.params, Form), endpoint.path
                    assert operation.params.public == (operation.access is Access.PUBLIC), endpoint.path


class TestForms:
    @pytest.mark.parametrize(("endpoint", "verb"), FORMS)
    def test_it_can_be_shown_again(self, endpoint, verb):
        assert endpoint.show is not FormEndpoint.show

    @pytest.mark.parametrize(("endpoint", "verb"), FORMS)
    def test_only_a_page_of_this_browser_can_send_it(self, server, documents, sessions, strangers, endpoint, verb):
        operation = endpoint.operations[verb]
        visitor, form = sessions[operation.access], operation.params
        tokens, name = server.services.sign_in.form_tokens, form.__name__
        own = visitor.http.cookies["flexiapi-form" if form.public else "flexiapi"]
        right, before, path = tokens.make(own, name), documents(), path_of(endpoint, operation)
        # The form cannot be shown again for what does not exist.
        refused = (403, 404) if set(operation.path) - {"id"} or "/types/" in path or "/bridge/" in path else (403,)
        for token in (None, "", "x", tokens.make(strangers[form.public], name), tokens.make(own, "AnotherForm")):
            data = {} if token is None else {TOKEN: token}
            answer = visitor.http.request(verb.upper(), path, data=data)
            assert answer.status_code in refused, token
        for headers in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://x.test"},
        ):
            answer = visitor.http.request(verb.upper(), path, data={TOKEN: right}, headers=headers)
            assert answer.status_code == 403, headers
        assert documents() == before


class TestViews:
    @pytest.mark.parametrize(("endpoint", "verb"), VIEWS)
    def test_opening_it_changes_nothing_and_its_headers_protect_it(self, documents, sessions, endpoint, verb):
        operation = endpoint.operations[verb]
        visitor, path = sessions[operation.access], path_of(endpoint, operation)
        before = documents()
        for method in ("GET", "HEAD"):
            answer = visitor.http.request(method, path)
            assert answer.status_code in (200, 303, 404, 503), answer.text
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert not re.search(r"<script(?![^>]*\bsrc=)", answer.text)
            policy = answer.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            if answer.headers["content-type"].startswith("text/html") and answer.status_code == 200:
                assert policy.startswith("default-src 'self'; ")
                assert "form-action 'self'" in policy
        assert documents() == before

    @pytest.mark.parametrize(("endpoint", "verb"), VIEWS)
    def test_markup_in_a_query_stays_text(self, sessions, endpoint, verb):
        operation = endpoint.operations[verb]
        names = operation.params.model_fields if operation.params else ("search",)
        answer = sessions[operation.access].http.get(
            path_of(endpoint, operation), params=dict.fromkeys(names, EVIL), follow_redirects=True
        )
        assert answer.status_code < 500
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
