"""Changes of many accounts at once."""

import asyncio

import pytest

from flexiapi.errors import StoreUnavailable, ValidationFailed


def each(server, ids, act):
    return server.run(server.services.accounts.bulk.each(ids, server.store.spaces.default, act))


def deactivation(server):
    return lambda account: server.services.accounts.administration.deactivate(account.id, server.actor)


def test_each_account_has_an_outcome_of_its_own(server):
    anna, bert = server.person("anna"), server.person("bert")
    outcomes = each(server, [bert.id, 999, anna.id, anna.id], deactivation(server))
    assert [(one.account_id, one.address, one.failure) for one in outcomes] == [
        (bert.id, "bert@sip.example.org", None),
        (999, None, "There is no such account."),
        (anna.id, "anna@sip.example.org", None),
    ]
    assert not server.account(anna.id).activated


@pytest.mark.parametrize("ids", [[], list(range(1, 102))])
def test_none_and_more_than_100_are_refused_before_anything_changes(server, ids):
    anna = server.person("anna")
    with pytest.raises(ValidationFailed):
        each(server, [*ids, *([anna.id] if ids else [])], deactivation(server))
    assert server.account(anna.id).activated


def test_50_at_once_leave_one_administrator(server):
    admins = [server.person(admin_since=server.clock.second()) for _ in range(4)]
    ids = [admin.id for admin in admins]

    async def all_at_once():
        bulk = server.services.accounts.bulk
        space = server.store.spaces.default
        return await asyncio.gather(*(bulk.each(ids, space, deactivation(server)) for _ in range(50)))

    outcomes = server.run(all_at_once())
    active = [admin.id for admin in admins if server.account(admin.id).activated]
    assert len(active) == 1
    assert len(outcomes) == 50
    last = {one.failure for some in outcomes for one in some if one.account_id == active[0]}
    assert len(last) == 1
    assert None not in last


def test_when_the_database_is_away_the_rest_is_left_alone(server):
    people = [server.person() for _ in range(3)]
    asked = []

    async def act(account):
        asked.append(account.id)
        raise StoreUnavailable("away")

    outcomes = each(server, [person.id for person in people], act)
    assert asked == [people[0].id]
    assert all(one.failure for one in outcomes)
