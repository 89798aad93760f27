"""The account of an account on another server in the administration."""

from tests.kit.server import shared_by_module

server = shared_by_module({})

VALUES = {"username": "alice4711", "domain": "sip.example.com", "protocol": "TLS", "password": "wrong-donkey"}


def test_it_is_entered_changed_and_removed_and_its_password_never_shown(server, browser):
    person = server.person()
    place = f"/admin/accounts/{person.id}"
    assert f'href="{place}/bridge/edit"' in browser.open(place).text
    browser.open(f"{place}/bridge/edit")
    page = browser.send("/bridge/edit", **VALUES)
    assert "The account on the other server is saved." in page.text
    assert "alice4711@sip.example.com" in page.text

    page = browser.open(f"{place}/bridge/edit")
    fields = browser.form("/bridge/edit").fields
    assert (fields["username"], fields["protocol"], fields["password"]) == ("alice4711", "TLS", "")
    stored = server.account(person.id).bridged_account.stored.open()
    assert stored not in page.text
    browser.send("/bridge/edit", protocol="UDP", registrar="reg.example.com")
    bridged = server.account(person.id).bridged_account
    assert (bridged.protocol, bridged.registrar, bridged.stored) == ("UDP", "reg.example.com", stored)

    assert "alice4711@sip.example.com" in browser.open(f"{place}/bridge/delete").text
    assert server.account(person.id).bridged_account
    assert "The account on the other server is removed." in browser.send("/bridge/delete").text
    assert server.account(person.id).bridged_account is None
    assert browser.open(f"{place}/bridge/delete").status_code == 404


def test_what_does_not_fit_is_told_at_its_field_and_no_password_comes_back(server, browser):
    person, other = server.person(), server.person()
    faults = (("domain", "no host"), ("realm", "sip.example.com"), ("password", ""))
    for field, value in faults:
        browser.open(f"/admin/accounts/{person.id}/bridge/edit")
        page = browser.send("/bridge/edit", **VALUES | {field: value})
        assert (page.status_code, f'href="#field-{field}"' in page.text) == (422, True)
        assert "wrong-donkey" not in page.text
    for one, status in ((person, 200), (other, 422)):
        browser.open(f"/admin/accounts/{one.id}/bridge/edit")
        page = browser.send("/bridge/edit", **VALUES)
        assert (page.status_code, "is that of another account" in page.text) == (status, status == 422)
