"""The settings in force and the domains, as administrators read them; what is of operators alone."""

import re

import pytest

from flexiapi.panel.admin.office_routes import OFFICE_PAGES
from tests.kit.server import serving

OTHER, THIRD = "b.example.org", "c.example.org"
SECRETS = {"redis": {"password": "secret-of-redis"}, "nocaptcha": {"sitekey": "site", "secret": "secret-of-captcha"}}
OF_OPERATORS = ["/admin/external_accounts", "/admin/external_accounts/create", "/admin/backends", "/admin/spaces"]


@pytest.fixture(scope="module")
def server(tmp_path_factory, mongod_uri):
    tables = {
        **SECRETS,
        "spaces": {OTHER: {"name": "Service B", "quota": 70, "host": "accounts.b.example.org"}, THIRD: {}},
    }
    with serving(tables, tmp_path_factory.mktemp("settings"), mongod_uri) as running:
        yield running


def shown(page):
    """The cells of each setting, by table and key."""
    found = {}
    for table, content in re.findall(r"<code>\[(.*?)\]</code></h2>(.*?)</table>", page, re.DOTALL):
        for key, cells in re.findall(r'<th scope="row"><code>(\w+)</code></th>(.*?)</tr>', content, re.DOTALL):
            texts = [" ".join(re.sub("<.*?>", " ", cell).split()) for cell in cells.split("</td>")]
            found[table.replace("&#34;", '"'), key] = texts
    return found


def test_all_settings_are_there_and_secrets_are_not(server, browser):
    page = browser.open("/admin/settings").text
    found = shown(page)
    assert found["panel", "session_hours"][:2] == ["12", "12"]
    assert found["app", "sip_domain"][2]
    assert found["redis", "password"][0] == "Set, not shown Changed"
    assert found["nocaptcha", "secret"][0] == "Set, not shown Changed"
    assert found["flexisip", "sender_password"][0] == "Not set"
    assert found[f'spaces."{OTHER}"', "quota"][:2] == ["70 Changed", "0"]
    assert found[f'spaces."{OTHER}"', "language"][0] == server.settings.app.language
    for secret in ("secret-of", "k" * 40):
        assert secret not in page


def test_only_the_changed_ones_on_demand(browser):
    found = shown(browser.open("/admin/settings?changed=true").text)
    assert ("redis", "password") in found
    assert ("panel", "session_hours") not in found
    assert all("Changed" in cells[0] for cells in found.values())


def test_the_domains_are_listed_with_their_accounts(server, browser):
    server.person("one", domain=OTHER)
    page = browser.open("/admin/spaces").text
    rows = dict(re.findall(r'<th scope="row"><bdi>(.*?)</bdi></th>(.*?)</tr>', page, re.DOTALL))
    assert [*rows] == ["sip.example.org", OTHER, THIRD]
    assert "accounts.b.example.org" in rows[OTHER]
    assert "Service B" in rows[OTHER]
    assert re.findall(r'class="number">([^<]*)<', rows[OTHER])[1] == "70"


def test_administrators_of_a_domain_see_its_table_alone(server, visitor_of):
    visitor = visitor_of(server, OTHER)
    found = shown(visitor.open("/admin/settings").text)
    assert {table for table, _ in found} == {f'spaces."{OTHER}"'}
    assert found[f'spaces."{OTHER}"', "name"][0] == "Service B Changed"
    assert THIRD not in visitor.page.text
    menu = re.search(r'<nav class="menu".*?</nav>', visitor.page.text, re.DOTALL)[0]
    assert not [path for path in OF_OPERATORS if f'"{path}"' in menu]
    assert '"/admin/contacts_lists"' in menu


@pytest.mark.parametrize("path", [*OF_OPERATORS, "/admin/external_accounts/1/delete"])
def test_what_concerns_the_server_does_not_exist_for_them(server, visitor_of, path):
    visitor = visitor_of(server, OTHER)
    assert visitor.open(path).status_code == 404
    if path.endswith(("create", "delete", "backends")):
        assert visitor.http.post(path).status_code in (403, 404)


def test_types_and_lists_of_another_domain_do_not_exist(server, browser, visitor_of):
    services, actor = server.services, server.actor
    made = server.run(services.accounts.types.add("ours", actor))
    listed = server.run(services.contacts.lists.add("Ours", "ours", actor))
    visitor = visitor_of(server, OTHER)
    assert "ours" not in visitor.open("/admin/accounts/types").text
    assert "Ours" not in visitor.open("/admin/contacts_lists").text
    for path in (
        f"/admin/accounts/types/{made.id}/edit",
        f"/admin/accounts/types/{made.id}/delete",
        f"/admin/contacts_lists/{listed.id}",
        f"/admin/contacts_lists/{listed.id}/edit",
        f"/admin/contacts_lists/{listed.id}/delete",
        f"/admin/contacts_lists/{listed.id}/contacts/add",
    ):
        assert visitor.open(path).status_code == 404, path
        assert browser.open(path).status_code == 200, path
    # Accounts of another domain are not found, and do not become members by their id.
    foreign = server.person("foreign.member", domain=OTHER)
    browser.open(f"/admin/contacts_lists/{listed.id}/contacts/add")
    assert browser.send("/contacts/add", contact=foreign.sip).status_code == 422
    browser.open(f"/admin/contacts_lists/{listed.id}/contacts/add")
    assert browser.send("/contacts/add", ids=str(foreign.id)).status_code == 404
    found = server.run(services.contacts.lists.by_id(listed.id, services.spaces.default))
    assert found.contact_ids == ()


def test_every_page_is_for_administrators_who_proved_it_lately(server, browser):
    server.later(minutes=61)
    paths = [page.path for page in OFFICE_PAGES if "{" not in page.path]
    assert len(paths) > 10
    for path in paths:
        answer = browser.http.get(path)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/confirm"), path
