"""vCards that apps store with an account."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from flexiapi.errors import RecordNotFound
from flexiapi.model import MOST_BYTES_OF_CARDS, MOST_CARDS
from flexiapi.services.contacts.cards import CardsFull, CardTaken
from tests.kit.server import shared_by_module

server = shared_by_module({})

MINE = "/api/accounts/me/vcards-storage"


@pytest.fixture
def admin(server):
    return server.person(admin_since=server.clock.second())


@pytest.fixture
def alice(server):
    return server.person()


def card(uid, name="Bob", more=""):
    return f"BEGIN:VCARD\nVERSION:4.0\nUID:{uid}\nFN:{name}\n{more}END:VCARD\n"


def room(server, person):
    async def read():
        return await server.store._database["card_rooms"].find_one({"_id": person.id}, {"_id": 0, "at": 0})

    return server.run(read())


def set_room(server, person, **values):
    async def write():
        rooms = server.store._database["card_rooms"]
        await rooms.update_one({"_id": person.id}, {"$set": {"at": server.clock.now(), **values}}, upsert=True)

    server.run(write())


@pytest.mark.parametrize("owner", ["me", "id"])
def test_a_card_is_stored_read_replaced_and_removed(http, admin, alice, owner):
    url, headers = (MINE, alice.headers) if owner == "me" else (MINE.replace("me", str(alice.id)), admin.headers)
    assert http.get(url, headers=headers).text == "{}"
    made = http.post(url, json={"vcard": card("urn:uuid:a/b")}, headers=headers)
    assert (made.status_code, made.json().keys()) == (201, {"vcard", "created_at", "updated_at"})
    assert made.json()["vcard"] == card("urn:uuid:a/b")
    one = f"{url}/urn:uuid:a%2Fb"
    assert http.get(one, headers=headers).json() == made.json()
    assert http.get(url, headers=headers).json() == {"urn:uuid:a/b": made.json()}
    for verb, name in (("PUT", "Robert"), ("PATCH", "Rob")):
        changed = http.request(verb, one, json={"vcard": card("urn:uuid:a/b", name)}, headers=headers)
        assert (changed.status_code, changed.json()["vcard"]) == (200, card("urn:uuid:a/b", name))
        assert changed.json()["created_at"] == made.json()["created_at"]
    assert http.delete(one, headers=headers).json() == {}
    for verb in ("GET", "DELETE", "PUT"):
        assert http.request(verb, one, json={"vcard": card("urn:uuid:a/b")}, headers=headers).status_code == 404


def test_a_card_that_is_there_or_has_another_uid_or_is_none_is_refused(http, alice):
    http.post(MINE, json={"vcard": card("1")}, headers=alice.headers)
    again = http.post(MINE, json={"vcard": card("1", "Other")}, headers=alice.headers)
    assert (again.status_code, again.json()["message"]) == (409, "Vcard already exists")
    other = http.put(f"{MINE}/1", json={"vcard": card("2")}, headers=alice.headers)
    assert (other.status_code, other.json()["errors"]) == (422, {"vcard": ["UUID should be the same"]})
    for vcard in ("no card", card("3", more="NOTE:" + "x" * 65536), ["x"], None):
        for verb, url in (("POST", MINE), ("PUT", f"{MINE}/1")):
            refused = http.request(verb, url, json={"vcard": vcard}, headers=alice.headers)
            assert (refused.status_code, list(refused.json().get("errors", [refused.text]))) == (422, ["vcard"]), vcard
    assert http.get(f"{MINE}/1", headers=alice.headers).json()["vcard"] == card("1")
    largest = card("4", more="NOTE:" + '"' * (65536 - len(card("4", more="NOTE:\n"))) + "\n")
    assert http.post(MINE, json={"vcard": largest}, headers=alice.headers).status_code == 201


def test_the_cards_of_others_are_not_there(server, http, admin, alice):
    bob = server.person()
    http.post(MINE, json={"vcard": card("1")}, headers=bob.headers)
    for url in (f"{MINE}/1", "/vcards-storage/1"):
        assert http.get(url, headers=alice.headers).status_code == 404
    assert http.get(MINE, headers=alice.headers).json() == {}
    theirs = MINE.replace("me", str(bob.id))
    assert http.get(theirs, headers=alice.headers).status_code == 403
    assert http.post(theirs, json={"vcard": card("2")}, headers=alice.headers).status_code == 403
    assert http.get(MINE.replace("me", "999999"), headers=admin.headers).status_code == 404


def test_address_books_read_them_as_one_list_with_lines_of_the_standard(http, alice):
    empty = http.get("/vcards-storage/", headers=alice.headers)
    assert (empty.content, empty.headers["content-type"]) == (b"\r\n", "text/vcard; charset=UTF-8")
    for uid in ("2", "1"):
        http.post(MINE, json={"vcard": card(uid, "x" * 100)}, headers=alice.headers)
    both = http.get("/vcards-storage/", headers=alice.headers).content.decode()
    assert both == (card("1", "x" * 100) + card("2", "x" * 100)).replace("\n", "\r\n")
    one = http.get("/vcards-storage/2", headers=alice.headers).content.decode()
    assert one == card("2", "x" * 100).replace("\n", "\r\n")
    assert http.get("/vcards-storage/3", headers=alice.headers).status_code == 404
    assert http.get("/vcards-storage/", headers={"x-api-key": "wrong"}).status_code == 401


def at_once(server, alice, texts):
    async def all_of_them():
        cards = server.services.contacts.cards
        return await asyncio.gather(*(cards.add(alice.account, text) for text in texts), return_exceptions=True)

    return Counter(type(one).__name__ for one in server.run(all_of_them()))


def test_one_uid_50_times_at_once_makes_one_card(server, alice):
    outcomes = at_once(server, alice, [card("same", f"Name {n}") for n in range(50)])
    assert outcomes == {"StoredCard": 1, CardTaken.__name__: 49}
    stored = server.run(server.store.cards.of(alice.id))
    assert room(server, alice) == {"cards": 1, "bytes": stored[0].card.size}


def test_50_cards_at_once_take_the_last_place_once(server, alice):
    set_room(server, alice, cards=MOST_CARDS - 1, bytes=0)
    assert at_once(server, alice, [card(str(n)) for n in range(50)]) == {"StoredCard": 1, CardsFull.__name__: 49}
    assert room(server, alice)["cards"] == MOST_CARDS


def test_cards_have_a_size_together_which_a_larger_one_counts_for(server, http, alice):
    http.post(MINE, json={"vcard": card("1")}, headers=alice.headers)
    small = room(server, alice)["bytes"]
    set_room(server, alice, bytes=MOST_BYTES_OF_CARDS - 50)
    refused = http.put(f"{MINE}/1", json={"vcard": card("1", "x" * 60)}, headers=alice.headers)
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["vcard"])
    set_room(server, alice, bytes=small)
    http.put(f"{MINE}/1", json={"vcard": card("1", "x" * 60)}, headers=alice.headers)
    assert room(server, alice) == {"cards": 1, "bytes": len(card("1", "x" * 60))}
    http.put(f"{MINE}/1", json={"vcard": card("1")}, headers=alice.headers)
    assert room(server, alice) == {"cards": 1, "bytes": small}
    http.delete(f"{MINE}/1", headers=alice.headers)
    assert room(server, alice) == {"cards": 0, "bytes": 0}


def test_room_that_a_crash_lost_is_found_again(server, http, alice):
    set_room(server, alice, cards=MOST_CARDS, bytes=0)
    assert http.post(MINE, json={"vcard": card("1")}, headers=alice.headers).status_code == 422
    set_room(server, alice, at=server.clock.now() - timedelta(minutes=3))
    assert http.post(MINE, json={"vcard": card("1")}, headers=alice.headers).status_code == 201
    assert room(server, alice) == {"cards": 1, "bytes": len(card("1"))}


def test_they_go_with_the_account(server, http, admin, alice):
    http.post(MINE, json={"vcard": card("1")}, headers=alice.headers)
    http.delete(f"/api/accounts/{alice.id}", headers=admin.headers)
    assert server.run(server.store.cards.of(alice.id)) == []
    assert room(server, alice) is None


def test_a_card_that_comes_while_its_account_is_removed_does_not_stay(server, alice):
    account = server.account(alice.id)
    assert server.http.delete("/api/accounts/me", headers=alice.headers).status_code == 200
    with pytest.raises(RecordNotFound):
        server.run(server.services.contacts.cards.add(account, card("late")))
    assert server.run(server.store.cards.of(alice.id)) == []
    assert room(server, alice) is None
