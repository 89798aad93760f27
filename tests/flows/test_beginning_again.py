"""Sign-ups that were not confirmed in time, and are begun again."""

import contextlib
import re

import httpx
import pytest
from pymongo import MongoClient

from flexiapi.errors import DeliveryFailed
from flexiapi.model import Actor, Algorithm, ExternalAccount
from tests.flows.test_codes import at_once
from tests.kit.mongod import mongod_in_memory
from tests.kit.server import serving, shared_by_module
from tests.kit.server_process import ServerProcess
from tests.kit.stranger import DOMAIN, PASSWORD, faults_of, key_of, pin_of
from tests.kit.waiting import wait_for

pytestmark = pytest.mark.security

PARALLEL = 50


server = shared_by_module({"account": {"consume_external_account_on_create": False}})


@pytest.fixture
def refused(server, monkeypatch):
    """Messages are refused in the block."""

    @contextlib.contextmanager
    def refusing():
        async def refuse(*_):
            raise DeliveryFailed

        with monkeypatch.context() as patched:
            patched.setattr(server.parts.services.accounts.signing_up._notices._notifier, "sms", refuse)
            patched.setattr(server.parts.services.accounts.signing_up._notices._notifier, "mail", refuse)
            yield

    return refusing


def gone(server, account_id):
    return server.account(account_id) is None


def test_while_the_code_is_valid_the_number_is_refused_and_nothing_sent(server, public, number):
    first = public.sign_up(phone=number).json()["id"]
    sent = len(server.messages)
    for values in ({"phone": number}, {"username": f"other.{number[1:]}", "phone": number, "email": "o@example.org"}):
        body = public.body(**values)
        assert faults_of(server.http.post("/api/accounts/public", json=body)) == {"phone"}
        assert public.is_free(body)
    assert len(server.messages) == sent
    assert public.activate(number, pin_of(public.last)).json()["id"] == first


def test_afterwards_a_new_account_takes_the_place_of_the_old_one(server, public, number):
    first, old_pin = public.sign_up(phone=number).json()["id"], pin_of(public.last)
    server.later(minutes=11)
    second = public.sign_up(phone=number, password="another-horse-battery").json()["id"]
    assert gone(server, first)
    assert public.activate(number, pin_of(public.last)).json()["id"] == second
    assert public.activate(number, old_pin).status_code == 404
    assert server.run(server.store.tombstones.has(f"{number}@{DOMAIN}")) is False


def test_an_account_without_a_code_may_be_replaced_at_once(server, public, number):
    first = public.sign_up(phone=number).json()["id"]
    for _ in range(3):
        wrong = f"{(int(pin_of(public.last)) + 1) % 10_000:04d}"
        public.activate(number, wrong)
    server.set(first, confirmation=None)
    assert public.sign_up(phone=number).status_code == 200
    assert gone(server, first)


def test_the_same_name_is_begun_again_with_the_same_address_only(server, public, number):
    name, email = f"person.{number[1:]}", f"{number[1:]}@example.org"
    first = public.sign_up(username=name, email=email).json()["id"]
    assert faults_of(public.sign_up(username=name, email=email)) == {"username"}
    server.later(hours=25)
    assert faults_of(public.sign_up(username=name, email="other@example.org")) == {"username"}
    second = public.sign_up(username=name, email=email).json()["id"]
    assert gone(server, first)
    assert public.activate(name, key_of(public.last), by="email").json()["id"] == second
    server.later(hours=25)
    assert faults_of(public.sign_up(username=name, email=email)) == {"username"}


@pytest.mark.parametrize("state", ["activated", "deactivated", "blocked", "admin", "made by an administrator"])
def test_only_what_the_public_made_and_nobody_confirmed_is_replaced(server, public, number, state):
    first = public.sign_up(phone=number).json()["id"]
    admin = server.person(admin_since=server.clock.second())
    if state == "made by an administrator":
        server.set(first, unconfirmed=False)
    elif state == "admin":
        server.http.patch(f"/api/accounts/{first}", json={"admin": True}, headers=admin.headers)
    else:
        verb = {"blocked": "POST", "activated": "GET", "deactivated": "GET"}[state]
        path = f"/api/accounts/{first}/{state.removesuffix('ed')}"
        path = path if state == "blocked" else f"{path}e"
        assert server.http.request(verb, path, headers=admin.headers).status_code == 200
    server.later(minutes=11)
    assert faults_of(public.sign_up(phone=number)) == {"phone"}
    assert not gone(server, first)


def test_a_first_code_that_cannot_be_sent_leaves_nothing_and_costs_no_token(server, public, number, refused):
    body = public.body(phone=number)
    with refused():
        assert server.http.post("/api/accounts/public", json=body).status_code == 503
    assert public.is_free(body)
    assert server.run(server.store.accounts.by_claim(number, DOMAIN)) is None
    assert server.http.post("/api/accounts/public", json=body).status_code == 200


