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


@pytest.fixture
def visitor_of():
    """A function that signs an administrator of a domain in, at the host of that domain."""
    made = []

    def sign_in(server, domain=None):
        headers = {} if domain is None else {"Host": f"accounts.{domain}"}
        visitor = Visitor(server.url, headers)
        fields = {} if domain is None else {"domain": domain}
        visitor.person = server.person(admin_since=server.clock.second(), **fields)
        made.append(visitor)
        visitor.open("/login")
        form = visitor.form("/authenticate").fields
        given = {"username": visitor.person.account.username, "password": visitor.person.password}
        answer = visitor.http.post("/authenticate", data={**form, **given})
        assert answer.status_code == 303, answer.text
        return visitor

    yield sign_in
    for visitor in made:
        visitor.close()
