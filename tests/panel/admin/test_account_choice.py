"""The choice of all accounts of a page, which a script adds."""

from tests.kit.server import shared_by_module

server = shared_by_module({})


def test_all_accounts_of_the_page_are_chosen_and_changed(server, page):
    admin = server.person(admin_since=server.clock.second())
    people = [server.person(activated=False) for _ in range(2)]
    page.goto(f"{server.url}/login")
    page.fill("#field-username", admin.account.username)
    page.fill("#field-password", admin.password)
    page.click("main form button[type=submit]")
    page.goto(f"{server.url}/admin/accounts?activated=false")
    page.check("[data-choose-all] input")
    assert page.locator("input[name=ids]:checked").count() == 2
    page.uncheck("[data-choose-all] input")
    assert page.locator("input[name=ids]:checked").count() == 0
    page.check("[data-choose-all] input")
    page.click("form[action$='/bulk'] button")
    page.wait_for_url("**/admin/accounts/bulk")
    assert [server.account(one.id).activated for one in people] == [True, True]
