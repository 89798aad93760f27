"""One's own password, in the panel."""

from flexiapi.model import SignInMethod
from tests.kit.visitor import Visitor
from tests.panel.user.conftest import mails_to, problems

NEW = "another-donkey-battery"


def change(me, person, **fields):
    me.open("/password")
    given = {"old_password": person.password, "password": NEW, "password_confirmation": NEW}
    return me.send("/password", **{**given, **fields})


def signs_in(server, person, password):
    browser = Visitor(server.url)
    page = browser.sign_in(person, password)
    browser.close()
    return page.url.path == "/dashboard"


def key_works(server, person):
    return server.http.get("/api/accounts/me", headers=person.headers).status_code == 200


def test_it_signs_out_everything_but_this_browser_by_default(server, me, person):
    other = Visitor(server.url)
    other.sign_in(person)
    before = me.http.cookies["flexiapi"]
    answer = change(me, person)
    assert "all other devices are signed out" in answer.text
    assert answer.url.path == "/dashboard"
    assert me.http.cookies["flexiapi"] != before
    assert me.open("/dashboard").url.path == "/dashboard"
    assert other.open("/dashboard").url.path == "/login"
    assert not key_works(server, person)
    assert signs_in(server, person, NEW)
    assert not signs_in(server, person, person.password)
    stolen = Visitor(server.url)
    stolen.http.cookies.set("flexiapi", before)
    assert stolen.open("/dashboard").url.path == "/login"
    other.close()
    stolen.close()


def test_without_the_tick_the_others_stay(server, me, person):
    other = Visitor(server.url)
    other.sign_in(person)
    me.open("/password")
    form = me.form("/password").fields
    assert form.pop("sign_out") == "true"
    given = {**form, "old_password": person.password, "password": NEW, "password_confirmation": NEW}
    sent = {"Origin": server.url, "Sec-Fetch-Site": "same-origin"}
    assert me.http.post("/password", data=given, headers=sent).status_code == 303
    assert key_works(server, person)
    assert other.open("/dashboard").url.path == "/dashboard"
    assert me.open("/dashboard").url.path == "/dashboard"
    assert signs_in(server, person, NEW)
    other.close()


def test_it_is_kept_for_both_algorithms_and_told_by_mail(server, me, person):
    change(me, person)
    account = server.account(person.id)
    assert [password.algorithm for password in account.passwords] == ["SHA-256", "MD5"]
    assert "notice.password" in mails_to(server, account.email)
    for algorithm in ("SHA-256", "MD5"):
        fits = server.services.sign_in.passwords.ha1(account, algorithm)
        assert fits == server.services.sign_in.passwords.stored(*account.address.split("@"), algorithm, NEW).ha1


def test_what_is_wrong_is_told_at_the_fields_and_no_password_comes_back(server, me, person):
    for fields, field in (
        ({"old_password": "wrong-donkey"}, "field-old_password"),
        ({"old_password": ""}, "field-old_password"),
        ({"password_confirmation": "something-else"}, "field-password_confirmation"),
        ({"password": "x", "password_confirmation": "x"}, "field-password"),
        ({"password": "password1", "password_confirmation": "password1"}, "field-password"),
        ({"password": person.account.username, "password_confirmation": person.account.username}, "field-password"),
    ):
        answer = change(me, person, **fields)
        assert answer.status_code == 422
        assert [name for name, _ in problems(answer)] == [field]
        assert NEW not in answer.text
        assert person.password not in answer.text
    assert signs_in(server, person, person.password)


def test_the_rules_are_on_the_page_and_fields_are_named_for_password_managers(me):
    page = me.open("/password").text
    assert "Fewest characters: 6." in page
    assert "The most common passwords" in page
    assert page.count('autocomplete="new-password"') == 2
    assert page.count('autocomplete="current-password"') == 1
    assert "(optional)" not in page
    answer = me.send("/password")
    assert [name for name, _ in problems(answer)] == [
        "field-old_password",
        "field-password",
        "field-password_confirmation",
    ]


def by_code(server, visitor, account):
    """Sign in a browser as a code that was sent does."""
    new = server.run(server.services.sign_in.sessions.begin(account, server.actor, SignInMethod.CODE))
    visitor.http.cookies.set("flexiapi", new.token)


def test_right_after_a_code_the_old_one_is_not_asked(server, visitor, person):
    by_code(server, visitor, person.account)
    page = visitor.open("/password").text
    assert "current-password" not in page
    visitor.send("/password", password=NEW, password_confirmation=NEW)
    assert signs_in(server, person, NEW)


def test_later_the_old_one_is_asked_again(server, visitor, person):
    by_code(server, visitor, person.account)
    visitor.open("/password")
    server.later(minutes=11)
    answer = visitor.send("/password", password=NEW, password_confirmation=NEW)
    assert answer.status_code == 422
    assert [name for name, _ in problems(answer)] == ["field-old_password"]
    assert signs_in(server, person, person.password)


def test_the_first_one_activates_as_in_the_api(server, visitor):
    person = server.person(email="first@example.org")
    server.set(person.id, passwords=(), activated=False)
    by_code(server, visitor, server.account(person.id))
    page = visitor.open("/password").text
    assert "Set a password" in page
    visitor.send("/password", password=NEW, password_confirmation=NEW)
    account = server.account(person.id)
    assert (account.activated, bool(account.passwords)) == (True, True)
    assert "account.password.set" in mails_to(server, account.email)


def test_without_a_password_an_old_session_is_sent_to_prove_who_it_is(server, visitor):
    person = server.person()
    server.set(person.id, passwords=())
    by_code(server, visitor, server.account(person.id))
    visitor.open("/password")
    server.later(minutes=11)
    answer = visitor.send("/password", password=NEW, password_confirmation=NEW)
    assert (answer.url.path, "Your account has no password" in answer.text) == ("/confirm", True)
    assert server.account(person.id).passwords == ()
