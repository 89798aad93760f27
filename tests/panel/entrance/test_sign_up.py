"""Sign-up on pages: by e-mail and by phone, with codes, links and invitations."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.kit.server import serving, shared_by_module
from tests.kit.visitor import Visitor
from tests.kit.whole_answers import told

pytestmark = pytest.mark.security

CLOSED, INVITED = "closed.example.org", "invited.example.org"
PASSWORD = "correct-horse-battery"
SETTINGS = {
    "app": {"terms_url": "https://www.example.org/terms"},
    "account": {"email_unique": True},
    "panel": {"registration": "open"},
    "spaces": {
        CLOSED: {"panel_registration": "closed"},
        INVITED: {"panel_registration": "invited"},
        "both.example.org": {"panel_registration": "open", "registration": "closed"},
    },
}
server = shared_by_module(SETTINGS)


@pytest.fixture
def browser(server):
    visitor = Visitor(server.url)
    yield visitor
    visitor.close()


@pytest.fixture
def at(server):
    """Make a browser at a host."""
    opened = []

    def made(host):
        opened.append(Visitor(server.url, headers={"Host": host}))
        return opened[-1]

    yield made
    for visitor in opened:
        visitor.close()


def sign_up(browser, by, username, address, *, follow=True, **values):
    browser.open(f"/register/{by}")
    given = {"password": PASSWORD, "password_confirmation": PASSWORD, "terms": "true", **values}
    return browser.send("/accounts", username=username, **{by: address}, follow=follow, **given)


def by_name(server, username, domain="sip.example.org"):
    return server.run(server.store.accounts.by_address(username, domain))


def session_of(browser):
    return browser.http.cookies.get("flexiapi")


class TestByEmail:
    def test_the_code_of_the_mail_confirms_the_account_and_signs_in(self, server, browser):
        page = sign_up(browser, "email", "alice.martin", "Alice@Example.org")
        assert (page.status_code, page.url.path) == (200, "/activate")
        assert "alice@example.org" in page.text
        before, account = session_of(browser), by_name(server, "alice.martin")
        assert (account.activated, account.email, account.claimed_email) == (False,) + ("alice@example.org",) * 2
        page = browser.send("/activate", code=server.messages[-1]["code"].lower())
        assert (page.status_code, page.url.path) == (200, "/dashboard")
        assert by_name(server, "alice.martin").activated
        assert session_of(browser) != before
        session = server.run(server.services.sign_in.sessions.of(by_name(server, "alice.martin")))[0]
        assert (session.is_limited, session.method) == (False, "code")

    def test_a_confirmed_account_is_not_asked_for_a_code(self, server, browser):
        browser.sign_in(server.person())
        assert browser.open("/activate").url.path == "/dashboard"

    def test_the_session_of_a_sign_up_may_do_nothing_else(self, server, browser):
        sign_up(browser, "email", "bob.miller", "bob@example.org")
        for path in ("/dashboard", "/auth_tokens", "/confirm"):
            assert browser.open(path).url.path == "/activate"
        account = by_name(server, "bob.miller")
        assert (account.activated, account.api_key) == (False, None)

    def test_the_link_of_the_mail_does_the_same_and_only_by_its_button(self, server, browser, at):
        sign_up(browser, "email", "carol.smith", "carol@example.org")
        (link,) = re.findall(r"http\S+/activate/\S+", server.messages[-1]["text"])
        path = link.removeprefix(server.url)
        other = at("127.0.0.1")
        for visitor in (browser, other, browser):
            assert "carol.smith@sip.example.org" in visitor.open(path).text
        assert not by_name(server, "carol.smith").activated
        assert browser.send(path).url.path == "/dashboard"
        assert by_name(server, "carol.smith").activated
        other.open(path)
        assert other.send(path).status_code == 403

    def test_a_name_with_a_plus_goes_through_forms_links_and_sign_in(self, server, browser, at):
        name, email = "ruth+desk", "ruth+tag@example.org"
        sign_up(browser, "email", name, email)
        (link,) = re.findall(r"http\S+/activate/\S+", server.messages[-1]["text"])
        path = link.removeprefix(server.url)
        browser.open(path)
        assert browser.send(path.rpartition("/")[2]).url.path == "/dashboard"
        for typed in (name, f"{name}@sip.example.org", f"sip:{name}@sip.example.org", email):
            other = at("127.0.0.1")
            other.open("/login")
            assert other.send("/authenticate", username=typed, password=PASSWORD).url.path == "/dashboard"
        browser.open("/delete")
        assert browser.send("/delete", identifier=f"{name}@sip.example.org").url.path == "/goodbye"
        assert by_name(server, name) is None

    def test_the_link_signs_in_no_other_browser(self, server, browser, at):
        sign_up(browser, "email", "dave.jones", "dave@example.org")
        (link,) = re.findall(r"http\S+/activate/\S+", server.messages[-1]["text"])
        other = at("127.0.0.1")
        other.open(link.removeprefix(server.url))
        assert other.send(link.removeprefix(server.url)).url.path == "/login"
        assert by_name(server, "dave.jones").activated
        assert session_of(other) is None

    def test_another_code_is_sent_after_a_minute(self, server, browser):
        sign_up(browser, "email", "erin.brown", "erin@example.org")
        first = server.messages[-1]["code"]
        page = browser.open("/activate")
        assert re.search(r"in \d+ seconds", page.text)
        page = browser.send("/activate/resend")
        assert (page.status_code, "retry-after" in page.headers) == (429, True)
        assert server.messages[-1]["code"] == first
        server.later(seconds=61)
        browser.open("/activate")
        assert browser.send("/activate/resend").url.path == "/activate"
        second = server.messages[-1]["code"]
        assert second != first
        assert browser.send("/activate", code=first).status_code == 403
        assert browser.send("/activate", code=second).url.path == "/dashboard"

    def test_giving_up_makes_the_name_free(self, server, browser):
        sign_up(browser, "email", "frank.white", "wrong@example.org")
        browser.open("/activate")
        assert browser.send("/activate/cancel").url.path == "/login"
        assert by_name(server, "frank.white") is None
        assert session_of(browser) is None
        assert sign_up(browser, "email", "frank.white", "right@example.org").url.path == "/activate"


class TestByPhone:
    def test_the_number_may_be_written_as_people_do_and_the_digits_one_by_one(self, server, browser):
        page = sign_up(browser, "phone", "gina.hall", "0033 (0)6 12-34.56.70")
        assert "+33612345670" in page.text
        assert 'autocomplete="one-time-code"' in page.text
        assert 'inputmode="numeric"' in page.text
        digits = {f"number_{place}": digit for place, digit in enumerate(server.messages[-1]["code"], start=1)}
        assert browser.send("/activate", code="", **digits).url.path == "/dashboard"
        assert by_name(server, "gina.hall").phone == "+33612345670"

    def test_the_page_says_how_many_tries_are_left(self, server, browser):
        page = sign_up(browser, "phone", "hugo.king", "+33612345671")
        code = server.messages[-1]["code"]
        assert "3 tries are left" in page.text
        wrong = f"{(int(code) + 1) % 10_000:04d}"
        page = browser.send("/activate", code=wrong)
        assert (page.status_code, "2 tries are left" in page.text) == (403, True)
        assert "There is a problem" in page.text
        assert "<title>Error: " in page.text
        for status in (403, 403, 429):
            page = browser.send("/activate", code=wrong)
            assert page.status_code == status
        assert browser.send("/activate", code=code).status_code == 429

    def test_fifty_parallel_codes_compare_at_most_the_tries(self, server, browser):
        sign_up(browser, "phone", "iris.scott", "+33612345672")
        code, form = server.messages[-1]["code"], browser.form("/activate")
        wrong = [f"{number:04d}" for number in range(50) if f"{number:04d}" != code]
        before = server.log.getvalue().count("wrong code")
        with ThreadPoolExecutor(25) as pool:
            answers = pool.map(lambda one: browser.http.post("/activate", data={**form.fields, "code": one}), wrong)
            statuses = {answer.status_code for answer in answers}
        assert statuses == {403, 429}
        assert server.log.getvalue().count("wrong code") - before <= 3

    def test_there_is_no_sign_up_by_phone_where_the_settings_have_none(self, tmp_path, mongod_uri):
        settings = {"panel": {"registration": "open", "phone": False}}
        with serving(settings, tmp_path, mongod_uri) as server:
            link = "/recover/+33612345678/0427"
            for path in ("/register/phone", "/recover/phone", "/recovery/phone", "/recovery/phone/token", link):
                assert server.http.get(path, headers={"Accept": "text/html"}).status_code == 404
            visitor = Visitor(server.url)
            assert "/register/phone" not in visitor.open("/register").text
            answer = visitor.send("/accounts", username="jack.green", by="phone", phone="+33612345678")
            assert answer.status_code == 422
            assert by_name(server, "jack.green") is None
            visitor.close()
            server.person(phone="+33612345678")
            server.run(server.services.codes.recovery.text_pin("+33612345678", server.actor))
            assert "http" not in server.messages[-1]["text"]


class TestNothingIsTold:
    @pytest.mark.parametrize(
        ("by", "taken", "free"),
        [
            ("email", "taken@example.org", "other@example.org"),
            ("phone", "+33612345680", "+33612345681"),
        ],
    )
    def test_a_taken_address_and_number_get_the_answers_of_a_free_one(self, server, at, by, taken, free):
        owner = server.person(**{by: taken})
        answers = []
        for name, address in ((f"one.of.{by}", taken), (f"two.of.{by}", free)):
            visitor = at("127.0.0.1")
            answers.append(told(sign_up(visitor, by, name, address, follow=False), name, address))
            answers.append(told(visitor.open("/activate"), name, address))
            code = server.messages[-1]["code"]
            assert address in server.messages[-1].values()
            visitor.send("/activate", code="0000" if code != "0000" else "0001")
            answers.append(told(visitor.page, name, address))
        assert answers[:3] == answers[3:]
        assert getattr(server.account(owner.id), by) == taken

    def test_who_has_the_address_learns_it_by_the_right_code(self, server, browser):
        server.person(email="known@example.org")
        sign_up(browser, "email", "kate.baker", "known@example.org")
        page = browser.send("/activate", code=server.messages[-1]["code"])
        assert page.status_code == 422
        assert not by_name(server, "kate.baker").activated

    def test_a_taken_name_is_told_as_the_api_does(self, server, browser):
        server.person("liam.adams")
        page = sign_up(browser, "email", "liam.adams", "liam@example.org")
        assert (page.status_code, "User name is taken" in page.text) == (422, True)


class TestForm:
    @pytest.mark.parametrize(
        ("values", "text"),
        [
            ({"password": "short"}, "Password must have at least 6 characters"),
            ({"password_confirmation": "another"}, "differs from the password"),
            ({"terms": ""}, "I accept the terms of use must be accepted"),
            ({"email": "nonsense"}, "E-mail address must be an e-mail address"),
            ({"email": ""}, "E-mail address is missing"),
            ({"username": "Upper.Case"}, "User name must be in lower case"),
            ({"password": "mary.lewis", "password_confirmation": "mary.lewis"}, "must not be the username"),
        ],
    )
    def test_what_is_wrong_is_said_at_the_field_and_nothing_is_made(self, server, browser, values, text):
        given = {"username": "mary.lewis", "address": "mary@example.org", **values}
        given["address"] = given.pop("email", given["address"])
        page = sign_up(browser, "email", given.pop("username"), given.pop("address"), **given)
        assert page.status_code == 422
        assert page.text.count(text) >= 2
        assert "There is a problem" in page.text
        assert PASSWORD not in page.text
        assert by_name(server, "mary.lewis") is None

    def test_the_pages_that_are_accepted_are_linked(self, browser):
        page = browser.open("/register/email")
        assert 'href="https://www.example.org/terms"' in page.text
        assert "privacy" not in page.text

    @pytest.mark.parametrize("token", ["", "0" * 64, None])
    def test_a_form_without_its_token_makes_nothing(self, server, browser, token):
        browser.open("/register/email")
        values = {"password": PASSWORD, "password_confirmation": PASSWORD, "terms": "true", "email": "n@example.org"}
        answer = browser.send("/accounts", username="nora.young", follow=False, form_token=token or "", **values)
        assert answer.status_code == 403
        assert by_name(server, "nora.young") is None

    def test_a_form_of_another_site_or_browser_makes_nothing(self, server, browser, at):
        browser.open("/register/email")
        form = browser.form("/accounts")
        values = {**form.fields, "username": "otto.clark", "email": "otto@example.org", "terms": "true"}
        values |= {"password": PASSWORD, "password_confirmation": PASSWORD}
        other = at("127.0.0.1")
        other.open("/register/email")
        assert other.http.post("/accounts", data=values).status_code == 403
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.org"}):
            assert browser.http.post("/accounts", data=values, headers=headers).status_code == 403
        assert by_name(server, "otto.clark") is None


class TestWhoMayRegister:
    def test_the_way_leads_to_the_page_by_email(self, browser):
        assert browser.open("/register?token=abc").url.path == "/register/email"

    @pytest.mark.parametrize("host", [CLOSED, "both.example.org"])
    def test_a_closed_service_has_no_form(self, server, at, host):
        visitor = at(host)
        for path in ("/register", "/register/email", "/register/phone"):
            assert visitor.open(path).status_code == 403
        assert "/register" not in visitor.open("/login").text
        visitor.open("/recover/email")
        values = {"username": "paul.evans", "email": "paul@example.org", "password": PASSWORD}
        token = Visitor(server.url)
        token.open("/register/email")
        form = token.form("/accounts").fields
        visitor.http.cookies.update(token.http.cookies)
        answer = visitor.http.post("/accounts", data={**form, **values, "password_confirmation": PASSWORD})
        assert answer.status_code == 403
        assert by_name(server, "paul.evans", host) is None
        token.close()

    def test_the_invited_need_a_token_of_an_administrator_which_a_link_brings(self, server, at):
        space = server.store.spaces.of_domain(INVITED)
        actor = server.actor.__class__(server.actor.kind, space=space)
        tokens = server.services.codes.creation_tokens
        invitation, other = server.run(tokens.make(actor)), server.run(tokens.mint(actor))
        visitor = at(INVITED)
        assert sign_up(visitor, "email", "rosa.turner", "rosa@example.org").status_code == 422
        for wrong in ("0" * 13, other, "short", server.creation_token()):
            page = sign_up(visitor, "email", "rosa.turner", "rosa@example.org", token=wrong)
            assert page.status_code == 422
            assert by_name(server, "rosa.turner", INVITED) is None
        page = visitor.open(f"/register?token={invitation}")
        assert f'value="{invitation}"' in page.text
        given = {"password": PASSWORD, "password_confirmation": PASSWORD, "terms": "true"}
        page = visitor.send("/accounts", username="rosa.turner", email="rosa@example.org", **given)
        assert page.url.path == "/activate"
        again = at(INVITED)
        page = sign_up(again, "email", "sara.parker", "sara@example.org", token=invitation)
        assert page.status_code == 422

    def test_fifty_parallel_sign_ups_with_one_invitation_make_one_account(self, server, at):
        actor = server.actor.__class__(server.actor.kind, space=server.store.spaces.of_domain(INVITED))
        invitation = server.run(server.services.codes.creation_tokens.make(actor))
        visitor = at(INVITED)
        visitor.open(f"/register/email?token={invitation}")
        given = {**visitor.form("/accounts").fields, "terms": "true", "password": PASSWORD}
        given["password_confirmation"] = PASSWORD

        def send(number):
            values = {**given, "username": f"many.people.{number}", "email": f"many{number}@example.org"}
            return visitor.http.post("/accounts", data=values).status_code

        with ThreadPoolExecutor(25) as pool:
            statuses = list(pool.map(send, range(50)))
        assert sorted(set(statuses)) == [303, 422]
        assert statuses.count(303) == 1
        made = [by_name(server, f"many.people.{number}", INVITED) for number in range(50)]
        assert sum(account is not None for account in made) == 1

    def test_sign_ups_count_against_the_limit_of_the_network(self, tmp_path, mongod_uri):
        settings = {"panel": {"registration": "open"}, "limits": {"anonymous_tokens_per_minute": 2}}
        with serving(settings, tmp_path, mongod_uri) as server:
            statuses = []
            for number in range(3):
                visitor = Visitor(server.url)
                page = sign_up(visitor, "email", f"tina.reed.{number}", f"tina{number}@example.org", follow=False)
                statuses.append(page.status_code)
                visitor.close()
            assert statuses == [303, 303, 429]
            assert by_name(server, "tina.reed.2") is None
