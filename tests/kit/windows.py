"""Windows of real browsers: each with cookies of its own, as different people or devices have them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright


@dataclass
class Windows:
    """The windows that a test opens; `thrown` is what their scripts threw."""

    browser: Browser
    thrown: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, url: str, **options: object) -> Page:
        """Open a window at the root of a server, with the options of a playwright context."""
        context = self.browser.new_context(base_url=url, **options)
        context.set_default_timeout(60_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.thrown.append(f"{page.url}: {error}"))
        return page

    def close(self) -> None:
        """Close all."""
        for context in self.contexts:
            context.close()


@pytest.fixture(scope="module")
def engine(chromium) -> Iterator[Browser]:
    """Connect to chromium once for the tests of a module, which then cannot call `asyncio.run`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(chromium.endpoint)
        yield browser
        browser.close()


@pytest.fixture
def windows(engine) -> Iterator[Windows]:
    """Open windows; what their scripts throw fails the test."""
    opened = Windows(engine)
    yield opened
    opened.close()
    assert opened.thrown == []


def sign_in(page: Page, name: str, password: str) -> None:
    """Sign in on the page for it, by its fields and button."""
    page.goto("/login")
    page.get_by_label("User name").fill(name)
    page.locator("#field-password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/dashboard")


def scanned(page: Page) -> str:
    """Read the QR code of a page from a screenshot, as a camera does."""
    picture = Image.open(BytesIO(page.screenshot(full_page=True)))
    found = zxingcpp.read_barcodes(picture.convert("L"))
    assert len(found) == 1, [code.text for code in found]
    return found[0].text
