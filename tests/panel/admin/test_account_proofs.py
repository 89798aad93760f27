"""Changes of administrators, which demand a proof of the last ten minutes."""

import pytest

from tests.kit.server import shared_by_module

server = shared_by_module({})
pytestmark = pytest.mark.security


@pytest.fixture
def old_session(server, browser):
    server.later(minutes=11)
    yield browser
    server.clock.offset *= 0


class TestAnOldSession:
    def test_it_makes_no_administrator(self, server, old_session):
        old_session.open("/admin/accounts/create")
        given = {"username": "new.boss", "role": "admin", "activated": "true"}
        assert old_session.send("/admin/accounts/accounts", **given).status_code == 403
        assert server.run(server.store.accounts.by_address("new.boss", "sip.example.org")) is None
        password = old_session.person.password
        assert old_session.send("/admin/accounts/accounts", **given, current_password=password).status_code == 200

    def test_it_makes_users(self, old_session):
        old_session.open("/admin/accounts/create")
        assert old_session.send("/admin/accounts/accounts", username="new.user").status_code == 200

    def test_it_does_not_replace_the_password_of_its_own_account(self, server, old_session):
        me = old_session.person
        old_session.open(f"/admin/accounts/{me.id}")
        given = {"password": "another-horse-battery"}
        assert old_session.send(f"/admin/accounts/{me.id}", **given).status_code == 403
        assert server.account(me.id).passwords == me.account.passwords
        assert old_session.send(f"/admin/accounts/{me.id}", **given, current_password=me.password).status_code == 200

    @pytest.mark.parametrize("action", ["provision", "deactivate", "delete"])
    def test_it_gets_no_way_into_another_administrator(self, server, old_session, action):
        boss = server.person(admin_since=server.clock.second())
        path = f"/admin/accounts/{boss.id}/{action}"
        old_session.open(path)
        assert old_session.send(path).status_code == 403
        left = server.account(boss.id)
        assert (left.activated, left.provisioning_token) == (True, None)
        assert old_session.send(path, current_password=old_session.person.password).status_code == 200
