"""A real browser: Debian's chromium, its pages by playwright, and axe, which looks for what bars people from a page."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.kit.fetched import fetched
from tests.kit.programs import Program, binary_of

_OPTIONS = (
    "--headless=new",
    # Root cannot have chromium's sandbox; the pages are our own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-port=0",
)
_GRAVE = ("serious", "critical")


@dataclass
class Chromium:
    """A running chromium; `endpoint` is the URL of its remote control."""

    program: Program
    endpoint: str


@pytest.fixture(scope="session")
def chromium(session_folder) -> Iterator[Chromium]:
    """Start chromium, once for all tests of a process."""
    home = session_folder / "chromium"
    home.mkdir()
    argv = [binary_of("chromium"), *_OPTIONS, f"--user-data-dir={home}", "about:blank"]
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    program = Program.start(argv, session_folder / "chromium.log", env=environment, cwd=session_folder)
    port_file = home / "DevToolsActivePort"
    program.wait(lambda: port_file.exists() and "\n" in port_file.read_text())
    yield Chromium(program, f"http://127.0.0.1:{port_file.read_text().split()[0]}")
    program.stop()


@pytest.fixture
def page(chromium) -> Iterator[Page]:
    """Open an empty page with cookies and storage of its own. What its scripts throw fails the test.

    The remote control has an event loop in this thread for the length of the test: it cannot call `asyncio.run`.
    """
    thrown: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(chromium.endpoint)
        context = browser.new_context()
        context.set_default_timeout(60_000)
        opened = context.new_page()
        opened.on("pageerror", lambda error: thrown.append(str(error)))
        yield opened
        context.close()
        browser.close()
    assert thrown == []


def barriers(page: Page) -> list[str]:
    """Return what axe finds serious or critical on the page as it stands: rule, help, and where."""
    page.evaluate(fetched("npm", "node_modules", "axe-core", "axe.min.js").read_text())
    found = page.evaluate("axe.run().then(results => results.violations)")
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in _GRAVE
        for node in one["nodes"]
    ]
