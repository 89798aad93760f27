"""`flexiapi accounts why` and `unlock`, beside a running server."""

import contextlib
from datetime import timedelta

import httpx
import pytest
from click.testing import CliRunner
from pymongo import MongoClient

from flexiapi.cli import main
from flexiapi.errors import StoreUnavailable
from flexiapi.model import Confirmation, Undelivered
from flexiapi.notify.discovery import Transport
from flexiapi.plugin import Permanent
from tests.kit.person import PASSWORD


@pytest.fixture
def configure():
    return {
        "limits": {
            "failed_sign_ins_per_account": 3,
            "failed_sign_ins_per_minute": 100,
            "sms_per_minute": 5,
            "sms_per_number_and_network": 1,
        }
    }


@pytest.fixture
def command(server, tmp_path):
    settings = tmp_path / "flexiapi.toml"
    settings.write_text(
        f"[app]\nkey = '{'k' * 40}'\n[mongodb]\nuri = '{server.uri}'\ndatabase = '{server.settings.mongodb.database}'\n"
        f"[data]\npath = '{tmp_path}'\n[limits]\nfailed_sign_ins_per_account = 3\nsms_per_minute = 5\n"
        "sms_per_number_and_network = 1\n[sms.main]\nbackend = 'outbox'\n"
    )

    def run(*arguments):
        done = CliRunner().invoke(main, ["--config", str(settings), "accounts", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def status(http, person, password):
    sender = {"From": f"sip:{person.sip}"}
    auth = httpx.DigestAuth(person.account.username, password)
    return http.get("/api/accounts/me", auth=auth, headers=sender).status_code


def test_of_a_well_account_it_says_where_else_to_look(server, command):
    person = server.person("alice.martin", phone="+33612345678")
    said = command("why", person.sip)
    assert "is active." in said
    assert f"`flexiapi events --account {person.id}`" in said


@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        ({"activated": False}, ["It is not activated yet: no code is pending."]),
        ({"activated": False, "activated_at": "now"}, ["It was deactivated by an administrator. `activate` it."]),
        ({"passwords": ()}, ["signing in   It has no password. `set-password`, or `provision` it."]),
        ({"email": "alice@mail.example.net"}, ["No mail backend is configured. See [mail]"]),
        ({"claimed_phone": "+33612345678"}, ["Its number +33612345678 is not proven"]),
        ({}, ["It has neither an address nor a number for codes."]),
        ({"blocked_at": "now"}, ["It was blocked by an administrator.", "POST /api/accounts/{id}/unblock"]),
        (
            {"provisioning_token": "NoPqRsTuVwXyZ", "provisioning_token_at": "now", "provisioning_token_until": "now"},
            ["setting up   Its link of ", "has expired. `provision` makes another."],
        ),
        (
            {"provisioning_token": "NoPqRsTuVwXyZ", "provisioning_token_at": "long ago"},
            ["setting up   Its link of ", "has expired. `provision` makes another."],
        ),
    ],
)
def test_each_reason_is_told_with_the_way_out(server, command, fields, sentences):
    person = server.person("alice.martin")
    times = {"now": server.clock.second(), "long ago": server.clock.second() - timedelta(days=365)}
    server.set(person.id, **{name: times.get(value, value) if value else value for name, value in fields.items()})
    said = command("why", person.sip)
    for sentence in sentences:
        assert sentence in said, said


def test_wrong_passwords_are_told_and_unlock_lets_the_owner_in_at_once(server, http, alice, command):
    for _ in range(4):
        status(http, alice, "wrong-password")
    assert status(http, alice, PASSWORD) == 429
    said = command("why", alice.sip)
    assert "3 wrong passwords from 127.0.0.1, and 3 are allowed until " in said
    assert "Wait until then, or `unlock` it." in said
    assert "may try again" in command("unlock", alice.sip)
    assert status(http, alice, PASSWORD) == 200
    assert "wrong passwords" not in command("why", alice.sip)


def test_after_an_unlock_the_limit_holds_again(server, http, alice, command):
    for _ in range(4):
        status(http, alice, "wrong-password")
    command("unlock", alice.sip)
    assert [status(http, alice, "wrong-password") for _ in range(4)][-1] == 429


@pytest.mark.parametrize(
    ("username", "phone"), [("alice.martin", "+33612345678"), ("alice.martin", "+330612345678"), ("+33612345678", None)]
)
def test_a_used_up_limit_of_sms_is_told_and_unlock_forgets_it(server, http, command, username, phone):
    person = server.person(username, phone=phone)

    def recover():
        body = {"phone": phone or username, "account_creation_token": server.creation_token()}
        return http.post("/api/accounts/recover-by-phone", json=body).status_code

    assert [recover(), recover()] == [200, 429]
    said = command("why", str(person.id))
    assert "1 SMS to the number in a day from 127.0.0.1, and 1 are allowed until " in said
    assert "neither an address nor a number" not in said
    command("unlock", str(person.id))
    assert recover() == 200


