"""Browsers without a mouse, without scripts, and with a history: nothing of the panel needs or betrays more."""

import httpx
import pytest

from tests.kit.keyboard import Keyboard
from tests.kit.server import shared_by_module
from tests.kit.windows import scanned, sign_in

pytestmark = pytest.mark.browser

server = shared_by_module({})

NEW_PASSWORD = "staple-of-another-kind"
# What can have the focus: of radio buttons with the same name only one.
REACHABLE = """() => {
  const all = [...document.querySelectorAll("a[href],button,input,select,textarea,summary,[tabindex]")];
  const groups = new Set();
  return all.filter((it) => {
    if (it.disabled || it.type === "hidden" || it.tabIndex < 0 || !it.getClientRects().length) return false;
    if (it.type !== "radio") return true;
    const first = !groups.has(it.name);
    groups.add(it.name);
    return first;
  }).length;
}"""


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


class TestKeyboardOnly:
    def test_from_the_sign_in_over_a_mistake_to_the_sign_out(self, server, windows, person):
        page = windows.open(server.url)
        keys = Keyboard(page)
        page.goto("/login")
        keys.go_to("User name")
        page.keyboard.type(person.account.username)
        keys.go_to("Password", tag="input")
        page.keyboard.type("no-" + person.password)
        keys.press("Enter")
        self.to_the_field_of_the_problem(page, keys, "username")
        keys.go_to("Password", tag="input")
        page.keyboard.type(person.password)
        keys.go_to("Stay signed in")
        keys.press("Space")
        assert page.get_by_label("Stay signed in").is_checked()
        keys.go_to("Sign in", tag="button")
        keys.press("Enter")
        page.wait_for_url("**/dashboard")

        keys.go_to("Skip to the content")
        keys.press("Enter")
        keys.go_to("Change the password")
        keys.press("Enter")
        page.wait_for_url("**/password")
        for name, text in (("old_password", person.password), ("password", NEW_PASSWORD)):
            keys.go_to(name=name)
            page.keyboard.type(text)
        keys.go_to(name="password_confirmation")
        page.keyboard.type("something-else")
        keys.press("Enter")
        self.to_the_field_of_the_problem(page, keys, "password_confirmation")
        page.keyboard.type(NEW_PASSWORD)
        keys.go_to(key="Shift+Tab", name="password")
        page.keyboard.type(NEW_PASSWORD)
        keys.go_to(key="Shift+Tab", name="old_password")
        page.keyboard.type(person.password)
        keys.go_to("Set the password", tag="button")
        keys.press("Space")
        page.wait_for_url("**/dashboard")
        keys.go_to("Sign out", tag="button")
        keys.press("Enter")
        page.wait_for_url("**/login")

    def to_the_field_of_the_problem(self, page, keys, name):
        page.locator("#summary").wait_for()
        assert page.evaluate("document.activeElement.id") == "summary"
        assert keys.focused["text"].startswith("There is a problem")
        keys.press("Tab")
        assert keys.focused["tag"] == "a"
        keys.press("Enter")
        assert keys.focused["name"] == name

    def test_numbers_to_choose_from_by_arrows(self, server, windows, at_home, person):
        asking = windows.open(server.url)
        asking.goto("/authenticate/qrcode")
        Keyboard(asking).go_to("Show the QR code")
        asking.keyboard.press("Enter")
        asking.locator("img.qr").wait_for()
        at_home.goto(scanned(asking))
        keys = Keyboard(at_home)
        keys.go_to(type="radio")
        keys.press("Space")
        number = asking.locator(".big").inner_text()
        if not at_home.get_by_role("radio", name=number).is_checked():
            keys.go_to(number, key="ArrowDown", type="radio")
        assert at_home.get_by_role("radio", name=number).is_checked()
        keys.press("Enter")
        asking.get_by_role("button", name="Sign in", exact=True).wait_for()
        Keyboard(asking).go_to("Sign in", tag="button")
        asking.keyboard.press("Enter")
        asking.wait_for_url("**/dashboard")

    @pytest.mark.parametrize("path", ["/login", "/dashboard", "/provision", "/admin/accounts", "/admin/accounts/{id}"])
    def test_the_focus_comes_round_both_ways_and_is_always_seen(self, server, windows, path):
        page = windows.open(server.url, viewport={"width": 1280, "height": 600})
        if path != "/login":
            admin = server.person(admin_since=server.clock.second())
            sign_in(page, admin.account.username, admin.password)
            path = path.replace("{id}", str(admin.id))
        page.goto(path)
        keys, reachable = Keyboard(page), page.evaluate(REACHABLE)
        forth = keys.round()
        back = keys.round("Shift+Tab")
        assert len(forth) == len(back) == reachable


