"""SIP domains, as Flexisip asks for them."""

import secrets

import pytest

from tests.kit.server import shared_by_module

B = "b.example.org"

server = shared_by_module({"app": {"admins_manage_multi_domains": True}, "spaces": {B: {"name": "Bee"}}})


@pytest.fixture(scope="module")
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def domain():
    """A domain without a table that has no account yet."""
    return f"{secrets.token_hex(4)}.example.org"


@pytest.fixture
def listed(server, http, admin):
    """A function that returns the domains as an administrator of the default space gets them a minute later."""

    def asked(**headers):
        server.later(seconds=60)
        answer = http.get("/api/spaces", headers={**admin.headers, **headers})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    return asked


def test_the_spaces_of_the_settings_are_listed_though_they_have_no_account(listed):
    assert {"domain": "sip.example.org"} in listed()
    assert {"domain": B} in listed()


def test_every_domain_with_an_activated_account_is_listed_and_no_other(server, listed, domain):
    server.person(domain=domain, activated=False)
    assert {"domain": domain} not in listed()
    server.person(domain=domain)
    assert {"domain": domain} in listed()


def test_each_entry_has_its_domain_as_a_text(listed):
    assert all(isinstance(one["domain"], str) for one in listed())


def test_one_domain_is_found_in_any_case_and_an_unknown_one_is_not(server, http, admin, listed, domain):
    server.person(domain=domain)
    listed()
    answer = http.get(f"/api/spaces/{domain.upper()}", headers=admin.headers)
    assert (answer.status_code, answer.json()) == (200, {"domain": domain})
    assert http.get("/api/spaces/unknown.example.org", headers=admin.headers).status_code == 404


def test_administrators_of_another_space_see_their_domain_alone(server, http, listed):
    of_b = server.person(domain=B, admin_since=server.clock.second())
    assert listed() != [{"domain": B}]
    headers = {**of_b.headers, "Host": B}
    assert http.get("/api/spaces", headers=headers).json() == [{"domain": B}]
    assert http.get(f"/api/spaces/{B}", headers=headers).json() == {"domain": B}
    assert http.get("/api/spaces/sip.example.org", headers=headers).status_code == 404


def test_users_are_refused(server, http):
    alice = server.person()
    assert http.get("/api/spaces", headers=alice.headers).status_code == 403
    assert http.get("/api/spaces").status_code in (401, 422)
