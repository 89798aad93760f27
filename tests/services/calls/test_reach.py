"""The domains that a SIP server may ask about, with each kind of key, and how often."""

import pytest

from flexiapi.model import Actor, ActorKind
from tests.kit.server import serving, shared_by_module
from tests.kit.spaces import actor_of

pytestmark = pytest.mark.security

A, B, OTHER = "sip.example.org", "b.example.org", "other.example.org"

VOICEMAIL = {"sip_from": "sip:caller@elsewhere.example.org", "content_type": "audio/wav"}

server = shared_by_module({"spaces": {B: {"name": "Bee"}}})


@pytest.fixture(scope="module")
def people(server):
    return {domain: server.person(domain=domain) for domain in (A, B, OTHER)}


def reached(server, people, headers):
    """The domains that are listed, which are those whose accounts are found."""
    domains = {one["domain"] for one in server.http.get("/api/spaces", headers=headers).json()}
    for path in ("/api/resolve/{}", "/api/accounts/{}/search"):
        found = {
            domain
            for domain, person in people.items()
            if server.http.get(path.format(person.sip), headers=headers).status_code == 200
        }
        assert found == domains
    announced = {
        domain
        for domain, person in people.items()
        if server.http.post(f"/api/accounts/{person.id}/voicemails", headers=headers, json=VOICEMAIL).status_code == 201
    }
    assert announced == domains
    return domains


def test_a_key_that_a_command_made_for_the_default_domain_reaches_the_whole_installation(server, people):
    assert reached(server, people, server.named_key("flexisip")) == {A, B, OTHER}


def test_an_administrator_and_a_key_that_one_made_reach_what_administrators_see(server, people):
    boss = server.person(admin_since=server.clock.second())
    key = server.named_key("flexisip", actor=Actor(ActorKind.ACCOUNT, boss.id))
    assert reached(server, people, boss.headers) == {A}
    assert reached(server, people, key) == {A}


def test_a_key_of_another_space_reaches_that_alone(server, people):
    key = server.named_key("flexisip", actor=actor_of(server, B))
    assert reached(server, people, {**key, "Host": B}) == {B}
    assert server.http.get("/api/spaces", headers=key).status_code == 401


def test_the_limit_per_address_does_not_count_what_a_named_key_opens(mongod_uri, tmp_path):
    """A SIP server sends what all of its users do from one address."""
    with serving({"limits": {"requests_per_minute": 10}}, tmp_path, mongod_uri) as limited:
        person, key = limited.person(), limited.named_key("flexisip")
        path = f"/api/resolve/{person.sip}"
        assert {limited.http.get(path, headers=key).status_code for _ in range(30)} == {200}
        refused = [limited.http.get(path, headers=person.headers).status_code for _ in range(30)]
        assert set(refused) == {403, 429}
        wrong = {"x-api-key": "fxk_" + "a" * 40}
        assert limited.http.get(path, headers=wrong).status_code == 429
