"""Accounts on other servers in the replica, as Flexisip's bridge (B2BUA) reads them."""

import asyncio
import contextlib
import json
import sqlite3
from dataclasses import replace

import pytest

from flexiapi.flexisip.bridge_news import CHANNEL
from flexiapi.flexisip.conf_fragment import INIT_QUERY, UPDATE_QUERY
from flexiapi.flexisip.replica import SignInReplica
from flexiapi.model import BridgedAccount, BridgeProtocol
from tests.kit.sign_in_replica import NOW, Accounts, account, asked

HA1 = "0123456789abcdef0123456789abcdef"
BODY = {"username": "alice4711", "domain": "sip.example.com", "protocol": "TLS", "password": "wrong-donkey"}


def bridged(number=1, username="alice4711", **fields):
    values = {"protocol": BridgeProtocol.TLS, "stored": HA1, "created_at": NOW, "updated_at": NOW}
    return BridgedAccount(number, username, "sip.example.com", **{**values, **fields})


def with_bridge(id_, username, *, activated=True, blocked_at=None, **fields):
    made = account(id_, username, activated=activated, blocked_at=blocked_at)
    return replace(made, bridged_account=bridged(**fields))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sip" / "auth.sqlite"


def lines(path, query=INIT_QUERY, **bound):
    """Read the lines as the bridge does: in another connection, read-only, by the names of columns."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        reader.row_factory = sqlite3.Row
        return [dict(row) for row in reader.execute(query, bound)]


class Told:
    """The news for the bridge, as `(identifier, username)`."""

    def __init__(self):
        self.news = []

    async def tell(self, lines):
        self.news += [(line.identifier, line.username) for line in lines]

    def take(self):
        news, self.news = self.news, []
        return news


def replicated(path, source, *steps):
    """Project after each step, which is an awaitable function of the replica, and return what was told of each."""
    told = Told()

    async def run():
        replica = SignInReplica(path, source, tell_bridge=told.tell)
        await replica.start()
        news = []
        for step in steps:
            await step(replica)
            news.append(told.take())
        await replica.close()
        return news

    return asyncio.run(run())


def putting(source, *accounts):
    async def step(replica):
        for one in accounts:
            source.put(one)
        await replica.project(*(one.id for one in accounts))

    return step


def test_a_line_has_the_columns_that_the_bridge_reads(path):
    source = Accounts(with_bridge(1, "alice", realm="example.com", outbound_proxy="proxy.example.com"))
    assert replicated(path, source, lambda replica: replica.rebuild()) == [[("1", "alice4711")]]
    (line,) = lines(path)
    assert line == {
        "username": "alice4711",
        "hostport": "sip.example.com",
        "domain": "sip.example.com",
        "user_id": None,
        "realm": "example.com",
        "secret": HA1,
        "secret_type": "md5",
        "alias_username": "alice",
        "alias_hostport": "sip.example.org",
        "alias_domain": "sip.example.org",
        "outbound_proxy": "sip:proxy.example.com;transport=tls",
        "registrar": None,
        "protocol": "TLS",
    }
    assert lines(path, UPDATE_QUERY, identifier="1") == [line]
    assert lines(path, UPDATE_QUERY, identifier="2") == []


def test_only_what_changed_is_told_and_what_is_gone_first(path):
    source = Accounts()
    alice, bob = with_bridge(1, "alice"), replace(account(2, "bob"), bridged_account=bridged(2, "bob"))
    given_away = replace(bob, bridged_account=bridged(number=3))
    steps = (
        putting(source, alice, bob),
        putting(source, alice, bob),
        putting(source, replace(alice, passwords=())),
        putting(source, replace(alice, bridged_account=bridged(realm="other"))),
        putting(source, replace(alice, username="alicia")),
        putting(source, replace(alice, bridged_account=None), given_away),
    )
    assert replicated(path, source, *steps) == [
        [("1", "alice4711"), ("2", "bob")],
        [],
        [],
        [("1", "alice4711")],
        [("1", "alice4711")],
        [("1", "alice4711"), ("2", "bob"), ("3", "alice4711")],
    ]
    assert [(line["username"], line["alias_username"]) for line in lines(path)] == [("alice4711", "bob")]


@pytest.mark.parametrize("state", [{"activated": False}, {"blocked_at": NOW}], ids=["inactive", "blocked"])
def test_the_line_goes_with_the_right_to_sign_in_and_comes_back(path, state):
    source = Accounts()
    shut_out = with_bridge(1, "alice", **state)
    steps = (putting(source, with_bridge(1, "alice")), putting(source, shut_out))
    assert replicated(path, source, *steps) == [[("1", "alice4711")]] * 2
    assert lines(path) == []
    assert replicated(path, source, putting(source, with_bridge(1, "alice"))) == [[("1", "alice4711")]]
    assert len(lines(path)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM external_accounts",
        "UPDATE external_accounts SET secret = 'x'",
        "UPDATE external_accounts SET secret_type = 'clrtxt'",
        "UPDATE external_accounts SET alias_username = 'mallory'",
        "UPDATE external_accounts SET user_id = 'x'",
        "UPDATE external_accounts SET outbound_proxy = 'mallory.example.com'",
        "INSERT INTO external_accounts SELECT '9', 'm', 'm', NULL, NULL, 'm', 'md5', 'm', 'm', NULL, NULL, 'UDP'",
    ],
)
def test_a_comparison_finds_what_hands_changed(path, statement):
    source = Accounts(with_bridge(1, "alice"), account(2, "bob"))
    replicated(path, source, lambda replica: replica.rebuild())
    right = lines(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute(statement)
    replicated(path, source, lambda replica: replica.rebuild())
    assert lines(path) == right


def test_a_file_of_an_older_release_gets_the_table(path):
    source = Accounts(with_bridge(1, "alice"))
    replicated(path, source, lambda replica: replica.rebuild())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("DROP TABLE external_accounts")
    replicated(path, source, lambda replica: replica.rebuild())
    assert len(lines(path)) == 1
    assert asked(path, "alice")


class TestThroughTheApi:
    """A server with a replica, and the Redis that Flexisip's bridge listens to."""

    @pytest.fixture
    def configure(self, path, redis_server):
        redis = {"host": "127.0.0.1", "port": redis_server.port, "password": redis_server.password}
        return {"flexisip": {"auth_replica": str(path)}, "redis": redis}

    @pytest.fixture
    def bridge(self, redis_server, path):
        """Listen as the bridge does, and look into the replica at each news: the rows with its identifier."""
        with redis_server.client() as client, client.pubsub() as subscription:
            subscription.subscribe(CHANNEL)
            subscription.get_message(timeout=5)

            def heard():
                news = json.loads(subscription.get_message(timeout=5)["data"])
                return news, lines(path, UPDATE_QUERY, identifier=news["identifier"])

            yield heard

    def test_the_bridge_is_told_after_the_row_is_written_and_after_it_is_gone(self, http, admin, alice, bridge):
        url = f"/api/accounts/{alice.id}/external"
        assert http.post(url, json=BODY, headers=admin.headers).status_code == 201
        news, rows = bridge()
        assert (news["username"], news["domain"], type(news["identifier"])) == ("alice4711", "sip.example.com", str)
        assert [row["alias_username"] for row in rows] == [alice.account.username]
        for verb, there in (("block", 0), ("unblock", 1), ("deactivate", 0), ("activate", 1)):
            assert http.post(f"/api/accounts/{alice.id}/{verb}", json={}, headers=admin.headers).status_code == 200
            told, rows = bridge()
            assert (verb, told, len(rows)) == (verb, news, there)
        assert http.delete(url, headers=admin.headers).status_code == 200
        assert bridge() == (news, [])

    def test_the_removal_of_the_account_takes_the_row_away(self, http, admin, alice, bridge):
        http.post(f"/api/accounts/{alice.id}/external", json=BODY, headers=admin.headers)
        news, _ = bridge()
        assert http.delete(f"/api/accounts/{alice.id}", headers=admin.headers).status_code == 200
        assert bridge() == (news, [])

    def test_another_address_is_told_as_the_end_of_the_one_before(self, http, admin, alice, bridge):
        url = f"/api/accounts/{alice.id}/external"
        http.post(url, json=BODY, headers=admin.headers)
        before, _ = bridge()
        http.post(url, json=BODY | {"username": "other"}, headers=admin.headers)
        assert bridge() == (before, [])
        news, rows = bridge()
        assert (news["username"], len(rows)) == ("other", 1)
