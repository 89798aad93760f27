"""The deletion of one's own account, in the panel."""

import pytest

from tests.kit.visitor import Visitor
from tests.panel.user.conftest import mails_to, problems


def exists(server, person):
    return server.account(person.id) is not None


def test_the_typed_address_deletes_it_everywhere(server, me, person):
    other = Visitor(server.url)
    other.sign_in(person)
    me.open("/delete")
    answer = me.send("/delete", identifier=f" SIP:{person.sip.upper()} ")
    assert (answer.status_code, answer.url.path) == (200, "/goodbye")
    assert "Your account is deleted" in answer.text
    assert not exists(server, person)
    assert not me.http.cookies.get("flexiapi")
    assert me.open("/dashboard").url.path == "/login"
    assert other.open("/dashboard").url.path == "/login"
    assert server.http.get("/api/accounts/me", headers=person.headers).status_code == 401
    assert server.run(server.store.tombstones.has(person.sip))
    assert "notice.deleted" in mails_to(server, person.account.email)
    other.close()


@pytest.mark.parametrize("typed", ["", "delete", "someone@sip.example.org", "<script>alert(1)</script>"])
def test_anything_else_deletes_nothing(server, me, person, typed):
    me.open("/delete")
    answer = me.send("/delete", identifier=typed)
    assert answer.status_code == 422
    assert [name for name, _ in problems(answer)] == ["field-identifier"]
    assert "<script>alert" not in answer.text
    assert exists(server, person)


def test_opening_the_page_deletes_nothing(server, me, person):
    page = me.open("/delete").text
    assert "7 days" in page
    assert exists(server, person)


def test_after_a_while_the_password_is_asked_first(server, stale, person):
    stale.open("/delete")
    assert stale.send("/delete", identifier=person.sip).status_code == 403
    assert exists(server, person)
    stale.send("/delete", current_password=person.password)
    assert not exists(server, person)


def test_the_last_administrator_stays(server, visitor):
    boss = server.person(admin_since=server.clock.second())
    visitor.sign_in(boss)
    visitor.open("/delete")
    answer = visitor.send("/delete", identifier=boss.sip)
    assert answer.status_code == 403
    assert problems(answer)
    assert exists(server, boss)
    server.set(boss.id, admin_since=None)
