"""The pages about accounts where administrators name domains."""

import re

import pytest

from tests.kit.server import shared_by_module

server = shared_by_module({"app": {"key": "k" * 40, "admins_manage_multi_domains": True}})

OTHER = "other.example.org"


@pytest.fixture
def elsewhere(server):
    return server.person(domain=OTHER)


def test_accounts_of_all_domains_are_shown_and_those_of_one_with_the_filter(browser, elsewhere):
    for order in ("id", "username", "updated", "created"):
        page = browser.open(f"/admin/accounts?sort={order}")
        assert elsewhere.account.address in page.text
        assert browser.person.account.address in page.text
    page = browser.open(f"/admin/accounts?domain={OTHER.upper()}")
    assert elsewhere.account.address in page.text
    assert browser.person.account.address not in page.text.partition("<main")[2]


def test_an_account_is_created_in_a_domain_and_moved_to_another(server, browser):
    browser.open("/admin/accounts/create")
    page = browser.send("/admin/accounts/accounts", username="the.mover", domain=OTHER)
    account = server.run(server.store.accounts.by_address("the.mover", OTHER))
    assert page.url.path == f"/admin/accounts/{account.id}/provisioning"
    place = f"/admin/accounts/{account.id}"
    browser.open(place)
    page = browser.send(place, domain="sip.example.org")
    assert page.status_code == 422
    assert re.search('href="#field-password"', page.text)
    page = browser.send(place, domain="sip.example.org", password="correct-horse-battery")
    assert server.account(account.id).domain == "sip.example.org"
