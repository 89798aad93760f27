"""Dictionaries of accounts."""

import asyncio
import json
from collections import Counter

import pytest

from flexiapi.model import DictionaryEntry
from flexiapi.services.accounts.dictionaries import DictionaryFull
from tests.kit.server import shared_by_module

server = shared_by_module({})


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def alice(server):
    return server.person()


def url(person, key=None):
    return f"/api/accounts/{person.id}/dictionary" + ("" if key is None else f"/{key}")


def fill(server, person, number):
    entries = tuple(DictionaryEntry(f"k{n}", str(n)) for n in range(number))
    server.set(person.id, dictionary=entries)


def test_an_entry_is_set_replaced_read_and_removed(http, admin, alice):
    assert http.get(url(alice), headers=admin.headers).json() == {}
    for value in ("C-1", "C-2"):
        made = http.post(url(alice, "a.$b %C3%A9"), json={"value": value}, headers=admin.headers)
        assert (made.status_code, made.json()) == (201, {"value": value})
    assert http.get(url(alice), headers=admin.headers).json() == {"a.$b é": "C-2"}
    assert http.get(url(alice, "a.$b é"), headers=admin.headers).json() == {"value": "C-2"}
    assert http.delete(url(alice, "a.$b é"), headers=admin.headers).json() == {}
    for method in ("GET", "DELETE"):
        assert http.request(method, url(alice, "a.$b é"), headers=admin.headers).status_code == 404


@pytest.mark.parametrize("path", ["", "/clear"])
def test_all_entries_are_removed_at_once(server, http, admin, alice, path):
    fill(server, alice, 3)
    assert http.delete(url(alice) + path, headers=admin.headers).json() == {}
    assert http.get(url(alice), headers=admin.headers).text == "{}"


def test_an_entry_may_be_named_clear(http, admin, alice):
    assert http.post(url(alice, "clear"), json={"value": "yes"}, headers=admin.headers).status_code == 201
    assert http.get(url(alice, "clear"), headers=admin.headers).json() == {"value": "yes"}


def test_a_value_is_a_text_of_at_most_255_characters(http, admin, alice):
    for value in (None, "", "x" * 256, 5, ["x"], {"x": "y"}, "a\nb"):
        refused = http.post(url(alice, "key"), json={"value": value}, headers=admin.headers)
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["value"])
    assert http.post(url(alice, "key"), json={"value": "x" * 255}, headers=admin.headers).status_code == 201


def test_a_key_has_at_most_255_characters_that_a_path_can_name(http, admin, alice):
    headers = admin.headers
    assert http.post(url(alice, "k" * 255), json={"value": "x"}, headers=headers).status_code == 201
    assert http.post(url(alice, "k" * 256), json={"value": "x"}, headers=headers).status_code == 404
    assert http.post(url(alice, "a%2Fb"), json={"value": "x"}, headers=headers).status_code == 404
    assert list(http.post(url(alice, "a%0Ab"), json={"value": "x"}, headers=headers).json()["errors"]) == ["key"]


def test_the_views_of_an_account_show_it_and_never_a_list(server, http, admin, alice):
    paths = ("accounts/me", f"accounts/{alice.id}", f"accounts/{alice.account.address}/search")
    for expected, number in (("{}", 0), ('{"k0":"0","k1":"1"}', 2)):
        fill(server, alice, number)
        for path in paths:
            headers = alice.headers if path == "accounts/me" else admin.headers
            assert f'"dictionary":{expected}' in http.get(f"/api/{path}", headers=headers).text
        listed = http.get(f"/api/accounts?search={alice.account.username}", headers=admin.headers)
        assert f'"dictionary":{expected}' in listed.text


