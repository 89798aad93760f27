"""The rules for values of accounts, which see only the values that are given and well-formed."""

import pytest

from flexiapi.errors import ValidationFailed

PHONE = "+33612345678"
DOMAIN = "sip.example.org"


@pytest.fixture
def configure():
    return {"account": {"email_unique": True, "public_domains": ["other.example.org"]}}


@pytest.fixture
def rules(server):
    return server.services.accounts.rules


@pytest.fixture
def taken(server):
    return server.person("alice.martin", phone=PHONE, email="alice@example.org")


TAKEN = {
    "username": ["username is taken"],
    "phone": ["phone is taken"],
    "email": ["email is taken"],
}
VALUES = {"username": "alice.martin", "phone": PHONE, "email": "alice@example.org"}


def test_no_values_have_no_faults(server, rules):
    account = server.person().account
    assert server.run(rules.creation_faults({})) == {}
    assert server.run(rules.replacement_faults(account.id, {})) == {}
    assert server.run(rules.replacement_faults(999_999, {})) == {}
    assert server.run(rules.sign_up_faults({})) == {}
    assert server.run(rules.public_sign_up_faults({})) == {}
    assert server.run(rules.password_faults(account, {})) == {}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.usefixtures("taken")
def test_each_value_is_checked_without_the_others(server, rules, name):
    for check in (rules.creation_faults, rules.sign_up_faults, rules.public_sign_up_faults):
        token = {"account_creation_token": server.creation_token()}
        assert server.run(check({name: VALUES[name], **token})) == {name: TAKEN[name]}


def test_an_account_keeps_its_own_names(server, rules, taken):
    other = server.person()
    assert server.run(rules.replacement_faults(taken.id, VALUES)) == {}
    assert server.run(rules.replacement_faults(other.id, VALUES)) == TAKEN
    short = server.person("abc")
    assert server.run(rules.replacement_faults(short.id, {"username": "abc"})) == {}
    refused = {"username": ["username must have at least 6 characters"]}
    assert server.run(rules.replacement_faults(taken.id, {"username": "abc"})) == refused


def test_a_number_that_is_the_name_is_told_as_a_number(server, rules, taken):
    values = {"phone": PHONE, "domain": "other.example.org", "account_creation_token": server.creation_token()}
    assert server.run(rules.public_sign_up_faults(values)) == {"phone": ["phone is taken"]}
    assert taken.account.phone == PHONE


def test_a_password_that_is_a_name_is_refused(server, rules, taken):
    guessed = {"password": ["password must not be the username or the domain"]}
    assert server.run(rules.password_faults(taken.account, {"password": "Alice.Martin"})) == guessed
    token = {"account_creation_token": server.creation_token()}
    phone = "+33699999999"
    assert server.run(rules.sign_up_faults({"username": "bob.builder", "password": DOMAIN, **token})) == guessed
    assert server.run(rules.public_sign_up_faults({"phone": phone, "password": phone, **token})) == guessed
    assert server.run(rules.password_faults(taken.account, {"password": "correct-horse-battery"})) == {}


@pytest.mark.parametrize("password", ["Alice.Martin", "alice.martin2024", DOMAIN, f"{DOMAIN}1"])
def test_administrators_give_no_password_that_is_a_name_with_digits(server, rules, taken, password):
    guessed = {"password": ["password must not be the username or the domain"]}
    new = {"username": "alice.martin", "domain": DOMAIN, "password": password}
    assert server.run(rules.replacement_faults(taken.id, new)) == guessed
    assert server.run(rules.creation_faults({**new, "username": "alice.martin7"})) == guessed
    assert server.run(rules.creation_faults({**new, "password": "alice.martins"})) == {"username": TAKEN["username"]}


@pytest.mark.parametrize("password", ["first.admin", "First.Admin2024", f"{DOMAIN}1", "password"])
def test_commands_give_no_password_that_is_guessed(server, password):
    create = server.services.accounts.administrators.create
    with pytest.raises(ValidationFailed) as refused:
        server.run(create("first.admin", password, None, server.actor))
    assert list(refused.value.errors) == ["password"]


@pytest.mark.parametrize("password", ["password", "PassWord"])
def test_administrators_give_no_common_password(server, rules, password):
    faults = server.run(rules.creation_faults({"username": "bob.builder", "password": password}))
    assert list(faults) == ["password"]
    assert server.run(rules.creation_faults({"username": "bob.builder", "password": f"{password}8251"})) == {}


@pytest.mark.usefixtures("taken")
def test_without_a_right_token_nobody_is_told_what_is_taken(server, rules):
    wrong = {"account_creation_token": ["account_creation_token is unknown, used or expired"]}
    for check in (rules.sign_up_faults, rules.public_sign_up_faults):
        assert server.run(check(VALUES)) == {}  # the missing token is an error of the syntax
        assert server.run(check({**VALUES, "account_creation_token": "x" * 13})) == wrong


class TestWithoutMd5:
    @pytest.fixture
    def configure(self):
        return {"account": {"md5": False}}

    def test_no_password_is_kept_as_md5(self, server, http, admin, alice):
        values = {"username": "bob.builder", "password": "correct-horse-battery", "algorithm": "MD5"}
        refused = {"algorithm": ["algorithm must be SHA-256: MD5 is switched off"]}
        token = {"account_creation_token": server.creation_token()}
        asked = [
            http.post("/api/accounts", json=values, headers=admin.headers),
            http.put(f"/api/accounts/{alice.id}", json=values, headers=admin.headers),
            http.post("/api/accounts/with-account-creation-token", json={**values, **token}),
            http.post("/api/accounts/public", json={**values, **token, "email": "bob@example.org"}),
            http.post("/api/accounts/me/password", json={**values, "old_password": "x" * 8}, headers=alice.headers),
        ]
        assert [(answer.status_code, answer.json()["errors"]) for answer in asked] == [(422, refused)] * 5
        right = {**values, **token, "algorithm": "SHA-256"}
        assert http.post("/api/accounts/with-account-creation-token", json=right).status_code == 200


def test_other_domains_are_not_public(server, rules):
    token = {"account_creation_token": server.creation_token()}
    faults = server.run(rules.public_sign_up_faults({"domain": "third.example.org", **token}))
    assert faults == {"domain": ["domain is not one of this service"]}


def test_a_creation_token_must_be_free(server, rules):
    wrong = {"account_creation_token": ["account_creation_token is unknown, used or expired"]}
    for check in (rules.sign_up_faults, rules.public_sign_up_faults):
        assert server.run(check({"account_creation_token": "x" * 13})) == wrong
        assert server.run(check({"account_creation_token": server.creation_token()})) == {}
