"""Persons and their windows."""

import pytest

from tests.kit.windows import engine, sign_in, windows

__all__ = ["engine", "windows"]


@pytest.fixture
def person(server):
    return server.person()


@pytest.fixture
def at_home(server, windows, person):
    """A window in which the person is signed in."""
    page = windows.open(server.url)
    sign_in(page, person.account.username, person.password)
    return page
