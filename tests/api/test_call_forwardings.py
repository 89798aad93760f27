"""Rules of call forwarding, of users and as administrators set them."""

import pytest

from flexiapi.panel.user.personal_data import account_of
from tests.kit.server import shared_by_module

server = shared_by_module({})

MINE = "/api/accounts/me/call_forwardings"
BOB = "sip:bob@elsewhere.example.org"


@pytest.fixture(scope="module")
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def user(server):
    return server.person()


@pytest.fixture
def contact(server, user):
    made = server.person()
    server.apply(server.account(user.id).add_contact(made.id))
    return made


@pytest.fixture(params=["user", "administrator"])
def door(request, http, user, admin):
    """A function that asks for the rules of the user: as itself, or as an administrator."""
    is_own = request.param == "user"
    path = MINE if is_own else f"/api/accounts/{user.id}/call_forwardings"

    def asked(method, rule="", **body):
        headers = (user if is_own else admin).headers
        return http.request(method, f"{path}{rule}", headers=headers, json=body or None)

    return asked


def to_bob(**values):
    return {"type": "always", "forward_to": "sip_uri", "sip_uri": BOB, "enabled": True, **values}


def test_rules_are_added_listed_changed_and_deleted(door):
    made = door("POST", **to_bob())
    assert made.status_code == 201
    rule = made.json()
    shown = {name: rule[name] for name in ("type", "forward_to", "sip_uri", "enabled", "contact_id", "contact_sip_uri")}
    assert shown == {**to_bob(), "contact_id": None, "contact_sip_uri": None}
    assert door("GET").json() == [rule]
    place = f"/{rule['id']}"
    assert door("GET", place).json() == rule
    changed = door("PUT", place, forward_to="sip_uri", sip_uri="sips:carol@elsewhere.example.org:5061", enabled=False)
    assert changed.status_code == 200
    assert changed.json()["sip_uri"] == "sips:carol@elsewhere.example.org:5061"
    assert changed.json()["enabled"] is False
    assert changed.json()["type"] == "always"
    assert door("DELETE", place).json() == {}
    assert door("GET").json() == []
    for method in ("GET", "PUT", "DELETE"):
        assert door(method, place, **to_bob()).status_code == 404


def test_a_rule_names_the_address_of_its_contact(door, contact):
    made = door("POST", type="busy", forward_to="contact", contact_id=contact.id, enabled=True).json()
    assert made["contact_id"] == contact.id
    assert made["contact_sip_uri"] == f"sip:{contact.sip}"
    assert made["sip_uri"] is None
    moved = door("PUT", f"/{made['id']}", forward_to="sip_uri", sip_uri=BOB, enabled=True).json()
    assert (moved["contact_id"], moved["contact_sip_uri"], moved["sip_uri"]) == (None, None, BOB)


def test_the_original_name_of_no_answer_is_understood_and_not_told(door):
    assert door("POST", **to_bob(type="away")).json()["type"] == "no_answer"
    assert door("GET").json()[0]["type"] == "no_answer"


def test_the_type_of_a_rule_stays(door):
    rule = door("POST", **to_bob(type="no_answer")).json()
    same = door("PUT", f"/{rule['id']}", **to_bob(type="away", enabled=False))
    assert (same.status_code, same.json()["type"]) == (200, "no_answer")
    other = door("PUT", f"/{rule['id']}", **to_bob(type="busy"))
    assert other.status_code == 422
    assert list(other.json()["errors"]) == ["type"]


def test_there_is_one_rule_of_each_type(door):
    assert door("POST", **to_bob()).status_code == 201
    again = door("POST", **to_bob(enabled=False))
    assert again.status_code == 422
    assert list(again.json()["errors"]) == ["type"]


@pytest.mark.parametrize(("first", "second"), [("always", "busy"), ("no_answer", "always"), ("busy", "always")])
def test_a_rule_for_all_calls_is_not_enabled_beside_another(door, first, second):
    assert door("POST", **to_bob(type=first)).status_code == 201
    refused = door("POST", **to_bob(type=second))
    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["enabled"]
    disabled = door("POST", **to_bob(type=second, enabled=False))
    assert disabled.status_code == 201
    enabled = door("PUT", f"/{disabled.json()['id']}", **to_bob(type=second))
    assert (enabled.status_code, list(enabled.json()["errors"])) == (422, ["enabled"])


