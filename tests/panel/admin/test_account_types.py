"""Types of accounts in the administration."""

import re

from tests.kit.server import shared_by_module

server = shared_by_module({})

LIST = "/admin/accounts/types"


def add(server, key):
    return server.run(server.services.accounts.types.add(key, server.actor))


def keys(server):
    return [one.key for one in server.run(server.services.accounts.types.all(server.services.spaces.default))]


def test_a_type_is_created_renamed_and_deleted_with_its_attachments(server, browser):
    browser.open(f"{LIST}/create")
    page = browser.send("/create", key="intercom")
    assert (page.url.path, "The type is created." in page.text) == (LIST, True)
    type_id = int(re.search(rf"{LIST}/(\d+)/edit", page.text)[1])
    person = server.person(type_ids=(type_id,))
    assert f'/admin/accounts?type={type_id}">1<' in browser.open(LIST).text

    browser.open(f"{LIST}/{type_id}/edit")
    assert browser.form("/edit").fields["key"] == "intercom"
    assert "The type is saved." in browser.send("/edit", key="door").text
    assert "door" in keys(server)

    page = browser.open(f"{LIST}/{type_id}/delete")
    assert "door" in page.text
    assert "door" in keys(server)
    assert "The type is deleted." in browser.send("/delete").text
    assert "door" not in keys(server)
    assert server.account(person.id).type_ids == ()


def test_a_wrong_key_is_told_at_the_field_and_nothing_is_made(server, browser):
    add(server, "taken")
    for key, text in (("taken", "is taken"), ("Upper Case", "must be lower-case letters"), ("", "is missing")):
        browser.open(f"{LIST}/create")
        page = browser.send("/create", key=key)
        assert page.status_code == 422
        assert page.text.count("<title>Error: ") == 1
        assert re.search(rf'<a href="#field-key">Key {text}', page.text), page.text
        assert browser.form("/create").fields["key"] == key
    assert keys(server).count("taken") == 1


def test_the_path_lies_beside_those_of_accounts(server, browser):
    assert browser.open(f"/admin/accounts/{browser.person.id}").status_code == 200
    assert "Create a type" in browser.open(LIST).text
    assert browser.open(f"{LIST}/999/edit").status_code == 404
    assert browser.open(f"{LIST}/999/delete").status_code == 404
