"""Links in SMS: each does the same as its code, by a button, in any browser, and tells nothing about accounts."""

import re

import pytest

from tests.kit.server import shared_by_module
from tests.kit.stranger import PASSWORD, Stranger, new_number
from tests.kit.visitor import Visitor
from tests.kit.waiting import wait_for
from tests.kit.whole_answers import told

pytestmark = pytest.mark.security

B = "b.example.org"
SETTINGS = {
    "account": {"email_unique": True},
    "panel": {"registration": "open"},
    "limits": {"wrong_codes_per_hour": 0, "codes_per_account": 0, "wrong_codes_per_network": 4},
    "spaces": {B: {}},
}
server = shared_by_module(SETTINGS)


@pytest.fixture
def at(server):
    """Make a browser, at a host."""
    opened = []

    def made(host=None):
        opened.append(Visitor(server.url, headers={"Host": host} if host else None))
        return opened[-1]

    yield made
    for visitor in opened:
        visitor.close()


class Texted:
    """The ways to have an SMS with a code sent, each for a person of its own. They return the path of its link."""

    def __init__(self, server, at):
        self._server, self._at, self._number = server, at, new_number()
        self._name = f"texted.{self._number[-5:]}"

    def _api(self, path, person, **body):
        answer = self._server.http.post(f"/api/accounts/{path}", json=body, headers=person.headers if person else {})
        assert answer.status_code == 200, answer.text

    def _waiting(self):
        return self._server.person(self._name, activated=False, unconfirmed=True, claimed_phone=self._number)

    def sign_up_by_an_app(self):
        assert Stranger(self._server).sign_up(username=self._name, phone=self._number).status_code == 200
        return f"/activate/{self._name}/"

    def sign_up_by_an_app_with_the_number_as_name(self):
        assert Stranger(self._server).sign_up(phone=self._number).status_code == 200
        return f"/activate/{self._number}/"

    def sign_up_on_a_page(self):
        visitor = self._at()
        visitor.open("/register/phone")
        values = {"password": PASSWORD, "password_confirmation": PASSWORD, "phone": self._number}
        assert visitor.send("/accounts", username=self._name, **values).url.path == "/activate"
        return f"/activate/{self._name}/"

    def resending_by_an_app(self):
        self._api("me/resend", self._waiting())
        return f"/activate/{self._name}/"

    def resending_on_a_page(self):
        visitor = self._at()
        visitor.sign_in(self._waiting())
        assert visitor.send("/activate/resend").url.path == "/activate"
        return f"/activate/{self._name}/"

    def recovery_by_an_app(self):
        self._server.person(self._name, phone=self._number)
        token = self._server.creation_token()
        self._api("recover-by-phone", None, phone=self._number, account_creation_token=token)
        return f"/recover/{self._number}/"

    def recovery_on_a_page(self):
        self._server.person(self._name, phone=self._number)
        visitor, before = self._at(), len(self._server.messages)
        visitor.open("/recover/phone")
        visitor.send("/recover", phone=self._number)
        wait_for(lambda: len(self._server.messages) > before)
        self._server.run(self._server.services.codes.web_recovery.finished())
        return f"/recover/{self._number}/"

    def change_by_an_app(self):
        self._api("me/phone/request", self._server.person(self._name), phone=self._number)
        return "/phone/validate?code="

    def _changing(self):
        visitor = self._at()
        visitor.sign_in(self._server.person(self._name))
        visitor.open("/phone/change")
        assert visitor.send("/phone/change", phone=self._number).url.path == "/phone/validate"
        return visitor

    def change_on_a_page(self):
        self._changing()
        return "/phone/validate?code="

    def resending_of_a_change_on_a_page(self):
        visitor, before = self._changing(), len(self._server.messages)
        self._server.later(seconds=61)
        visitor.send("/phone/resend")
        assert len(self._server.messages) == before + 1
        return "/phone/validate?code="


WAYS = [name for name in vars(Texted) if not name.startswith("_")]


def link_of(server, message=None):
    message = message or server.messages[-1]
    return message["text"].rpartition(" ")[2].removeprefix(server.url), message["code"]


@pytest.mark.parametrize("way", WAYS)
def test_every_sms_begins_with_its_code_and_ends_with_the_link(server, at, way):
    beginning = getattr(Texted(server, at), way)()
    text, code = server.messages[-1]["text"], server.messages[-1]["code"]
    assert re.findall(r"\b[0-9]{4}\b", text)[0] == code
    assert text.endswith(f" {server.url}{beginning}{code}")