def test_a_creation_sets_it_and_a_replacement_replaces_or_keeps_it(server, http, admin):
    given = {"username": "dictionary.owner", "password": "correct-horse", "algorithm": "SHA-256"}
    made = http.post("/api/accounts", json={**given, "dictionary": {"a": "1", "b": " 2 "}}, headers=admin.headers)
    assert made.json()["dictionary"] == {"a": "1", "b": "2"}
    place = f"/api/accounts/{made.json()['id']}"
    for change, after in (
        ({"dictionary": {"c": "3"}}, {"c": "3"}),
        ({"display_name": "D"}, {"c": "3"}),
        ({"dictionary": {}}, {}),
    ):
        assert http.put(place, json={**given, **change}, headers=admin.headers).json()["dictionary"] == after
    assert http.patch(place, json={"dictionary": {"d": "4"}}, headers=admin.headers).json()["dictionary"] == {"d": "4"}
    assert http.patch(place, json={"display_name": "E"}, headers=admin.headers).json()["dictionary"] == {"d": "4"}


UNFIT = (
    *(["a"], "a", {"a": 1}, {"a": None}, {"a": {"b": "c"}}, {"a": ""}, {"": "a"}, {"a/b": "c"}, {"..": "c"}),
    *({"a": "\ud800"}, {"\ud800": "a"}, {"k" * 256: "a"}, {"a": "v" * 256}, {str(n): "v" for n in range(101)}),
)


def test_a_dictionary_that_does_not_fit_is_refused_as_a_whole(http, admin, alice):
    headers = {**admin.headers, "Content-Type": "application/json"}
    for dictionary in UNFIT:
        body = json.dumps({"dictionary": dictionary})
        refused = http.patch(f"/api/accounts/{alice.id}", content=body, headers=headers)
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["dictionary"]), body
    assert http.get(url(alice), headers=headers).json() == {}


def test_50_new_keys_at_once_leave_100_entries(server, alice):
    fill(server, alice, 99)

    async def at_once():
        tries = (server.services.accounts.dictionaries.set(alice.id, f"n{n}", "x", server.actor) for n in range(50))
        return await asyncio.gather(*tries, return_exceptions=True)

    outcomes = Counter(type(one).__name__ for one in server.run(at_once()))
    assert outcomes == {"Account": 1, DictionaryFull.__name__: 49}
    assert len(server.account(alice.id).dictionary) == 100


def test_a_full_dictionary_is_told_and_its_values_still_change(server, http, admin, alice):
    fill(server, alice, 100)
    refused = http.post(url(alice, "one-more"), json={"value": "x"}, headers=admin.headers)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["key"])
    assert http.post(url(alice, "k7"), json={"value": "x"}, headers=admin.headers).status_code == 201


def test_one_new_key_50_times_at_once_is_one_entry(server, alice):
    async def at_once():
        tries = (server.services.accounts.dictionaries.set(alice.id, "same", str(n), server.actor) for n in range(50))
        return await asyncio.gather(*tries)

    server.run(at_once())
    assert [entry.key for entry in server.account(alice.id).dictionary] == ["same"]


def test_users_and_strangers_are_refused(server, http, admin, alice):
    other = server.person()
    for headers, status in ((alice.headers, 403), (other.headers, 403), ({"x-api-key": "wrong"}, 401)):
        assert http.get(url(alice), headers=headers).status_code == status
        assert http.post(url(alice, "k"), json={"value": "x"}, headers=headers).status_code == status
        assert http.delete(url(alice, "k"), headers=headers).status_code == status
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/k"), ("DELETE", "/k"), ("POST", "/k")):
        gone = http.request(
            method, f"/api/accounts/999999/dictionary{path}", json={"value": "x"}, headers=admin.headers
        )
        assert gone.status_code == 404


def test_each_change_is_in_the_journal_by_its_key_without_the_value(server, http, admin, alice):
    http.post(url(alice, "contract"), json={"value": "hidden-value"}, headers=admin.headers)
    http.delete(url(alice, "contract"), headers=admin.headers)
    http.delete(url(alice), headers=admin.headers)
    server.run(server.store.journal.pending.move())
    events = {one.name: one for one in server.run(server.store.journal.events.naming(alice.id, 10))}
    assert events.keys() >= {"account.dictionary_cleared", "account.entry_removed", "account.entry_set"}
    assert events["account.entry_set"].details["element"] == "contract"
    assert "hidden-value" not in str(events)