class TestLastFailure:
    """The last message with a code that could not be sent, until one is."""

    REASON = "the account has no credit left: top it up"

    @pytest.fixture
    def failing(self, server, monkeypatch):
        """Messages fail in the block."""

        async def refuse(_message):
            raise Permanent(self.REASON)

        @contextlib.contextmanager
        def refusing():
            with monkeypatch.context() as patched:
                for outlet in server.parts.notifier.outlets:
                    patched.setattr(outlet.backend, "send", refuse)
                yield

        return refusing

    def asking(self, server, http, way):
        """A person, and a call that sends a code."""
        admin = server.person(admin_since=server.clock.second()).headers
        body = {"username": "alice.martin", "password": PASSWORD, "algorithm": "SHA-256"}
        if way == "sign-up":
            body |= {"email": "a@mail.example.net", "account_creation_token": server.creation_token()}
            return "alice.martin", lambda: http.post("/api/accounts/public", json=body)
        person = server.person("alice.martin", phone="+33612345678", email="a@mail.example.net")
        other = server.person("bob.builder", activated=False, phone="+33612345679")
        path = "/api/accounts"
        token = {"phone": "+33612345678", "account_creation_token": server.creation_token()}
        calls = {
            "recovery by SMS": lambda: http.post(f"{path}/recover-by-phone", json=token),
            "recovery by mail": lambda: http.post(f"{path}/{person.id}/recover-by-email", headers=admin),
            "change of number": lambda: http.post(
                f"{path}/me/phone/request", json={"phone": "+33612345670"}, headers=person.headers
            ),
            "change of address": lambda: http.post(
                f"{path}/me/email/request", json={"email": "b@mail.example.net"}, headers=person.headers
            ),
            "resending": lambda: http.post(f"{path}/{other.id}/resend", headers=admin),
        }
        return (other if way == "resending" else person).sip, calls[way]

    @pytest.mark.parametrize(
        ("way", "kind", "backend"),
        [
            ("sign-up", "account.confirmation", "mail"),
            ("recovery by SMS", "account.recovery", "sms"),
            ("recovery by mail", "account.recovery", "mail"),
            ("change of number", "phone.change", "sms"),
            ("change of address", "email.change", "mail"),
            ("resending", "account.confirmation", "sms"),
        ],
    )
    def test_it_is_told_with_its_time_and_cause_until_a_code_is_sent(
        self, server, http, command, failing, way, kind, backend
    ):
        address, ask = self.asking(server, http, way)
        with failing():
            assert ask().status_code == (200 if way == "sign-up" else 503)
        said = command("why", address)
        assert f"The last message to it ({kind}) could not be sent on {server.clock.now():%Y-%m-%d} " in said
        assert f" UTC: {backend}.outbox: {self.REASON}. `flexiapi plugins check {backend}.outbox` tries" in said
        assert "+33612345678" not in said
        if way == "sign-up":
            return
        assert ask().status_code == 200
        assert "could not be sent" not in command("why", address)

    def test_that_it_cannot_be_remembered_changes_no_answer(self, server, http, failing, monkeypatch):
        _, ask = self.asking(server, http, "recovery by SMS")
        written = server.store.accounts.apply

        async def apply(change, actor):
            if change.event == "account.code_not_sent":
                raise StoreUnavailable
            return await written(change, actor)

        monkeypatch.setattr(server.store.accounts, "apply", apply)
        with failing():
            assert ask().json() == {"message": "The message could not be sent now. Try again later."}
        assert ask().status_code == 200

    def test_what_a_backend_says_is_remembered_up_to_a_length(self, server, http, failing, monkeypatch):
        monkeypatch.setattr(self, "REASON", "x" * 10_000)
        _, ask = self.asking(server, http, "recovery by SMS")
        with failing():
            ask()
        account = server.run(server.store.accounts.by_address("alice.martin", "sip.example.org"))
        assert len(account.undelivered.reason) == 200

    def test_one_of_long_ago_says_nothing_any_more(self, server, command):
        long_ago = server.clock.second() - timedelta(days=15)
        person = server.person(
            "alice.martin", undelivered=Undelivered("account.recovery", "sms.main", "busy", long_ago)
        )
        assert "could not be sent" not in command("why", person.sip)

    def test_a_number_that_no_backend_serves_is_told(self, server, http, command, monkeypatch):
        person = server.person("alice.martin", phone="+33612345678")
        monkeypatch.setitem(server.parts.notifier._routes, Transport.SMS, [])
        body = {"phone": "+33612345678", "account_creation_token": server.creation_token()}
        assert http.post("/api/accounts/recover-by-phone", json=body).status_code == 503
        said = command("why", person.sip)
        assert "UTC: no backend serves this message. See [sms.NAME] and [mail.NAME] in the settings." in said


def test_what_cannot_be_read_is_told(server, command):
    person = server.person("alice.martin")
    server.expect_errors("an account cannot be read as a whole")
    with MongoClient(server.uri) as client:
        accounts = client[server.settings.mongodb.database]["accounts"]
        accounts.update_one({"_id": person.id}, {"$set": {"blocked_at": "yesterday"}})
    assert "its blocked_at cannot be read. Replace it" in command("why", str(person.id))


def test_tries_that_count_for_a_claimed_number_are_told_and_unlock_forgets_them(server, command):
    person = server.person("begin.ner", activated=False, claimed_phone="+33612345678")
    limiter, pending = server.services.limiter, Confirmation(pin_hash=b"x" * 32)
    server.run(limiter.take_pin_try(person.account, pending, "192.0.2.1"))
    for _ in range(19):
        server.run(limiter.take(("code_tries", limiter.tried_as(person.account))))
    assert "20 tries of PINs, and 20 are allowed until " in command("why", person.sip)
    command("unlock", person.sip)
    assert "tries of PINs" not in command("why", person.sip)
