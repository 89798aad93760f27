"""Countries beside addresses on pages and in mails, from the file that a setting names."""

import re

import pytest

from tests.kit.countries import BRITISH, FRENCH, country_file
from tests.kit.server import serving
from tests.kit.visitor import Visitor

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


@pytest.fixture(scope="module")
def server(tmp_path_factory, mongod_uri):
    folder = tmp_path_factory.mktemp("countries")
    file = country_file(folder / "countries.mmdb")
    tables = {"server": {"trusted_proxies": ["127.0.0.0/8"]}, "panel": {"country_database": str(file)}}
    with serving(tables, folder, mongod_uri) as running:
        yield running


@pytest.fixture
def open_browser(server):
    opened = []

    def made(address):
        opened.append(Visitor(server.url, {"X-Forwarded-For": address, "User-Agent": FIREFOX}))
        return opened[-1]

    yield made
    for visitor in opened:
        visitor.close()


def test_who_lets_a_browser_in_sees_the_country_that_it_asks_from(server, open_browser):
    asking, phone = open_browser(BRITISH), open_browser(FRENCH)
    asking.open("/authenticate/qrcode")
    asking.send("/authenticate/qrcode")
    phone.sign_in(server.person())
    token = asking.page.url.path.rpartition("/")[2]
    page = phone.open(f"/auth_tokens/auth/external/{token}")
    assert f"<bdi>{BRITISH}</bdi> (<bdi>United Kingdom</bdi>)" in page.text
    assert FRENCH not in page.text


def test_sessions_and_the_notice_of_a_new_one_have_their_countries(server, open_browser):
    person = server.person(email="alice@example.com")
    here, away, near = open_browser(BRITISH), open_browser(FRENCH), open_browser("10.1.2.3")
    for browser in (here, away, near):
        assert browser.sign_in(person).url.path == "/dashboard"
    page = here.open("/sessions")
    for text in (f"<bdi>{BRITISH}</bdi> (<bdi>United Kingdom</bdi>)<", f"<bdi>{FRENCH}</bdi> (<bdi>France</bdi>)<"):
        assert text in page.text
    assert re.search(r"<bdi>10\.1\.2\.3</bdi>\s*</td>", page.text)
    notices = [one["text"] for one in server.messages if one.get("to") == "alice@example.com"]
    assert any(f"{FRENCH} (France)" in text for text in notices)
