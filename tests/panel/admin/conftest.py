"""Fixtures of the pages of administrators."""

import pytest

from tests.kit.visitor import Visitor


@pytest.fixture
def browser(server):
    """A browser in which an administrator is signed in; `browser.person` is that one."""
    visitor = Visitor(server.url)
    visitor.person = server.person(admin_since=server.clock.second())
    visitor.sign_in(visitor.person)
    yield visitor
    visitor.close()
