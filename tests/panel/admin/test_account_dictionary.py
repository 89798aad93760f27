"""The dictionary of an account in the administration."""

from flexiapi.model import DictionaryEntry
from tests.kit.server import shared_by_module

server = shared_by_module({})


def test_an_entry_is_added_changed_and_deleted(server, browser):
    person = server.person()
    place = f"/admin/accounts/{person.id}"
    assert f'href="{place}/dictionary/edit"' in browser.open(place).text
    browser.open(f"{place}/dictionary/edit")
    page = browser.send("/dictionary/edit", key="50% of <it>&?", value="first")
    assert "The entry is saved." in page.text
    assert "50% of &lt;it&gt;&amp;?" in page.text

    link = f"{place}/dictionary/edit?key=50%25%20of%20%3Cit%3E%26%3F"
    assert f'href="{link}"' in page.text
    browser.open(link)
    assert browser.form("/dictionary/edit").fields["value"] == "first"
    browser.send("/dictionary/edit", key="50% of <it>&?", value="second")
    assert server.account(person.id).dictionary_values == {"50% of <it>&?": "second"}

    assert browser.open(f"{place}/dictionary/entries/50%25%20of%20%3Cit%3E%26%3F/delete").status_code == 200
    assert server.account(person.id).dictionary_values
    assert "The entry is deleted." in browser.send("/delete").text
    assert server.account(person.id).dictionary_values == {}
    assert browser.open(f"{place}/dictionary/entries/gone/delete").status_code == 404


def test_what_does_not_fit_is_told_at_its_field(server, browser):
    person = server.person(dictionary=tuple(DictionaryEntry(f"k{n}", "v") for n in range(100)))
    for key, value, field in (("a/b", "x", "key"), ("one more", "x", "key"), ("k1", "x" * 256, "value")):
        browser.open(f"/admin/accounts/{person.id}/dictionary/edit")
        page = browser.send("/dictionary/edit", key=key, value=value)
        assert page.status_code == 422
        assert f'href="#field-{field}"' in page.text
