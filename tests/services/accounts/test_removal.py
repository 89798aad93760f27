"""D-53: an account goes in one order, and what a crash leaves behind is cleared up later."""

from flexiapi.errors import StoreUnavailable
from tests.kit.server import serving

REFERRING = ("accounts", "contacts_lists", "auth_tokens", "creation_tokens", "request_tokens", "removals")


def surrounded(server):
    """An account with everything that can refer to one, and the account that refers to it."""
    request_token = server.run(server.services.codes.creation_tokens.request(server.actor))
    server.run(server.services.codes.creation_tokens.validate_request(request_token, server.actor))
    token = server.run(server.services.codes.creation_tokens.exchange(request_token, server.actor))
    body = {
        "username": "going.away",
        "password": "correct-horse-battery",
        "algorithm": "SHA-256",
        "account_creation_token": token,
    }
    account_id = server.http.post("/api/accounts/with-account-creation-token", json=body).json()["id"]
    friend = server.person("a.friend", contact_ids=(account_id,))
    made = server.run(server.store.contacts_lists.add("Title", "Text", server.actor))
    server.run(server.store.contacts_lists.add_contact(made.id, account_id, server.actor))
    server.set(account_id, contact_ids=(friend.id,), contacts_list_ids=(made.id,), activated=True)
    auth_token = server.run(server.services.sign_in.api_keys.new_auth_token(server.actor)).token
    server.run(server.services.sign_in.api_keys.attach(auth_token, server.account(account_id), server.actor))
    return account_id, friend.id


def documents(server):
    """Return all documents that refer to accounts, as text."""

    async def read():
        database = server.store._database
        return {name: await database[name].find().to_list(None) for name in REFERRING}

    return server.run(read())


def assert_forgotten(server, friend_id):
    kept = documents(server)
    assert [account["_id"] for account in kept["accounts"]] == [friend_id]
    assert kept["accounts"][0].get("contacts", []) == []
    assert [contacts_list["contacts"] for contacts_list in kept["contacts_lists"]] == [[]]
    for name in ("auth_tokens", "creation_tokens", "request_tokens", "removals"):
        assert kept[name] == []


def test_nothing_refers_to_an_account_that_is_gone(server):
    account_id, friend_id = surrounded(server)
    key = server.key_for(account_id)
    assert server.http.delete("/api/accounts/me", headers={"x-api-key": key}).json() == {}
    assert_forgotten(server, friend_id)
    assert server.run(server.store.tombstones.has("going.away@sip.example.org"))


def crash_while_removing(server, account_id, monkeypatch):
    """The database goes away between the removal of the account and that of what refers to it."""

    async def away(*_args):
        raise StoreUnavailable

    monkeypatch.setattr(server.store.accounts, "forget_contact", away)
    headers = {"x-api-key": server.key_for(account_id)}
    assert server.http.delete("/api/accounts/me", headers=headers).status_code == 503
    monkeypatch.undo()
    assert server.http.get("/api/accounts/me", headers=headers).status_code == 401


def test_the_next_removal_clears_up_after_a_crash(server, monkeypatch):
    account_id, friend_id = surrounded(server)
    crash_while_removing(server, account_id, monkeypatch)
    other = server.person("another.one")
    assert server.http.delete("/api/accounts/me", headers=other.headers).json() == {}
    assert_forgotten(server, friend_id)


def test_the_next_start_clears_up_after_a_crash(tmp_path, mongod_uri, monkeypatch):
    tables = {"mongodb": {"database": "test_restart_after_removal"}}
    with serving(tables, tmp_path, mongod_uri) as first:
        account_id, friend_id = surrounded(first)
        crash_while_removing(first, account_id, monkeypatch)
        with serving(tables, tmp_path, mongod_uri) as second:
            assert_forgotten(second, friend_id)