def stored(server):
    """All that a page could change. Events move out of accounts by themselves."""
    names, moving = ("accounts", "sessions", "limits", "creation_tokens", "reset_links"), ("events", "since")

    async def read():
        without = dict.fromkeys((f"pending_{one}" for one in moving), 0)
        database = server.store._database
        return {name: await database[name].find({}, without).sort("_id").to_list(None) for name in names}

    return server.run(read())


def signed_up(server):
    name, phone = f"linked.{new_number()[-6:]}", new_number()
    assert Stranger(server).sign_up(username=name, phone=phone).status_code == 200
    return server.run(server.store.accounts.by_address(name, "sip.example.org"))


def recovering(server, **fields):
    person = server.person(phone=new_number(), **fields)
    server.run(server.services.codes.recovery.text_pin(person.account.phone, server.actor))
    return person


def action_of(path):
    """The target of the button on the page of a link."""
    return "/recover/confirm" if path.startswith("/recover/") else path


KINDS = ["confirmation", "recovery"]


@pytest.fixture
def sent(server):
    """Have an SMS of a kind sent. Return the account, and the path and code of the link."""

    def made(kind):
        account = signed_up(server) if kind == "confirmation" else recovering(server).account
        return account, *link_of(server)

    return made


def is_applied(server, account):
    now = server.account(account.id)
    return (now.activated, now.sign_in_epoch) != (account.activated, account.sign_in_epoch)


@pytest.mark.parametrize("kind", KINDS)
class TestEachLink:
    def test_opening_it_changes_nothing_and_the_button_applies_it_in_any_browser(self, server, at, sent, kind):
        account, path, code = sent(kind)
        before, phone = stored(server), at()
        for method, headers in (("HEAD", {}), ("GET", {}), ("GET", {"Sec-Purpose": "prefetch"})):
            assert phone.http.request(method, path, headers=headers).status_code == 200
        page = phone.open(path)
        assert code not in page.headers.get("set-cookie", "")
        form = phone.form(action_of(path))
        prefetch = {"Sec-Purpose": "prefetch"}
        assert phone.http.post(form.action, data=form.fields, headers=prefetch).status_code == 403
        assert stored(server) == before
        page = phone.send(action_of(path))
        assert page.url.path == ("/login" if kind == "confirmation" else "/password")
        assert is_applied(server, account)

    def test_after_its_use_link_and_code_are_refused(self, server, at, sent, kind):
        account, path, _ = sent(kind)
        for visitor, status in ((at(), 303), (at(), 403)):
            visitor.open(path)
            assert visitor.send(action_of(path), follow=False).status_code == status
        assert "This code is wrong, was used, or is too old" in visitor.page.text
        assert server.account(account.id).sign_in_epoch <= account.sign_in_epoch + 1

    def test_a_wrong_or_expired_one_is_refused(self, server, at, sent, kind):
        account, path, code = sent(kind)
        visitor = at()
        link = path.replace(code, f"{(int(code) + 1) % 10_000:04}")
        visitor.open(link)
        assert visitor.send(action_of(link), follow=False).status_code == 403
        server.later(minutes=11)
        visitor.open(path)
        assert visitor.send(action_of(path), follow=False).status_code == 403
        assert not is_applied(server, account)

    def test_fifty_parallel_uses_apply_it_once(self, server, at, sent, kind):
        account, path, _ = sent(kind)
        visitor = at()
        visitor.open(path)
        statuses = [answer.status_code for answer in visitor.send_at_once(action_of(path), 50)]
        assert (statuses.count(303), set(statuses)) == (1, {303, 403, 429})
        assert is_applied(server, account)

    def test_known_and_unknown_get_the_same_whole_answers(self, server, at, sent, kind):
        account, path, code = sent(kind)
        other = server.person(phone=new_number()).account
        place = account.username if kind == "confirmation" else account.phone
        there = [place, other.username if kind == "confirmation" else other.phone]
        missing = "linked.000000" if kind == "confirmation" else new_number()
        wrong, answers = f"{(int(code) + 1) % 10_000:04}", []
        for name in (*there, missing):
            visitor, link = at(), path.replace(place, name).replace(code, wrong)
            answers.append([told(visitor.open(link), name)])
            answers[-1] += [told(visitor.send(action_of(link)), name) for _ in range(6)]
        assert answers[0] == answers[1] == answers[2]
        assert [answer[0] for answer in answers[0]] == [200, *[403] * 4, 429, 429]
        assert not is_applied(server, account)

    def test_a_try_of_a_missing_or_blocked_account_counts_as_much(self, server, at, sent, kind):
        (account, path, code), (blocked, _, _) = sent(kind), sent(kind)
        server.apply(server.account(blocked.id).block(server.clock.second()))
        is_named, counted = kind == "confirmation", []
        place = account.username if is_named else account.phone
        others = ("linked.000001", blocked.username) if is_named else (new_number(), blocked.phone)
        for name in (place, *others):
            visitor, link = at(), path.replace(place, name).replace(code, f"{(int(code) + 1) % 10_000:04}")
            before = len(stored(server)["limits"])
            visitor.open(link)
            visitor.send(action_of(link))
            counted.append(len(stored(server)["limits"]) - before)
        assert counted == [4, 4, 4]

    def test_another_site_cannot_press_its_button(self, server, at, sent, kind):
        account, path, _ = sent(kind)
        visitor = at()
        visitor.open(path)
        form = visitor.form(action_of(path))
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.org"}):
            assert visitor.http.post(form.action, data=form.fields, headers=headers).status_code == 403
        assert visitor.http.post(form.action, data={**form.fields, "form_token": "0" * 64}).status_code == 403
        assert not is_applied(server, account)


