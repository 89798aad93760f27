"""The changes of an account, the latest first."""

from flexiapi.services.accounts.activity import MOST_EVENTS


def test_the_latest_changes_come_first_with_who_made_them(server, admin, alice):
    headers = {**admin.headers, "User-Agent": "Firefox"}
    server.http.patch(f"/api/accounts/{alice.id}", json={"display_name": "Alice"}, headers=headers)
    server.http.post(f"/api/accounts/{admin.id}/unlock", headers=headers)
    server.run(server.store.journal.pending.move_of("accounts", alice.id))
    events = server.run(server.services.accounts.activity.of(server.account(alice.id)))
    assert [event.name for event in events] == [
        "account.amended",
        "account.api_key_created",
        "account.created",
    ]
    assert (events[0].actor.account_id, events[0].actor.user_agent) == (admin.id, "Firefox")
    assert events[0].details["fields"] == ["display_name"]


def test_only_the_last_ones_are_read_and_along_the_index(server):
    anna = server.person("anna")

    async def many():
        documents = [{**event(anna.id), "_id": f"{n:024}", "revision": n} for n in range(3, MOST_EVENTS * 3)]
        await server.store._database["events"].insert_many(documents)
        find = {"find": "events", "filter": {"collection": "accounts", "subject": anna.id}}
        find |= {"sort": {"revision": -1}, "limit": MOST_EVENTS}
        return await server.store._database.command({"explain": find, "verbosity": "executionStats"})

    figures = server.run(many())["executionStats"]
    assert figures["totalDocsExamined"] == figures["totalKeysExamined"] == MOST_EVENTS
    events = server.run(server.services.accounts.activity.of(server.account(anna.id)))
    assert [one.revision for one in events] == list(range(MOST_EVENTS * 3 - 1, MOST_EVENTS * 2 - 1, -1))


def event(subject):
    at = {"at": None, "name": "account.unlocked", "details": {}}
    return {"collection": "accounts", "subject": subject, "actor": {"kind": "cli"}, **at}