class TestWithoutScripts:
    @pytest.fixture
    def plain(self, server, windows, person):
        page = windows.open(server.url, java_script_enabled=False)
        sign_in(page, person.account.username, person.password)
        return page

    def test_an_api_key_is_made_and_shown(self, server, plain):
        plain.get_by_role("link", name="API key", exact=True).click()
        press(plain, "Generate a new key")
        key = plain.locator("#new-key").input_value()
        assert httpx.get(f"{server.url}/api/accounts/me", headers={"x-api-key": key}).status_code == 200

    def test_the_password_is_changed_and_the_sign_out_works(self, server, windows, plain, person):
        plain.goto("/password")
        plain.locator("#field-old_password").fill(person.password)
        plain.locator("#field-password").fill(NEW_PASSWORD)
        plain.locator("#field-password_confirmation").fill("another")
        press(plain, "Set the password")
        plain.locator("#summary a").first.click()
        assert plain.url.endswith("#field-password_confirmation")
        plain.locator("#field-old_password").fill(person.password)
        plain.locator("#field-password").fill(NEW_PASSWORD)
        plain.locator("#field-password_confirmation").fill(NEW_PASSWORD)
        press(plain, "Set the password")
        plain.wait_for_url("**/dashboard")
        press(plain, "Sign out")
        plain.wait_for_url("**/login")
        sign_in(plain, person.account.username, NEW_PASSWORD)

    def test_a_qr_code_signs_in_by_a_button(self, server, windows, at_home):
        asking = windows.open(server.url, java_script_enabled=False)
        asking.goto("/authenticate/qrcode")
        press(asking, "Show the QR code")
        asking.locator("img.qr").wait_for()
        at_home.goto(scanned(asking))
        at_home.get_by_role("radio", name=asking.locator(".big").inner_text()).check()
        press(at_home, "Sign the other browser in")
        at_home.wait_for_url("**/dashboard")
        press(asking, "Sign in")
        asking.wait_for_url("**/dashboard")


class TestHistory:
    def test_the_way_back_after_the_sign_out_shows_nothing(self, at_home, person):
        page = at_home
        for path in ("/provision", "/sessions"):
            page.goto(path)
        page.get_by_role("banner").get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/login")
        for _ in range(3):
            page.go_back()
            assert person.account.username not in page.content()
            assert page.get_by_role("button", name="Sign out").count() == 0

    def test_a_form_of_the_session_before_is_kept_and_sent_again(self, server, at_home, person):
        form, other = at_home, at_home.context.new_page()
        form.goto("/email/change")
        form.get_by_label("E-mail address").fill("new@example.org")
        other.goto("/dashboard")
        press(other, "Sign out")
        other.wait_for_url("**/login")
        sign_in(other, person.account.username, person.password)
        with form.expect_navigation() as sent:
            form.locator("main button[type=submit]").first.click()
        assert sent.value.status == 403
        assert "This page was open for too long" in form.locator("#summary").inner_text()
        assert form.get_by_label("E-mail address").input_value() == "new@example.org"
        assert server.messages == []
        with form.expect_navigation() as sent:
            form.locator("main button[type=submit]").first.click()
        assert sent.value.ok
        assert "new@example.org" in form.get_by_role("main").inner_text()