def test_a_link_confirms_in_the_browser_that_signed_up_and_signs_in(server, at):
    visitor = at()
    visitor.open("/register/phone")
    values = {"password": PASSWORD, "password_confirmation": PASSWORD, "phone": new_number()}
    visitor.send("/accounts", username="same.browser", **values)
    path, _ = link_of(server)
    assert "same.browser@sip.example.org" in visitor.open(path).text
    assert visitor.send(path).url.path == "/dashboard"


def test_a_link_that_is_over_leads_to_another_code(server, at):
    path, visitor = f"/activate/{signed_up(server).username}/0000", at()
    path = path if link_of(server)[1] != "0000" else path.replace("0000", "0001")
    visitor.open(path)
    assert 'href="/activate"' not in visitor.page.text
    visitor.send(path)
    assert 'href="/activate"' in visitor.page.text
    assert visitor.open("/activate").url.path == "/login"
    name = path.split("/")[2]
    assert "/activate/resend" in visitor.send("/authenticate", username=name, password=PASSWORD).text


def test_a_link_of_another_service_names_its_host_and_works_there_alone(server, at):
    number = new_number()
    person = server.person("someone.of.b", domain=B, phone=number, activated=False)
    server.run(server.services.codes.resending.resend(person.account, server.actor))
    link = server.messages[-1]["text"].rpartition(" ")[2]
    path = link.partition(B)[2].removeprefix(f":{server.url.rpartition(':')[2]}")
    assert path.startswith("/activate/someone.of.b/")
    for host, is_active in ((None, False), (B, True)):
        visitor = at(host)
        visitor.open(path)
        visitor.send(path, follow=False)
        assert server.account(person.id).activated is is_active


def test_the_page_of_a_recovery_names_the_number_and_has_the_code(server, at):
    person = recovering(server)
    path, code = link_of(server)
    page = at().open(path)
    assert f'value="{code}"' in page.text
    assert person.account.phone in page.text
    assert "is on its way" not in page.text
    assert "<h1>Recover your account</h1>" in page.text
    assert person.account.username not in page.text


def test_the_button_is_for_any_name_and_its_page_warns_others(at):
    visitor = at()
    page = visitor.open("/activate/a%2Fb%3Fc/0427")
    assert "If it is not, close this page" in page.text
    assert visitor.form("/activate/a%2Fb%3Fc/0427").method == "post"
    assert visitor.send("/activate/a%2Fb%3Fc/0427", follow=False).status_code == 403


def test_known_and_unknown_names_of_an_activation_take_as_many_queries(server):
    known, database = signed_up(server).username, server.store._database
    space = server.store.spaces.default

    async def lookups(name):
        await database.command("profile", 2)
        await server.services.codes.activation.awaiting(name, space.domain, space, named_by_number=True)
        await database.command("profile", 0)
        profile = database["system.profile"]
        number = await profile.count_documents({"command.filter.identifiers": {"$exists": True}})
        await database.drop_collection("system.profile")
        return number

    assert [server.run(lookups(name)) for name in (known, "linked.000002", new_number())] == [1, 1, 1]