def test_its_external_account_is_free_again(server, public, number, refused, monkeypatch):
    monkeypatch.setattr(server.services.accounts.signing_up._creation._externals, "_is_wanted", True)
    one = ExternalAccount(f"ext.{number[1:]}", "other.example.org", "group", "e" * 64, Algorithm.SHA_256)
    server.run(server.services.accounts.external_accounts.add([one], Actor.system()))
    with refused():
        assert public.sign_up(phone=number).status_code == 503
    _, taken = server.run(server.store.external_accounts.claim(server.clock.now(), Actor.system()))
    assert taken.username == one.username


def test_an_empty_pool_of_external_accounts_is_told_before_a_second_code_is_sent(
    server, public, number, refused, monkeypatch
):
    first = public.sign_up(phone=number).json()["id"]
    server.later(minutes=11)
    monkeypatch.setattr(server.services.accounts.signing_up._creation._externals, "_is_wanted", True)
    sent, body = len(server.messages), public.body(phone=number)
    answer = server.http.post("/api/accounts/public", json=body)
    assert (answer.status_code, len(server.messages)) == (403, sent)
    assert public.is_free(body)
    assert server.account(first).may_be_replaced(server.clock.now())
    one = ExternalAccount(f"ext.{number[1:]}", "other.example.org", "group", "e" * 64, Algorithm.SHA_256)
    server.run(server.services.accounts.external_accounts.add([one], Actor.system()))
    with refused():
        assert server.http.post("/api/accounts/public", json=body).status_code == 503
    second = server.http.post("/api/accounts/public", json=body).json()["id"]
    assert server.account(second).external_account.username == one.username
    assert gone(server, first)


def test_one_that_an_administrator_activated_meanwhile_is_not_given_up(server, public, number, monkeypatch):
    accounts, body = server.store.accounts, public.body(phone=number)

    async def refuse(*_):
        account = await accounts.by_claim(number, DOMAIN)
        await accounts.apply(account.activate(server.clock.second()), Actor.cli())
        raise DeliveryFailed

    monkeypatch.setattr(server.parts.services.accounts.signing_up._notices._notifier, "sms", refuse)
    answer = server.http.post("/api/accounts/public", json=body)
    assert answer.status_code == 200
    assert server.account(answer.json()["id"]).activated is True
    assert not public.is_free(body)


def test_a_second_code_that_cannot_be_sent_leaves_the_old_account(server, public, number, refused):
    first = public.sign_up(phone=number).json()["id"]
    server.later(minutes=11)
    body = public.body(phone=number)
    with refused():
        assert server.http.post("/api/accounts/public", json=body).status_code == 503
    assert public.is_free(body)
    assert server.account(first).replacing_until is None
    assert server.account(first).undelivered.kind == "account.confirmation"
    assert server.http.post("/api/accounts/public", json=body).status_code == 200


def test_a_name_with_an_address_stays_when_its_key_cannot_be_sent(server, public, number, refused):
    values = {"username": f"person.{number[1:]}", "email": "p@example.org"}
    with refused():
        first = public.sign_up(**values)
    assert first.status_code == 200
    assert public.sign_up(**values).status_code == 200
    assert gone(server, first.json()["id"])


def test_asvs_2_3_3_one_of_many_replaces_an_account(server, public, number):
    first = public.sign_up(phone=number).json()["id"]
    server.later(minutes=11)
    sent = len(server.messages)
    bodies = [public.body(phone=number) for _ in range(PARALLEL)]
    statuses = at_once(server, [(("POST", "/api/accounts/public"), {"json": body}) for body in bodies])
    assert sorted(statuses) == [200] + [422] * (PARALLEL - 1)
    texted = server.messages[sent:]
    # One more may come between the removal of the old account and the insertion of the new one.
    assert len(texted) in (1, 2)
    assert sum(map(public.is_free, bodies)) == PARALLEL - 1
    assert gone(server, first)
    assert 200 in [public.activate(number, pin_of(message)).status_code for message in texted]


