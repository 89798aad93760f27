"""The rules for values of accounts, which see only the values that are given and well-formed."""

import pytest

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
        assert server.run(check({name: VALUES[name]})) == {name: TAKEN[name]}


def test_an_account_keeps_its_own_names(server, rules, taken):
    other = server.person()
    assert server.run(rules.replacement_faults(taken.id, VALUES)) == {}
    assert server.run(rules.replacement_faults(other.id, VALUES)) == TAKEN
    short = server.person("abc")
    assert server.run(rules.replacement_faults(short.id, {"username": "abc"})) == {}
    refused = {"username": ["username must have at least 6 characters"]}
    assert server.run(rules.replacement_faults(taken.id, {"username": "abc"})) == refused


def test_a_number_that_is_the_name_is_told_as_a_number(server, rules, taken):
    assert server.run(rules.public_sign_up_faults({"phone": PHONE, "domain": "other.example.org"})) == {
        "phone": ["phone is taken"]
    }
    assert taken.account.phone == PHONE


def test_a_password_that_is_a_name_is_refused(server, rules, taken):
    guessed = {"password": ["password must not be the username or the domain"]}
    assert server.run(rules.password_faults(taken.account, {"password": "Alice.Martin"})) == guessed
    assert server.run(rules.sign_up_faults({"username": "bob.builder", "password": DOMAIN})) == guessed
    assert server.run(rules.public_sign_up_faults({"phone": "+33699999999", "password": "+33699999999"})) == guessed
    assert server.run(rules.password_faults(taken.account, {"password": "correct-horse-battery"})) == {}


def test_other_domains_are_not_public(server, rules):
    faults = server.run(rules.public_sign_up_faults({"domain": "third.example.org"}))
    assert faults == {"domain": ["domain is not one of this service"]}


def test_a_creation_token_must_be_free(server, rules):
    wrong = {"account_creation_token": ["account_creation_token is unknown, used or expired"]}
    for check in (rules.sign_up_faults, rules.public_sign_up_faults):
        assert server.run(check({"account_creation_token": "x" * 13})) == wrong
        assert server.run(check({"account_creation_token": server.creation_token()})) == {}
