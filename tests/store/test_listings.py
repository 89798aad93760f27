"""Documents and keys that MongoDB examines to list accounts."""

import pytest

from flexiapi.model import AccountSelection
from flexiapi.store.listings import _query

OTHERS = 300


def examined(server, query):
    """Return the numbers of documents and index keys that MongoDB examines for a page of matches."""

    async def explain():
        find = {"find": "accounts", "filter": query, "sort": {"_id": 1}, "limit": 20}
        return await server.store._database.command({"explain": find, "verbosity": "executionStats"})

    figures = server.run(explain())["executionStats"]
    return figures["totalDocsExamined"], figures["totalKeysExamined"]


@pytest.mark.parametrize("domain", ["sip.example.org", None])
def test_who_waits_for_activation_is_found_without_the_others(server, domain):
    async def fill():
        accounts = server.store._database["accounts"]
        made = server.clock.second()
        one = {"domain": "sip.example.org", "created_at": made, "updated_at": made}
        documents = [
            {**one, "_id": 1000 + n, "username": f"u{n}", "identifiers": [f"sip:u{n}"], "activated": n >= 3}
            for n in range(OTHERS)
        ]
        await accounts.insert_many(documents)

    server.run(fill())
    documents, keys = examined(server, _query(AccountSelection(domain, activated=False)))
    assert documents <= 3
    assert keys <= 4