class TestLimit:
    @pytest.fixture
    def server(self, tmp_path, mongod_uri):
        tables = {"limits": {"sms_per_minute": 1, "mails_per_hour": 3}, "account": {"email_unique": True}}
        with serving(tables, tmp_path, mongod_uri) as running:
            yield running

    def test_over_a_limit_the_old_account_stays_and_no_token_is_lost(self, server, public):
        phone = "+33612345678"
        first = public.sign_up(phone=phone).json()["id"]
        server.set(first, confirmation=None)
        body = public.body(phone=phone)
        answer = server.http.post("/api/accounts/public", json=body)
        assert (answer.status_code, "retry-after" in answer.headers) == (429, True)
        assert public.is_free(body)
        assert not gone(server, first)

    def test_many_at_once_that_claim_one_address_send_no_more_mails_than_the_limit(self, server, public):
        address = "one@example.org"
        bodies = [public.body(username=f"racer.{number}", email=address) for number in range(PARALLEL)]
        statuses = at_once(server, [(("POST", "/api/accounts/public"), {"json": body}) for body in bodies])
        assert set(statuses) <= {200, 422}
        mailed = [message for message in server.messages if message["to"] == address]
        assert 1 <= len(mailed) <= 3
        assert (
            server.http.post("/api/accounts/public", json=public.body(username="last", email=address)).status_code
            == 422
        )
        names = [re.search(r"racer\.[0-9]+", message["text"])[0] for message in mailed]
        answers = [
            public.activate(name, key_of(message), by="email") for name, message in zip(names, mailed, strict=True)
        ]
        assert [answer.status_code for answer in answers] == [200] + [422] * (len(mailed) - 1)


class Killed:
    """A server whose processes are killed, and its database."""

    def __init__(self, folder, uri):
        self.failpoints = folder / "failpoints"
        self.failpoints.mkdir()
        variables = {"MONGODB_URI": uri, "MONGODB_DATABASE": "again", "APP_KEY": "k" * 40}
        variables |= {"APP_DANGEROUS_ENDPOINTS": "true", "FLEXIAPI_FAILPOINTS": str(self.failpoints)}
        variables |= {"LIMITS_SMS_PER_MINUTE": "0", "SERVER_PROCESSES": "2", "LIMITS_SMS_PER_HOUR": "0"}
        (folder / "data").mkdir()
        self.process = ServerProcess(folder / "data", **variables)
        self.accounts = MongoClient(uri)["again"]["accounts"]

    def token(self):
        headers = {"x-api-key": self.key}
        answer = httpx.post(f"{self.process.url}/api/account_creation_tokens", headers=headers, timeout=60)
        return answer.json()["token"]

    def sign_up(self, phone):
        body = {"password": PASSWORD, "algorithm": "SHA-256", "phone": phone}
        body |= {"account_creation_token": self.token()}
        return httpx.post(f"{self.process.url}/api/accounts/public", json=body, timeout=60)

    def killed_sign_up(self, failpoint, phone):
        armed = self.failpoints / failpoint
        armed.touch()
        with pytest.raises(httpx.TransportError):
            self.sign_up(phone)
        assert not armed.exists(), "the failpoint was not reached"

    def expire(self, phone):
        """Let the code and the mark of an account be of the past."""
        past = self.accounts.find_one({"claimed_phone": phone})["created_at"].replace(year=2020)
        self.accounts.update_one({"claimed_phone": phone}, {"$unset": {"confirmation": "", "replacing_until": ""}})
        self.accounts.update_one({"claimed_phone": phone}, {"$set": {"created_at": past}})


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    with mongod_in_memory() as mongod:
        server = Killed(tmp_path_factory.mktemp("killed"), mongod.uri)
        try:
            server.process.start()
            server.key = server.process.admin_key()
            yield server
        finally:
            server.process.stop()
            server.accounts.database.client.close()


@pytest.mark.faults
@pytest.mark.parametrize("failpoint", ["sign-up-inserted", "sign-up-sent"])
def test_a_kill_during_the_first_creation_costs_the_attempt_only(killed, failpoint):
    phone = f"+3361234{len(failpoint):04d}"
    killed.killed_sign_up(failpoint, phone)
    left = killed.accounts.find_one({"claimed_phone": phone})
    assert left["identifiers"] == [f"claim:{phone}@{DOMAIN}"]
    assert ("confirmation" in left, left["activated"]) == (False, False)
    killed.expire(phone)
    wait_for(lambda: killed.sign_up(phone).status_code == 200)
    assert killed.accounts.find_one({"_id": left["_id"]}) is None


@pytest.mark.faults
@pytest.mark.parametrize(("failpoint", "is_left"), [("sign-up-marked", True), ("sign-up-old-removed", False)])
def test_a_kill_during_a_replacement_costs_the_attempt_only(killed, failpoint, is_left):
    phone = f"+3362234{len(failpoint):04d}"
    old = killed.sign_up(phone).json()["id"]
    killed.expire(phone)
    killed.killed_sign_up(failpoint, phone)
    assert killed.accounts.count_documents({"claimed_phone": phone}) == int(is_left)
    if is_left:
        assert killed.sign_up(phone).status_code == 422
        killed.expire(phone)
    wait_for(lambda: killed.sign_up(phone).status_code == 200)
    assert killed.accounts.find_one({"claimed_phone": phone})["_id"] != old
    assert killed.accounts.count_documents({"claimed_phone": phone}) == 1