def test_rules_for_busy_and_no_answer_are_enabled_together(door):
    assert door("POST", **to_bob(type="busy")).status_code == 201
    assert door("POST", **to_bob(type="no_answer")).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "sometimes"}, "type"),
        ({"type": None}, "type"),
        ({"forward_to": "moon"}, "forward_to"),
        ({"forward_to": None}, "forward_to"),
        ({"enabled": None}, "enabled"),
        ({"enabled": "perhaps"}, "enabled"),
        ({"sip_uri": None}, "sip_uri"),
        ({"sip_uri": "bob@sip.example.org"}, "sip_uri"),
        ({"sip_uri": "tel:+33612345678"}, "sip_uri"),
        ({"sip_uri": "sip:sip:bob@sip.example.org"}, "sip_uri"),
        ({"sip_uri": "sip:bob:secret@sip.example.org"}, "sip_uri"),
        ({"sip_uri": "sip:sip.example.org"}, "sip_uri"),
        ({"sip_uri": "sip:bob@sip.example.org;transport=tcp"}, "sip_uri"),
        ({"sip_uri": "sip:bob@sip.example.org?Route=x"}, "sip_uri"),
        ({"sip_uri": "sip:b\r\nb@sip.example.org"}, "sip_uri"),
        ({"sip_uri": "sip:bob@sip.example.org:99999"}, "sip_uri"),
        ({"sip_uri": f"sip:{'b' * 250}@sip.example.org"}, "sip_uri"),
        ({"forward_to": "contact", "contact_id": None}, "contact_id"),
        ({"forward_to": "contact", "contact_id": True}, "contact_id"),
        ({"forward_to": "contact", "contact_id": 10**30}, "contact_id"),
        ({"forward_to": "contact", "contact_id": 999_999}, "contact_id"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_wrong_values_are_refused_by_field(http, user, body, field):
    answer = http.post(MINE, headers=user.headers, json=to_bob(**body))
    assert answer.status_code == 422
    assert field in answer.json()["errors"]
    assert http.get(MINE, headers=user.headers).json() == []


def test_a_changed_rule_follows_the_same_rules(http, user):
    rule = http.post(MINE, headers=user.headers, json=to_bob()).json()
    for body in ({"sip_uri": "bob"}, {"forward_to": "contact", "contact_id": 999_999}, {"enabled": None}):
        assert http.put(f"{MINE}/{rule['id']}", headers=user.headers, json=to_bob(**body)).status_code == 422
    assert http.get(MINE, headers=user.headers).json() == [rule]


def test_somebody_who_is_no_contact_is_refused(server, http, user):
    stranger = server.person()
    body = {"type": "busy", "forward_to": "contact", "contact_id": stranger.id, "enabled": False}
    answer = http.post(MINE, headers=user.headers, json=body)
    assert list(answer.json()["errors"]) == ["contact_id"]


def test_a_rule_that_flexisip_cannot_follow_yet_is_saved_with_a_warning(door):
    made = door("POST", type="always", forward_to="voicemail", enabled=True)
    assert made.status_code == 201
    assert "voicemail" in made.json()["warning"]
    place = f"/{made.json()['id']}"
    assert door("PUT", place, forward_to="voicemail", enabled=False).json()["warning"] is None
    assert door("POST", type="busy", forward_to="voicemail", enabled=True).json()["warning"] is None


def test_rules_of_others_are_out_of_reach(server, http, user):
    other = server.person()
    rule = http.post(MINE, headers=other.headers, json=to_bob()).json()
    for method in ("GET", "PUT", "DELETE"):
        answer = http.request(method, f"{MINE}/{rule['id']}", headers=user.headers, json=to_bob())
        assert answer.status_code == 404
        answer = http.request(
            method, f"/api/accounts/{other.id}/call_forwardings/{rule['id']}", headers=user.headers, json=to_bob()
        )
        assert answer.status_code == 403
    assert http.get(f"/api/accounts/{other.id}/call_forwardings", headers=user.headers).status_code == 403
    assert http.get(MINE, headers=other.headers).json() == [rule]


def test_each_change_is_an_event_of_the_account(server, http, user):
    rule = http.post(MINE, headers=user.headers, json=to_bob()).json()
    http.put(f"{MINE}/{rule['id']}", headers=user.headers, json=to_bob(enabled=False))
    http.delete(f"{MINE}/{rule['id']}", headers=user.headers)
    server.run(server.parts.store.journal.pending.move_of("accounts", user.id))
    names = [event.name for event in server.run(server.store.journal.events.naming(user.id, 10))]
    wanted = [f"account.call_forwarding_{what}" for what in ("removed", "replaced", "added")]
    assert names[:3] == wanted


def test_rules_are_in_the_export_of_the_account(server, http, user):
    http.post(MINE, headers=user.headers, json=to_bob())
    exported = account_of(server.account(user.id))["call_forwardings"]
    assert [(one["type"], one["sip_uri"]) for one in exported] == [("always", BOB)]
