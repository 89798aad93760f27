"""A newcomer: from an empty database to a phone that is set up, with a browser and the one command that it shows."""

import re
import shlex
import subprocess

import httpx
import pytest

from tests.kit.windows import scanned, sign_in

pytestmark = pytest.mark.browser

LIBLINPHONE = {"User-Agent": "LinphoneiOS/5.2.5 (iPhone) LinphoneSDK/5.3.47", "X-Linphone-Provisioning": "1"}
FIRST, OWN = "a-password-to-begin-with", "a-password-of-her-own"


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def make_first_admin(page, process):
    """Run the command that the sign-in page shows, as it stands there. Returns a name and a password."""
    page.goto("/login")
    command = shlex.split(page.locator("code[data-copy]").inner_text())
    done = subprocess.run(command, env=process.environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    name = command[command.index("create-admin") + 1]
    return name, re.search(r"^Password +(\S+)$", done.stdout, re.MULTILINE)[1]


def create_account(desk):
    """Create an account in the panel, and return the link that is handed over."""
    desk.get_by_role("navigation", name="Main menu").get_by_role("link", name="Accounts", exact=True).click()
    desk.get_by_role("link", name="Create an account").click()
    desk.get_by_label("User name").fill("alice.martin")
    desk.locator("#field-password").fill(FIRST)
    press(desk, "Create the account")
    desk.wait_for_url("**/provisioning")
    link = desk.locator(".copied code").inner_text()
    assert scanned(desk) == link
    return link


def test_a_newcomer_gets_from_nothing_to_a_phone(serve, windows):
    process = serve()
    desk, own = windows.open(process.url), windows.open(process.url)
    sign_in(desk, *make_first_admin(desk, process))
    assert "There is no administrator yet" not in own.goto("/login").text()
    link = create_account(desk)

    own.goto(link)
    assert "alice.martin@" in own.get_by_role("main").inner_text()
    document = httpx.get(scanned(own), headers=LIBLINPHONE).text
    assert "alice.martin" in document
    assert 'name="ha1"' in document
    desk.reload()
    assert "LinphoneiOS/5.2.5" in desk.get_by_role("main").inner_text()

    sign_in(own, "alice.martin", FIRST)
    own.get_by_role("link", name="API key", exact=True).click()
    press(own, "Generate a new key")
    key = own.get_by_label("Your new API key").input_value()
    me = httpx.get(f"{process.url}/api/accounts/me", headers={"x-api-key": key})
    assert (me.status_code, me.json()["username"]) == (200, "alice.martin")

    own.goto("/dashboard")
    own.get_by_role("link", name="Change the password").click()
    own.get_by_label("Present password").fill(FIRST)
    own.get_by_label("New password", exact=True).fill(OWN)
    own.get_by_label("New password once more").fill(OWN)
    press(own, "Set the password")
    own.wait_for_url("**/dashboard")
    own.get_by_role("link", name="Sessions", exact=True).click()
    sessions = own.locator("tbody tr")
    assert sessions.count() == 1
    assert "This browser" in sessions.inner_text()
    sign_in(windows.open(process.url), "alice.martin", OWN)
    own.reload()
    assert sessions.count() == 2
