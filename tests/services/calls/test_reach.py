"""The domains that a SIP server may ask about, with each kind of key, and how often."""

import pytest

from flexiapi.model import Actor, ActorKind
from tests.kit.server import serving, shared_by_module
from tests.kit.spaces import actor_of

pytestmark = pytest.mark.security

A, B, OTHER = "sip.example.org", "b.example.org", "other.example.org"

VOICEMAIL = {"sip_from": "sip:caller@elsewhere.example.org", "content_type": "audio/wav"}

server = shared_by_module({"spaces": {B: {"name": "Bee"}}, "statistics": {"days": 30}})


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


def reported(server, person, other, headers):
    """The status of a report of a call between two people, and the ids of calls in the log of the first."""
    times = {"initiated_at": "2026-11-30T10:00:00Z", "ended_at": None}
    call = {"id": f"call-{person.id}-{other.id}", "from": person.sip, "to": other.sip, "devices": {}, **times}
    status = server.http.post("/api/stats/calls", json=call, headers=headers).status_code
    server.run(server.services.calls.event_log.write())
    calls = server.run(server.store.sip_reports.listings.calls_of(person.id, 0, 10)).calls
    return status, [one.id for one in calls]


@pytest.mark.parametrize("scope", ["flexisip", "statistics:write"])
def test_a_call_within_another_space_is_reported_with_the_one_key_of_a_sip_server(server, scope):
    caller, called = server.person(domain=B), server.person(domain=B)
    key = server.named_key(scope)
    assert reported(server, caller, called, key) == (200, [f"call-{caller.id}-{called.id}"])


def test_a_key_that_an_administrator_made_reports_no_calls_within_other_spaces(server):
    boss = server.person(admin_since=server.clock.second())
    key = server.named_key("flexisip", actor=Actor(ActorKind.ACCOUNT, boss.id))
    assert reported(server, server.person(domain=B), server.person(domain=B), key) == (422, [])


def test_a_key_that_reads_accounts_finds_none_of_other_spaces_by_address(server, people):
    key = server.named_key("accounts:read", "statistics:write")
    found = {
        domain: server.http.get(f"/api/accounts/{person.sip}/search", headers=key).status_code
        for domain, person in people.items()
    }
    assert found == {A: 200, B: 404, OTHER: 404}


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
