"""Recovery on pages: the same for accounts that there are and that there are not."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from flexiapi.model import SignInMethod
from flexiapi.services.codes import RecoveryRequest
from tests.kit.server import serving, shared_by_module
from tests.kit.visitor import Visitor
from tests.kit.waiting import wait_for
from tests.kit.whole_answers import told

pytestmark = pytest.mark.security

PHONE = "+33612345600"
EMAIL = "alice@example.org"
NEW = "another-horse-battery"
server = shared_by_module({"account": {"email_unique": True}, "limits": {"wrong_codes_per_hour": 0}})


@pytest.fixture
def alice(server):
    made = server.person(email=EMAIL, phone=PHONE)
    yield made
    server.apply(server.account(made.id).remove())


@pytest.fixture
def browser(server):
    visitor = Visitor(server.url)
    yield visitor
    visitor.close()


@pytest.fixture
def sent(server):
    """Wait for the message that is sent beside the answer, and return it."""
    before = len(server.messages)

    def waited(number=1):
        wait_for(lambda: len(server.messages) >= before + number)
        # The code is stored once the message was accepted.
        server.run(server.services.codes.web_recovery.finished())
        return server.messages[-1]

    return waited


def ask(browser, by, address, **values):
    browser.open(f"/recover/{by}")
    return browser.send("/recover", **{by: address}, **values)


class TestRecovery:
    @pytest.mark.parametrize(("by", "address"), [("email", " Alice@example.org"), ("phone", "0033 6 12 34 56 00")])
    def test_a_code_signs_in_and_leads_to_a_new_password(self, server, browser, alice, sent, by, address):
        page = ask(browser, by, address)
        assert (page.status_code, browser.http.cookies.get("flexiapi")) == (200, None)
        code = sent()["code"]
        page = browser.send("/recover/confirm", code=f" {code} ", follow=False)
        assert (page.status_code, page.headers["location"]) == (303, "/password")
        (session,) = server.run(server.services.sign_in.sessions.of(server.account(alice.id)))
        assert (session.method, session.is_limited, session.confirmed_at is not None) == ("code", False, True)
        assert server.account(alice.id).sign_in_epoch == alice.account.sign_in_epoch + 1

    def test_the_new_password_needs_no_old_one(self, server, browser, alice, sent):
        ask(browser, "email", EMAIL)
        page = browser.send("/recover/confirm", code=sent()["code"])
        assert (page.url.path, "old_password" in page.text) == ("/password", False)
        page = browser.send("/password", password=NEW, password_confirmation=NEW)
        assert page.url.path == "/dashboard"
        assert server.services.sign_in.passwords.fits(server.account(alice.id), NEW)

    def test_the_digits_may_be_typed_one_by_one(self, server, browser, alice, sent):
        ask(browser, "phone", PHONE)
        digits = {f"number_{place}": digit for place, digit in enumerate(sent()["code"], start=1)}
        assert browser.send("/recover/confirm", code="", follow=False, **digits).status_code == 303

    def test_another_code_is_asked_for_without_typing_the_address_again(self, browser, alice, sent):
        ask(browser, "email", EMAIL)
        first = sent()
        assert browser.send("/recover").status_code == 200
        assert sent(2)["code"] == first["code"]

    @pytest.mark.parametrize("path", ["/recovery/email", "/recovery/phone", "/recovery/phone/Tok3n"])
    def test_the_paths_of_later_apps_lead_to_the_same_pages(self, browser, path):
        page = browser.open(f"{path}?phone=%2B33612345600")
        assert (page.status_code, page.url.path) == (200, path)
        assert ('value="+33612345600"' in page.text) is ("phone" in path)

    def test_the_name_is_asked_for_where_addresses_are_not_unique(self, tmp_path, mongod_uri):
        with serving({}, tmp_path, mongod_uri) as server:
            persons = [server.person(name, email=EMAIL) for name in ("one.of.two", "two.of.two")]
            visitor = Visitor(server.url)
            assert ask(visitor, "email", EMAIL).status_code == 422
            ask(visitor, "email", EMAIL, username="Two.Of.Two@sip.example.org")
            wait_for(lambda: server.messages)
            server.run(server.services.codes.web_recovery.finished())
            assert visitor.send("/recover/confirm", code=server.messages[-1]["code"], follow=False).status_code == 303
            assert server.account(persons[1].id).sign_in_epoch == 1
            assert server.account(persons[0].id).sign_in_epoch == 0
            visitor.close()


class TestProofOfAnAccountWithoutPassword:
    @pytest.fixture
    def stale(self, server, browser):
        """Sign an account in by a proof that is not enough for an API key, and go on to the page that asks for one."""

        def opened(**fields):
            person = server.person(**fields)
            server.set(person.id, passwords=())
            account = server.account(person.id)
            begun = server.services.sign_in.sessions.begin(account, server.actor, SignInMethod.QR)
            browser.http.cookies.set("flexiapi", server.run(begun).token)
            browser.open("/api_key")
            assert browser.send("/api_key").url.path == "/confirm"
            return account

        return opened

    @pytest.mark.parametrize(
        "fields", [{"email": "proof@example.org"}, {"phone": "+33612345611"}, {"username": "+33612345612"}]
    )
    def test_a_code_proves_it_and_leads_back(self, server, browser, stale, sent, fields):
        account = stale(**fields)
        page = browser.send("/confirm/code")
        assert "a code is on its way" in page.text
        page = browser.send("/recover/confirm", code=sent()["code"])
        assert (page.url.path, "Thank you, that was right." in page.text) == ("/api_key", True)
        assert server.account(account.id).api_key is None
        browser.send("/api_key")
        assert server.account(account.id).api_key is not None

    def test_another_code_leads_back_too(self, browser, stale, sent):
        stale(email="again@example.org")
        browser.send("/confirm/code")
        sent()
        browser.send("/recover")
        page = browser.send("/recover/confirm", code=sent(2)["code"])
        assert page.url.path == "/api_key"

    def test_where_no_code_can_be_sent_that_is_said(self, browser, stale):
        stale()
        assert "no address that a code can be sent to" in browser.page.text
        assert "/confirm/code" not in browser.page.text

    def test_it_never_leads_to_another_site(self, browser, stale, sent):
        stale(email="elsewhere@example.org")
        browser.send("/confirm/code", next="//evil.example/")
        assert browser.send("/recover/confirm", code=sent()["code"]).url.path == "/password"


class TestNothingIsTold:
    @pytest.mark.parametrize(
        ("by", "known", "unknown"),
        [("email", "known@example.org", "nobody@example.org"), ("phone", "+33612345698", "+33612345699")],
    )
    def test_known_and_unknown_get_the_same_whole_answers(self, server, by, known, unknown):
        server.person(**{by: known})
        answers = []
        for address in (known, unknown):
            visitor = Visitor(server.url)
            answers.append([told(visitor.open(f"/recover/{by}"), address)])
            answers[-1].append(told(visitor.send("/recover", **{by: address}), address))
            for code in ("0000x", "", "WATD-MY7P-TD4CZ", *["0000x"] * 8):
                answers[-1].append(told(visitor.send("/recover/confirm", code=code), address))
            visitor.close()
        assert answers[0] == answers[1]
        assert {answer[0] for answer in answers[0]} == {200, 403, 422, 429}

    def test_nothing_is_looked_up_before_the_answer(self, server, alice, sent):
        assert server.run(_asked(server)) == (0, 1)
        sent()

    def test_fifty_parallel_codes_sign_in_once(self, server, browser, sent):
        alice = server.person(email="parallel@example.org")
        ask(browser, "email", "parallel@example.org")
        answers = browser.send_at_once("/recover/confirm", 50, code=sent()["code"])
        assert sum(answer.status_code == 303 for answer in answers) == 1
        assert server.account(alice.id).sign_in_epoch == alice.account.sign_in_epoch + 1


class TestForms:
    @pytest.mark.parametrize("path", ["/recover", "/recover/confirm"])
    def test_forms_of_others_change_nothing(self, server, browser, alice, sent, path):
        ask(browser, "email", EMAIL)
        code, before = sent()["code"], server.account(alice.id)
        fields = {"email": EMAIL, "by": "email", "code": code}
        for token in ({}, {"form_token": "0" * 64}, browser.form("/recover").fields if "confirm" in path else {}):
            assert browser.http.post(path, data={**token, **fields}).status_code == 403
        right = {**browser.form(path).fields, **fields}
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.org"}):
            assert browser.http.post(path, data=right, headers=headers).status_code == 403
        stranger = Visitor(server.url)
        assert stranger.http.post(path, data=right).status_code == 403
        stranger.close()
        assert server.account(alice.id) == before
        assert len([one for one in server.messages if one.get("code") == code]) == 1


class TestResetLink:
    @pytest.fixture
    def path(self, server, alice):
        server.run(server.services.codes.reset_links.send(server.account(alice.id), server.actor))
        (token,) = re.findall(r"/reset_password/(\w+)", server.messages[-1]["text"])
        return f"/reset_password/{token}"

    def test_it_sets_a_new_password_once(self, server, browser, alice, path):
        before = server.account(alice.id)
        for _ in range(2):
            page = browser.open(path)
            assert alice.sip in page.text
        assert server.account(alice.id) == before
        page = browser.send("/reset_password", password=NEW, password_confirmation=NEW)
        assert (page.url.path, "Your new password is set" in page.text) == ("/login", True)
        assert server.services.sign_in.passwords.fits(server.account(alice.id), NEW)
        assert server.account(alice.id).sign_in_epoch == before.sign_in_epoch + 1
        assert browser.open(path).status_code == 404

    @pytest.mark.parametrize(
        ("password", "again", "text"),
        [
            ("short", "short", "New password must have at least"),
            (NEW, "other", "differs from the password"),
            ("sip.example.org", "sip.example.org", "must not be the username or the domain"),
        ],
    )
    def test_a_wrong_password_does_not_use_it_up(self, server, browser, alice, path, password, again, text):
        browser.open(path)
        page = browser.send("/reset_password", password=password, password_confirmation=again)
        assert (page.status_code, text in page.text) == (422, True)
        assert browser.send("/reset_password", password=NEW, password_confirmation=NEW).url.path == "/login"

    def test_fifty_parallel_forms_set_one_password(self, server, browser, alice, path):
        browser.open(path)
        fields = browser.form("/reset_password").fields

        def send(number):
            typed = {"password": f"{NEW}-{number}", "password_confirmation": f"{NEW}-{number}"}
            return browser.http.post("/reset_password", data={**fields, **typed}).status_code

        with ThreadPoolExecutor(25) as pool:
            statuses = list(pool.map(send, range(50)))
        assert statuses.count(303) == 1
        assert server.account(alice.id).sign_in_epoch == alice.account.sign_in_epoch + 1

    def test_a_form_of_others_changes_nothing(self, server, browser, alice, path):
        browser.open(path)
        fields = {**browser.form("/reset_password").fields, "password": NEW, "password_confirmation": NEW}
        before = server.account(alice.id)
        assert browser.http.post("/reset_password", data={**fields, "form_token": "0" * 64}).status_code == 403
        headers = {"Sec-Fetch-Site": "cross-site"}
        assert browser.http.post("/reset_password", data=fields, headers=headers).status_code == 403
        assert server.account(alice.id) == before


async def _asked(server):
    """Ask for a code. Return how often an account is looked up before the call returns, and in all."""
    lookups, recovery = [], server.services.codes.web_recovery
    found = server.store.accounts.owner_of

    async def noted(identifier):
        lookups.append(identifier)
        return await found(identifier)

    server.store.accounts.owner_of = noted
    recovery.ask(RecoveryRequest(email=EMAIL), server.actor)
    at_once = len(lookups)
    await recovery.finished()
    del server.store.accounts.owner_of
    return at_once, len(lookups)
