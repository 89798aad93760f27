"""The pages about accounts of which some fields cannot be read."""

from tests.flows.test_unreadable_accounts import BROKEN
from tests.kit.server import shared_by_module

server = shared_by_module({})

TABS = ["", "/contacts", "/provisioning", "/devices", "/activity", "/delete", "/activate"]


def test_all_pages_are_shown(server, browser):
    server.expect_errors("an account cannot be read as a whole")
    one, all_at_once = server.person(), server.person()

    async def damage(person, fields):
        await server.store._database["accounts"].update_one({"_id": person.id}, {"$set": fields})

    server.run(damage(one, {"created_at": "yesterday", "display_name": {"$ne": 1}}))
    server.run(damage(all_at_once, BROKEN))
    for person in (one, all_at_once):
        for tab in TABS:
            assert browser.open(f"/admin/accounts/{person.id}{tab}").status_code == 200
    assert "cannot be read" in browser.open(f"/admin/accounts/{one.id}").text
    for sort in ("id", "username", "updated", "created"):
        assert browser.open(f"/admin/accounts?sort={sort}").status_code == 200
    assert browser.open("/admin/accounts.csv").status_code == 200


def test_a_value_that_is_typed_anew_mends_it_and_the_others_stay(server, browser):
    server.expect_errors("an account cannot be read as a whole")
    person = server.person()

    async def damage():
        accounts = server.store._database["accounts"]
        await accounts.update_one({"_id": person.id}, {"$set": {"display_name": 5, "dtmf_protocol": "smoke"}})

    server.run(damage())
    browser.open(f"/admin/accounts/{person.id}")
    assert browser.send(f"/admin/accounts/{person.id}", display_name="Mended").status_code == 200
    account = server.account(person.id)
    assert (account.display_name, account.unreadable) == ("Mended", ("dtmf_protocol",))
