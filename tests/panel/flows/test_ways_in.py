"""The ways in, in a real browser: sign-up to a phone that is set up, recovery, sign-in of one browser by another."""

import re

import httpx
import pytest

from tests.kit.server import shared_by_module
from tests.kit.waiting import wait_for
from tests.kit.windows import scanned, sign_in

pytestmark = pytest.mark.browser

server = shared_by_module({"panel": {"registration": "open"}, "account": {"email_unique": True}})

PASSWORD, NEW_PASSWORD = "correct-horse-battery", "staple-of-another-kind"
# What liblinphone sends when it fetches its configuration.
LIBLINPHONE = {"User-Agent": "LinphoneAndroid/5.2.5 (Pixel 8) LinphoneSDK/5.3.47", "X-Linphone-Provisioning": "1"}


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def code_to(server, address):
    """Wait for the code that was sent to an address, and return it."""
    wait_for(lambda: [one for one in server.messages if address in one.values() and one.get("code")])
    return [one["code"] for one in server.messages if address in one.values() and one.get("code")][-1]


def choose_password(page, password=PASSWORD):
    page.locator("#field-password").fill(password)
    page.locator("#field-password_confirmation").fill(password)


def assert_signs_in(windows, server, name, password):
    sign_in(windows.open(server.url), name, password)


class TestSignUp:
    def test_from_an_address_to_a_phone_that_is_set_up(self, server, windows):
        page = windows.open(server.url)
        page.goto("/login")
        page.get_by_role("link", name="Create an account").click()
        page.get_by_label("User name").fill("alice.martin")
        page.get_by_label("E-mail address").fill("alice@example.org")
        choose_password(page)
        press(page, "Create the account")
        page.wait_for_url("**/activate")
        page.get_by_label("Code", exact=True).fill(code_to(server, "alice@example.org"))
        press(page, "Confirm")
        page.wait_for_url("**/dashboard")
        page.get_by_role("main").get_by_role("link", name="Set up a phone").click()
        press(page, "Make a new link")
        page.locator("img.qr").wait_for()
        self.set_up_phone(scanned(page))
        page.goto("/provision")
        told = page.get_by_role("main").inner_text()
        assert "Linphone Android 5.2.5, Pixel 8" in told
        assert "127.0.0.1" in told
        assert "Waits to be opened" not in told

    def set_up_phone(self, url):
        answer = httpx.get(url, headers=LIBLINPHONE)
        assert answer.headers["content-type"].startswith("application/xml")
        entries = dict(re.findall(r'<entry name="(\w+)"[^>]*>([^<]*)</entry>', answer.text))
        assert (entries["username"], entries["domain"]) == ("alice.martin", "sip.example.org")
        assert entries["ha1"]
        assert "ha1" not in httpx.get(url, headers=LIBLINPHONE).text


class TestRecovery:
    def recover(self, page, way, label, address, code):
        page.goto("/login")
        page.get_by_role("link", name=way).click()
        page.get_by_label(label).fill(address)
        press(page, "Send the code")
        entry = page.get_by_label("Code", exact=True)
        # A keyboard of digits alone could not type the letters of a mailed code.
        assert entry.get_attribute("inputmode") == ("numeric" if code().isdecimal() else "text")
        entry.fill(code())
        press(page, "Continue")
        page.wait_for_url("**/password")
        choose_password(page, NEW_PASSWORD)
        press(page, "Set the password")
        page.wait_for_url("**/dashboard")

    def test_by_email_to_a_new_password(self, server, windows):
        person = server.person(email="bob@example.org")
        self.recover(
            windows.open(server.url),
            "Forgotten password?",
            "E-mail address",
            "Bob@Example.org",
            lambda: code_to(server, "bob@example.org"),
        )
        assert_signs_in(windows, server, person.account.username, NEW_PASSWORD)

    def test_by_phone_to_a_new_password(self, server, windows):
        person = server.person(phone="+33612345699")
        self.recover(
            windows.open(server.url),
            "Sign in with a code to your phone",
            "Phone number",
            "0033 6 12 34 56 99",
            lambda: code_to(server, "+33612345699"),
        )
        assert_signs_in(windows, server, person.account.username, NEW_PASSWORD)

    def test_by_a_link_that_an_administrator_has_mailed(self, server, windows):
        admin, person = server.person(admin_since=server.clock.second()), server.person(email="carol@example.org")
        desk = windows.open(server.url)
        sign_in(desk, admin.account.username, admin.password)
        desk.goto(f"/admin/accounts/{person.id}")
        desk.get_by_role("link", name="Mail a link for a new password").click()
        desk.get_by_role("main").locator("button[type=submit]").click()
        desk.locator(".note").wait_for()
        mail = [one["text"] for one in server.messages if "carol@example.org" in one.values()][-1]
        page = windows.open(server.url)
        page.goto(re.search(r"http\S+/reset_password/\S+", mail)[0])
        choose_password(page, NEW_PASSWORD)
        press(page, "Set the password")
        page.wait_for_url("**/login")
        assert_signs_in(windows, server, person.account.username, NEW_PASSWORD)


class TestQrCode:
    def test_a_browser_that_shows_a_code_is_let_in_by_the_number(self, server, windows, at_home, person):
        asking = windows.open(server.url)
        asking.goto("/login")
        asking.get_by_role("link", name="Sign in with a phone that is signed in").click()
        press(asking, "Show the QR code")
        asking.locator("img.qr").wait_for()
        at_home.goto(scanned(asking))
        assert "/auth_tokens/auth/external/" in at_home.url
        at_home.get_by_role("radio", name=asking.locator(".big").inner_text()).check()
        press(at_home, "Sign the other browser in")
        # It goes on by itself to the name of the account, which could be that of another person.
        press(asking, "Sign in")
        asking.wait_for_url("**/dashboard")
        assert person.sip in asking.content()

    def test_a_number_that_is_not_the_one_lets_nothing_in(self, server, windows, at_home):
        asking = windows.open(server.url)
        asking.goto("/authenticate/qrcode")
        press(asking, "Show the QR code")
        asking.locator("img.qr").wait_for()
        at_home.goto(scanned(asking))
        shown = asking.locator(".big").inner_text()
        labels = at_home.locator(".choice label").all_inner_texts()
        at_home.get_by_role("radio", name=next(one for one in labels if one != shown)).check()
        press(at_home, "Sign the other browser in")
        assert "is not signed in" in at_home.get_by_role("main").inner_text()
        # The page that waits learns that its code is over, and offers another.
        asking.get_by_role("button", name="Show the QR code", exact=True).wait_for()
        asking.goto("/dashboard")
        asking.wait_for_url("**/login*")

    def test_a_code_that_a_signed_in_browser_shows_signs_another_in_once(self, server, windows, at_home, person):
        at_home.goto("/auth_tokens")
        press(at_home, "Show a new QR code")
        at_home.locator("img.qr").wait_for()
        url = scanned(at_home)
        other = windows.open(server.url)
        other.goto(url)
        assert person.sip in other.get_by_role("main").inner_text()
        press(other, "Sign in")
        other.wait_for_url("**/dashboard")
        late = windows.open(server.url)
        late.goto(url)
        assert late.get_by_role("button", name="Sign in").count() == 0
