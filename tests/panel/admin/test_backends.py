"""The backends in the administration, and test messages to oneself."""

import re
import time

import pytest

from flexiapi.plugin import Permanent, Throttled
from tests.kit.server import serving

PLACE = "/admin/backends"


@pytest.fixture
def server(tmp_path_factory, mongod_uri, redis_server, scripted):
    tables = {
        "redis": {"url": f"unix://:{redis_server.password}@{redis_server.unix_socket}"},
        "sms": {"main": {"backend": "scripted", "token": "secret-of-the-gateway"}},
        "limits": {"tests_per_hour": 3, "sms_total_per_day": 5},
    }
    scripted.Sms.script[:] = []
    scripted.Sms.problem = None
    with serving(tables, tmp_path_factory.mktemp("backends"), mongod_uri) as running:
        yield running
    scripted.Sms.problem = None


def rows(page):
    """The rows of the configured backends, by table."""
    part = page.partition("<h2>Installed</h2>")[0]
    found = re.findall(r'data-label="Table"><code>(.*?)</code>(.*?)</tr>', part, re.DOTALL)
    return {table: " ".join(re.sub("<.*?>", " ", text).split()) for table, text in found}


def test_those_that_are_configured_and_installed_are_listed(browser):
    page = browser.open(PLACE).text
    assert {"push.outbox", "sms.main", "mail.outbox"} == rows(page).keys()
    assert "Not used yet" in rows(page)["sms.main"]
    installed = page.partition("<h2>Installed</h2>")[2]
    assert "<code>smtp</code>" in installed
    assert re.search(r"<code>scripted</code></td>.*?<code>sms\.main</code>", installed, re.DOTALL)
    assert "secret-of-the-gateway" not in page


def test_each_is_asked_whether_it_could_send_now(browser, scripted):
    assert "Could send now" not in browser.open(PLACE).text
    assert "Could send now" in rows(browser.open(f"{PLACE}?check=true").text)["sms.main"]
    scripted.Sms.problem = Permanent("the token is wrong")
    row = rows(browser.open(f"{PLACE}?check=true").text)["sms.main"]
    assert "Could not send now the token is wrong" in row


def test_a_test_goes_to_ones_own_proven_addresses(server, browser, redis_server, scripted):
    server.set(browser.person.id, email="me@example.org", phone="+33612345678")
    with redis_server.client() as client:
        push = ";pn-provider=fcm;pn-param=929724111839;pn-prid=a%3Ab"
        contact = f"<sip:a@192.0.2.1;updatedAt={int(time.time())};expires=600{push}?user-agent=P>"
        client.hset(f"fs:{browser.person.sip}", "phone", contact)
    for table in ("mail.outbox", "push.outbox", "sms.main"):
        browser.open(PLACE)
        page = browser.send("/backends", backend=table)
        assert "has accepted the test message" in page.text, table
    assert scripted.Sms.sent[-1].phone == "+33612345678"
    mail, woken = server.messages[-2:]
    assert (mail["to"], mail["kind"]) == ("me@example.org", "test")
    assert (woken["prid"], woken["kind"]) == ("a:b", "test")
    assert "Works" in rows(browser.open(PLACE).text)["sms.main"]
    browser.open(PLACE)
    assert browser.send("/backends", backend="mail.outbox").status_code == 429
    budgets = server.run(server.services.limiter.sms_budgets())
    assert [one.used for one in budgets] == [1]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("mail.outbox", "Backend needs a confirmed e-mail address of your account"),
        ("sms.main", "Backend needs a confirmed phone number of your account"),
        ("push.outbox", "Backend needs a phone of your account that is registered now"),
    ],
)
def test_without_an_address_of_ones_own_nothing_is_sent(server, browser, table, text):
    server.set(browser.person.id, email="claimed@example.org", claimed_email="claimed@example.org")
    browser.open(PLACE)
    page = browser.send("/backends", backend=table)
    assert page.status_code == 422
    assert f'<a href="#field-backend">{text}' in page.text
    assert browser.form("/backends").fields["backend"] == table
    assert server.messages == []


def test_why_one_was_not_sent_is_told_and_shown_afterwards(server, browser, scripted):
    server.set(browser.person.id, phone="+33612345678")
    scripted.Sms.script.append(Throttled("ask again tomorrow"))
    browser.open(PLACE)
    page = browser.send("/backends", backend="sms.main")
    assert page.status_code == 422
    assert "ask again tomorrow" in page.text
    row = rows(browser.open(PLACE).text)["sms.main"]
    assert row.startswith("scripted Failed last Last failure: ")
    assert "ask again tomorrow" in row
    assert [one.used for one in server.run(server.services.limiter.sms_budgets())] == [0]


def test_a_backend_that_is_not_configured_does_not_exist(browser):
    browser.open(PLACE)
    assert browser.send("/backends", backend="sms.elsewhere").status_code == 404
