"""An administrator finds an account, edits it, and deactivates it while its owner is signed in."""

import pytest

from tests.kit.server import shared_by_module
from tests.kit.windows import sign_in

pytestmark = pytest.mark.browser

server = shared_by_module({})


@pytest.fixture
def desk(server, windows):
    """A window in which an administrator is signed in."""
    admin, page = server.person(admin_since=server.clock.second()), windows.open(server.url)
    sign_in(page, admin.account.username, admin.password)
    return page


def find(desk, text):
    """Search on the page of accounts, as its form does."""
    desk.goto("/dashboard")
    desk.get_by_role("link", name="Accounts", exact=True).click()
    desk.get_by_role("search").locator("input[name=search]").fill(text)
    desk.get_by_role("search").get_by_role("button").first.click()
    desk.wait_for_url(f"**/admin/accounts?*search={text.replace('@', '%40')}*")


def test_an_account_is_found_edited_and_deactivated_at_once(server, windows, desk, at_home, person):
    for number in range(3):
        server.person(f"other.{number}")
    find(desk, person.account.username)
    rows = desk.locator("tbody tr")
    assert rows.count() == 1
    rows.get_by_role("link").first.click()
    desk.get_by_label("Display name").fill("Alice Martín")
    desk.get_by_role("button", name="Save", exact=True).click()
    desk.locator(".note").wait_for()
    assert server.account(person.id).display_name == "Alice Martín"
    at_home.reload()
    assert "Alice Martín" in at_home.get_by_role("main").inner_text()

    desk.get_by_role("link", name="Deactivate", exact=True).click()
    assert server.account(person.id).activated
    desk.get_by_role("button", name="Deactivate", exact=True).click()
    desk.locator(".note").wait_for()
    assert "Deactivated" in desk.get_by_role("main").inner_text()
    at_home.reload()
    at_home.wait_for_url("**/login*")
    assert person.sip not in at_home.content()
    at_home.get_by_label("User name").fill(person.account.username)
    at_home.locator("#field-password").fill(person.password)
    at_home.get_by_role("button", name="Sign in", exact=True).click()
    assert "The user name or the password is wrong." in at_home.locator("#summary").inner_text()


def test_the_address_of_a_search_finds_too(server, desk):
    wanted = server.person("wanted.one", email="wanted@example.org")
    server.person("another.one")
    desk.goto("/admin/accounts?search=wanted%40example.org")
    assert desk.locator("tbody tr").count() == 1
    assert wanted.sip in desk.locator("tbody tr").inner_text()


def test_what_is_wrong_is_told_over_the_form_and_kept_in_it(server, desk, person):
    taken = server.person()
    desk.goto(f"/admin/accounts/{person.id}")
    desk.get_by_label("Display name").fill("Not lost")
    desk.get_by_label("User name").fill(taken.account.username)
    desk.get_by_role("button", name="Save", exact=True).click()
    assert desk.evaluate("document.activeElement.id") == "summary"
    assert desk.title().startswith("Error: ")
    assert desk.get_by_label("Display name").input_value() == "Not lost"
    desk.locator("#summary a").first.click()
    assert desk.evaluate("document.activeElement.name") == "username"
    assert server.account(person.id).username == person.account.username
