"""Rules of call forwarding together: circles, chains, and rules that are saved at the same time."""

import asyncio
import itertools

import pytest

from flexiapi.errors import ValidationFailed
from flexiapi.model import ForwardingKind, ForwardingTarget
from flexiapi.services.calls import ForwardingValues
from flexiapi.services.calls.chains import MOST_FORWARDINGS
from tests.kit.server import shared_by_module

server = shared_by_module({})

AT_ONCE = 50


def values(to, kind="always", *, enabled=True):
    """A rule to an address, or to a contact with an id."""
    if isinstance(to, int):
        return ForwardingValues(ForwardingKind(kind), ForwardingTarget.CONTACT, enabled, contact_id=to)
    return ForwardingValues(ForwardingKind(kind), ForwardingTarget.SIP_URI, enabled, sip_uri=f"sip:{to}")


@pytest.fixture
def save(server):
    """A function that adds a rule to an account as it is now."""

    def saved(person, to, kind="always", *, enabled=True):
        forwarding, account = server.services.calls.forwarding, server.account(person.id)
        return server.run(forwarding.add(account, values(to, kind, enabled=enabled), server.actor)).rule

    return saved


@pytest.fixture
def people(server):
    def made(number):
        return [server.person() for _ in range(number)]

    return made


def refused(save, *arguments, **named):
    with pytest.raises(ValidationFailed) as failure:
        save(*arguments, **named)
    return failure.value.errors


def test_an_account_does_not_forward_to_itself(server, save, people):
    (alice,) = people(1)
    assert list(refused(save, alice, alice.sip)) == ["sip_uri"]
    assert list(refused(save, alice, alice.sip.upper())) == ["sip_uri"]
    assert list(refused(save, alice, f"{alice.sip}:5061")) == ["sip_uri"]
    server.apply(server.account(alice.id).add_contact(alice.id))
    assert list(refused(save, alice, alice.id)) == ["contact_id"]
    assert server.account(alice.id).call_forwardings == ()


def test_two_accounts_do_not_forward_to_each_other(save, people):
    alice, bob = people(2)
    save(alice, bob.sip)
    assert "circle" in refused(save, bob, alice.sip)["sip_uri"][0]


def test_a_circle_over_a_contact_and_over_rules_for_other_calls_is_found(server, save, people):
    alice, bob, carol = people(3)
    server.apply(server.account(alice.id).add_contact(bob.id))
    save(alice, bob.id, "busy")
    save(bob, carol.sip, "no_answer")
    assert list(refused(save, carol, alice.sip)) == ["sip_uri"]


def test_rules_that_are_off_make_no_circle_until_they_are_enabled(server, save, people):
    alice, bob = people(2)
    rule = save(alice, bob.sip, enabled=False)
    save(bob, alice.sip)
    with pytest.raises(ValidationFailed) as failure:
        server.run(
            server.services.calls.forwarding.replace(server.account(alice.id), rule.id, values(bob.sip), server.actor)
        )
    assert list(failure.value.errors) == ["sip_uri"]


def chain(save, people, length):
    """Accounts of which each forwards to the next, over so many rules."""
    line = people(length + 1)
    for one, following in itertools.pairwise(line):
        save(one, following.sip)
    return line


def test_a_chain_has_as_many_rules_as_flexisip_follows_and_no_more(save, people):
    line = chain(save, people, MOST_FORWARDINGS)
    (first,) = people(1)
    assert "more than 10" in refused(save, first, line[0].sip)["sip_uri"][0]
    assert list(refused(save, line[-1], "outside@elsewhere.example.org")) == ["sip_uri"]
    save(first, line[1].sip)


def test_a_chain_that_is_closed_in_its_middle_is_measured_at_both_ends(save, people):
    first, second = chain(save, people, 5), chain(save, people, 5)
    assert list(refused(save, first[-1], second[0].sip)) == ["sip_uri"]
    save(first[-1], second[1].sip)


def test_a_circle_that_two_save_at_the_same_time_does_not_stay(server, people):
    forwarding = server.services.calls.forwarding

    async def both(alice, bob):
        outcomes = await asyncio.gather(
            forwarding.add(alice, values(bob.address), server.actor),
            forwarding.add(bob, values(alice.address), server.actor),
            return_exceptions=True,
        )
        return [isinstance(one, ValidationFailed) for one in outcomes]

    for _ in range(3):
        alice, bob = people(2)
        was_refused = server.run(both(alice.account, bob.account))
        assert any(was_refused)
        left = [server.account(one.id).call_forwardings for one in (alice, bob)]
        assert [not rules for rules in left] == was_refused


def test_a_rule_that_is_taken_back_leaves_what_was_there_before(server, people):
    forwarding = server.services.calls.forwarding

    async def both(alice, rule_id, bob):
        return await asyncio.gather(
            forwarding.replace(alice, rule_id, values(bob.address), server.actor),
            forwarding.add(bob, values(alice.address), server.actor),
            return_exceptions=True,
        )

    for _ in range(3):
        alice, bob = people(2)
        former = values("outside@elsewhere.example.org")
        rule = server.run(forwarding.add(alice.account, former, server.actor)).rule
        changed, _ = server.run(both(server.account(alice.id), rule.id, bob.account))
        (stays,) = server.account(alice.id).call_forwardings
        wanted = former.sip_uri if isinstance(changed, ValidationFailed) else f"sip:{bob.sip}"
        assert (stays.id, stays.sip_uri, stays.enabled) == (rule.id, wanted, True)


def test_of_fifty_rules_of_one_type_at_once_one_is_made(server, people):
    (alice,) = people(1)
    forwarding = server.services.calls.forwarding

    async def all_at_once():
        rules = [values(f"number.{number}@elsewhere.example.org") for number in range(AT_ONCE)]
        added = (forwarding.add(alice.account, rule, server.actor) for rule in rules)
        return await asyncio.gather(*added, return_exceptions=True)

    outcomes = server.run(all_at_once())
    assert sum(isinstance(one, ValidationFailed) for one in outcomes) == AT_ONCE - 1
    assert len(server.account(alice.id).call_forwardings) == 1


def test_of_rules_that_exclude_each_other_at_once_only_one_side_is_enabled(server, people):
    forwarding = server.services.calls.forwarding
    kinds = ("always", "busy", "no_answer")

    async def all_at_once(account):
        rules = [values("outside@elsewhere.example.org", kind) for kind in kinds for _ in range(5)]
        await asyncio.gather(*(forwarding.add(account, rule, server.actor) for rule in rules), return_exceptions=True)

    for _ in range(2):
        (alice,) = people(1)
        server.run(all_at_once(alice.account))
        enabled = {rule.type for rule in server.account(alice.id).call_forwardings if rule.enabled}
        assert enabled in ({ForwardingKind.ALWAYS}, {ForwardingKind.BUSY, ForwardingKind.NO_ANSWER})


def test_a_contact_that_is_removed_while_a_rule_to_it_is_saved_leaves_no_rule_that_is_on(server, people):
    forwarding, links = server.services.calls.forwarding, server.services.contacts.links

    async def both(alice, bob):
        await asyncio.gather(
            forwarding.add(alice, values(bob.id), server.actor),
            links.remove(alice.id, bob.id, server.actor),
            return_exceptions=True,
        )

    for _ in range(3):
        alice, bob = people(2)
        server.apply(server.account(alice.id).add_contact(bob.id))
        server.run(both(server.account(alice.id), bob))
        assert not any(rule.enabled for rule in server.account(alice.id).call_forwardings)
