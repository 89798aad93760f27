"""Call forwarding in the panel."""

import html

import pytest

from tests.panel.user.conftest import problems

PAGE = "/call_forwarding"
BOB = {"forward_to": "sip_uri", "sip_uri": "bob@elsewhere.example.org", "enabled": "true"}


@pytest.fixture
def rules(server, person):
    """The rules of the person as they are now."""
    return lambda: server.account(person.id).call_forwardings


def add(me, **values):
    me.open(f"{PAGE}/add")
    return me.send(f"{PAGE}/add", **{"type": "always", **BOB, **values})


def test_a_rule_is_added_changed_switched_off_and_deleted(me, rules):
    assert "No calls are forwarded." in me.open(PAGE).text
    page = add(me, type="no_answer")
    assert (page.url.path, "The rule is saved." in page.text) == (PAGE, True)
    assert "sip:bob@elsewhere.example.org" in page.text
    (rule,) = rules()
    assert (rule.type, rule.enabled) == ("no_answer", True)

    me.open(f"{PAGE}/{rule.id}/edit")
    page = me.send(f"{PAGE}/{rule.id}/edit", forward_to="voicemail", sip_uri="", enabled="true")
    assert "Voicemail" in page.text
    assert rules()[0].forward_to == "voicemail"

    page = me.send(f"{PAGE}/{rule.id}/switch")
    assert "The rule is switched off." in page.text
    assert not rules()[0].enabled
    page = me.send(f"{PAGE}/{rule.id}/switch")
    assert "The rule is switched on." in page.text
    assert rules()[0].enabled

    assert rules()  # the question deletes nothing
    me.open(f"{PAGE}/{rule.id}/delete")
    page = me.send(f"{PAGE}/{rule.id}/delete")
    assert "The rule is deleted." in page.text
    assert rules() == ()
    assert me.open(f"{PAGE}/{rule.id}/edit").status_code == 404


def test_contacts_are_there_to_choose_from_and_no_others(server, person, me, rules):
    contact, stranger = server.person(), server.person()
    server.apply(server.account(person.id).add_contact(contact.id))
    page = me.open(f"{PAGE}/add").text
    assert contact.sip in page
    assert stranger.sip not in page
    chosen = {"forward_to": "contact", "sip_uri": "", "type": "busy"}
    refused = add(me, **chosen, contact_id=str(stranger.id))
    assert [field for field, _ in problems(refused)] == ["field-contact_id"]
    add(me, **chosen, contact_id=str(contact.id))
    assert [rule.contact_id for rule in rules()] == [contact.id]


def test_what_is_wrong_is_said_at_its_field(me, person):
    refused = add(me, sip_uri=person.sip)
    assert [field for field, _ in problems(refused)] == ["field-sip_uri"]
    assert "in a circle" in refused.text
    add(me)
    assert [field for field, _ in problems(add(me))] == ["field-type-0"]
    assert [field for field, _ in problems(add(me, type="busy"))] == ["field-enabled"]


def test_a_switch_that_is_refused_says_why_on_the_list(me, rules):
    add(me, type="busy", enabled="")
    add(me)
    busy = next(rule for rule in rules() if rule.type == "busy")
    me.open(PAGE)
    answer = me.send(f"{PAGE}/{busy.id}/switch")
    assert answer.status_code == 422
    assert "Call forwarding cannot be set for all calls and for some calls" in html.unescape(answer.text)
    assert not next(rule for rule in rules() if rule.type == "busy").enabled


def test_a_rule_that_the_sip_server_cannot_follow_warns_its_owner_and_administrators(server, person, me):
    warning = "cannot forward all calls to voicemail yet"
    page = add(me, forward_to="voicemail", sip_uri="")
    assert warning in page.text
    me.http.cookies.clear()
    me.sign_in(server.person(admin_since=server.clock.second()))
    shown = me.open(f"/admin/accounts/{person.id}").text
    assert warning in shown
    assert "All calls: Voicemail" in shown


def test_rules_of_others_are_out_of_reach(server, me, rules):
    add(me)
    rule = rules()[0]
    me.http.cookies.clear()
    me.sign_in(server.person())
    for path in ("edit", "delete"):
        assert me.open(f"{PAGE}/{rule.id}/{path}").status_code == 404
