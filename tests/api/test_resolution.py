"""SIP addresses, as Flexisip asks for them before it routes a call."""

import pytest

from flexiapi.model import EVERYWHERE
from tests.kit.server import serving, shared_by_module

server = shared_by_module({})

MINE = "/api/accounts/me/call_forwardings"
CAROL = "sip:carol@elsewhere.example.org"


@pytest.fixture(scope="module")
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def bob(server):
    return server.person()


@pytest.fixture(params=["resolve", "search"])
def asked(request, http, admin):
    """A function that returns the account of an address, by each of the two ways, `None` if there is none."""
    path, is_resolved = {
        "resolve": ("/api/resolve/{}", True),
        "search": ("/api/accounts/{}/search", False),
    }[request.param]

    def account_of(address):
        answer = http.get(path.format(address), headers=admin.headers)
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200
        found = answer.json()
        if is_resolved:
            assert (list(found), found["type"]) == (["type", "payload"], "account")
        return found["payload"] if is_resolved else found

    return account_of


def save(http, person, **values):
    body = {"type": "always", "forward_to": "sip_uri", "sip_uri": CAROL, "enabled": True, **values}
    answer = http.post(MINE, headers=person.headers, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_an_account_has_its_id_its_uri_with_scheme_and_its_rules(http, asked, bob):
    rule = save(http, bob)
    found = asked(bob.sip)
    assert {name: found[name] for name in ("id", "sip_uri", "call_forwardings")} == {
        "id": bob.id,
        "sip_uri": f"sip:{bob.sip}",
        "call_forwardings": [
            {
                "id": rule["id"],
                "type": "always",
                "forward_to": "sip_uri",
                "sip_uri": CAROL,
                "enabled": True,
                "contact_id": None,
                "contact_sip_uri": None,
            }
        ],
    }


def test_an_account_without_rules_has_an_empty_list(asked, bob):
    assert asked(bob.sip)["call_forwardings"] == []


def test_flexisip_reads_away_where_people_read_no_answer(http, asked, bob):
    save(http, bob, type="no_answer")
    assert [rule["type"] for rule in asked(bob.sip)["call_forwardings"]] == ["away"]
    assert http.get(MINE, headers=bob.headers).json()[0]["type"] == "no_answer"


def test_rules_that_are_off_are_left_out(http, asked, bob):
    save(http, bob, enabled=False)
    save(http, bob, type="busy")
    assert [rule["type"] for rule in asked(bob.sip)["call_forwardings"]] == ["busy"]


def test_a_contact_is_named_by_its_present_uri(server, http, asked, bob):
    contact = server.person()
    server.apply(server.account(bob.id).add_contact(contact.id))
    save(http, bob, forward_to="contact", contact_id=contact.id)
    server.set(contact.id, username=f"other.{contact.id}")
    (rule,) = asked(bob.sip)["call_forwardings"]
    assert rule["contact_sip_uri"] == f"sip:other.{contact.id}@sip.example.org"
    assert rule["contact_id"] == contact.id


def test_a_rule_whose_contact_is_gone_is_left_out_though_it_is_enabled(server, http, asked, bob):
    contact = server.person()
    server.apply(server.account(bob.id).add_contact(contact.id))
    save(http, bob, forward_to="contact", contact_id=contact.id)
    save(http, bob, type="busy", enabled=False)
    server.set(bob.id, contact_ids=())  # as a crash leaves it before the rule is switched off
    assert server.account(bob.id).call_forwardings[0].enabled
    assert asked(bob.sip)["call_forwardings"] == []


@pytest.mark.parametrize("shut", ["deactivated", "blocked"])
def test_an_account_that_is_shut_out_is_found_without_rules(server, http, asked, bob, shut):
    save(http, bob)
    fields = {"activated": False} if shut == "deactivated" else {"blocked_at": server.clock.second()}
    server.set(bob.id, **fields)
    found = asked(bob.sip)
    assert (found["id"], found["call_forwardings"]) == (bob.id, [])


def test_an_account_that_is_not_confirmed_yet_is_found_so_that_flexisip_does_not_remember_its_absence(server, asked):
    new = server.person(activated=False)
    assert asked(new.sip)["call_forwardings"] == []


def test_names_are_matched_without_regard_to_case(asked, bob):
    assert asked(bob.sip.upper())["id"] == bob.id


def test_a_name_that_is_escaped_in_its_uri_is_decoded_once(server, asked, bob):
    odd = server.person(f"a#b%41.{bob.id}")
    escaped = odd.sip.replace("%", "%25").replace("#", "%23")
    found = asked(escaped)
    assert found["id"] == odd.id
    assert found["sip_uri"] == f"sip:{escaped}"
    assert asked(odd.sip.replace("#", "%23").replace("%4", "%254").replace("%25", "%2525")) is None


@pytest.mark.parametrize("address", ["nobody@sip.example.org", "nobody", "@sip.example.org", "bob@"])
def test_an_address_without_an_account_is_not_found(asked, address):
    assert asked(address) is None


def test_users_may_not_ask(http, bob):
    assert http.get(f"/api/resolve/{bob.sip}", headers=bob.headers).status_code == 403


def test_a_later_flexisip_gets_its_own_name_for_no_answer(mongod_uri, tmp_path):
    with serving({"flexisip": {"no_answer_name": "no_answer"}}, tmp_path, mongod_uri) as later:
        person = later.person()
        save(later.http, person, type="no_answer")
        resolution = later.services.calls.resolution
        resolved = later.run(resolution.of(*person.sip.split("@"), EVERYWHERE))
        assert [rule.type for rule in resolved.forwardings] == ["no_answer"]
