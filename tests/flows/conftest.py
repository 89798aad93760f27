"""Fixtures of several flows.

factory   accounts as the original's feature tests make them: activated, with the password `testtest` hashed as MD5
public    a client without an account, which signs up
number    a phone number that no other test has
"""

import pytest

from flexiapi.crypto import digest
from flexiapi.model import Algorithm, Password
from tests.kit.stranger import Stranger, new_number

PASSWORD = "testtest"


@pytest.fixture
def factory(server):
    """An account with password rows of these algorithms."""

    def make(*algorithms, username=None, **fields):
        domain = fields.get("domain", server.settings.app.sip_domain)
        username = username or f"user{len(server.made):04}.made"
        realm = server.settings.account.realm or domain
        rows = tuple(
            Password(Algorithm(name), PASSWORD if name == "CLRTXT" else digest.ha1(name, username, realm, PASSWORD))
            for name in algorithms or ("MD5",)
        )
        person = server.person(username, password=PASSWORD, passwords=rows, **fields)
        server.made.append(person)
        return person

    server.made = []
    return make


@pytest.fixture
def public(server):
    return Stranger(server)


@pytest.fixture
def number():
    return new_number()
