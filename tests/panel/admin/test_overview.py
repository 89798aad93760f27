"""The first page of administrators: counts, last changes, health of the server."""

import re

import pytest

from tests.kit.ports import free_port
from tests.kit.server import serving

OTHER = "b.example.org"


def tables(**more):
    return {
        "spaces": {OTHER: {"host": "accounts.b.example.org"}},
        "limits": {"sms_total_per_day": 50, "sms_by_prefix": {"+33": 10}},
        **more,
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory, mongod_uri):
    with serving(tables(), tmp_path_factory.mktemp("overview"), mongod_uri) as running:
        yield running


def figures(page):
    found = re.findall(r'<section class="card"><h2>(.*?)</h2><p class="big">(.*?)</p>', page)
    return {name: int(number) for name, number in found}


def facts(page):
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return {re.sub("<.*?>", "", name): " ".join(re.sub("<.*?>", " ", text).split()) for name, text in found}


def test_counts_are_those_of_accounts_that_one_sees(server, browser):
    before = figures(browser.open("/admin").text)
    now = server.clock.second()
    server.person("old", created_at=now.replace(year=2020))
    server.person("waiting", activated=False)
    server.person("elsewhere", domain=OTHER)
    after = figures(browser.open("/admin").text)
    assert {name: after[name] - before[name] for name in after} == {
        "Accounts": 2,
        "Activated accounts": 1,
        "Administrators": 0,
        "Created in the last 24 hours": 1,
        "Created in the last 7 days": 1,
    }
    assert after["Administrators"] >= 1


def changes(server, *people):
    """Bring the events of accounts to the page."""
    for person in people:
        server.run(server.store.journal.pending.move_of("accounts", person.id))
    server.run(server.parts.numbering.number_all())


def test_the_last_changes_name_who_made_them_and_are_those_of_the_space(server, browser):
    alice, foreign = server.person("alice.changed"), server.person("foreign.changed", domain=OTHER)
    headers = {"x-api-key": server.key_for(browser.person.id)}
    server.http.patch(f"/api/accounts/{alice.id}", json={"display_name": "Alice"}, headers=headers)
    changes(server, alice, foreign, browser.person)
    page = browser.open("/admin").text.partition("Last changes of accounts")[2]
    row = next(one for one in page.split("<tr>") if "account.amended" in one)
    assert f'<a href="/admin/accounts/{alice.id}"><bdi>{alice.sip}</bdi></a>' in row
    assert browser.person.sip in row
    assert "foreign.changed" not in page


def test_the_health_of_the_server_is_shown(server, browser):
    shown = facts(browser.open("/admin").text)
    assert shown["Ready for requests"] == "Yes"
    assert (shown["Registrar"], shown["Sign-in at the SIP server"]) == ("Not set up", "Not set up")
    assert {"push.outbox", "sms.outbox", "mail.outbox"} <= shown.keys()
    assert shown["SMS of the day"] == "0 of 50"
    server.run(server.services.limiter.take(*server.services.limiter.sms_budgets_of("+33612345678")))
    shown = facts(browser.open("/admin").text)
    assert shown["SMS of the day"].startswith("1 of 50 Begins anew: ")
    assert shown["SMS to +33"].startswith("1 of 10 ")


def test_why_the_process_is_not_ready_is_told(server, browser):
    server.readiness.wait_for("replica", "It is being written.")
    try:
        page = browser.open("/admin").text
    finally:
        server.readiness.settle("replica")
    assert facts(page)["Ready for requests"] == "No"
    assert "<code>It is being written.</code>" in page


def test_a_registrar_that_is_away_and_a_replica_are_told(tmp_path, mongod_uri, visitor_of):
    more = {
        "redis": {"host": "127.0.0.1", "port": free_port(), "timeout_seconds": 2},
        "flexisip": {"auth_replica": str(tmp_path / "replica.sqlite")},
    }
    with serving(tables(**more), tmp_path, mongod_uri) as server:
        shown = facts(visitor_of(server).open("/admin").text)
        assert (shown["Registrar"], shown["Sign-in at the SIP server"]) == ("Does not answer", "Works")


def test_administrators_of_a_domain_see_their_accounts_and_not_the_server(server, visitor_of):
    server.person("theirs", domain=OTHER)
    visitor = visitor_of(server, OTHER)
    page = visitor.open("/admin")
    assert page.status_code == 200
    assert "The server" not in page.text
    assert "sms.outbox" not in page.text
    assert figures(page.text)["Accounts"] < figures(visitor_of(server).open("/admin").text)["Accounts"]
