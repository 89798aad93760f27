"""Mails about voicemail: from the event of the upload to a real SMTP server, once, whatever fails or restarts."""

import secrets
from datetime import timedelta

import pytest

from flexiapi.events import following
from flexiapi.server import voicemail_work
from flexiapi.services.calls.voicemail_mails import AGAIN_AFTER
from flexiapi.testing import SmtpGateway, reply
from tests.kit.server import serving
from tests.kit.voicemail import announce, left, upload, wav
from tests.kit.waiting import wait_for

URL = "https://accounts.example.org"
DATABASE = f"test_{secrets.token_hex(6)}"


@pytest.fixture(scope="module")
def gateway():
    with SmtpGateway() as running:
        yield running


@pytest.fixture(scope="module")
def servers(gateway, tmp_path_factory, mongod_uri):
    """Two servers with one database."""
    main = {"backend": "smtp", "host": gateway.host, "port": gateway.port, "encryption": "none"}
    tables = {
        "app": {"url": URL},
        "mail": {"from_address": "hello@example.org", "main": main},
        "voicemail": {"mail_max_mb": 1},
        "delivery": {"tries": 1, "circuit_failures": 1000},
        "mongodb": {"database": DATABASE},
    }
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(voicemail_work, "SEND_SECONDS", 0.05)
        patched.setattr(following, "POLL_SECONDS", 0.05)
        with (
            serving(tables, tmp_path_factory.mktemp("one"), mongod_uri) as one,
            serving(tables, tmp_path_factory.mktemp("two"), mongod_uri) as two,
        ):
            yield one, two


@pytest.fixture
def server(servers):
    return servers[0]


def mails_to(gateway, person):
    return [one.message for one in gateway.requests if one.recipient == person.account.email and one.content]


def noted(server):
    """The mails that are still to be sent."""

    async def due():
        return await server.store._database["voicemail_mails"].count_documents({"due_at": {"$exists": True}})

    return server.run(due())


def owner(server, **fields):
    return server.person(email=f"owner.{secrets.token_hex(4)}@example.com", **fields)


def settled(server):
    """Wait until every event was followed and each mail that followed was tried to the end."""

    async def is_behind():
        # From the change to its number, so that none is missed on its way.
        carried, _ = await server.store.journal.pending.counts()
        waiting, _ = await server.store.journal.events.counts()
        last = await server.store.journal.events.numbers.last()
        return waiting or carried or await server.store.journal.positions.of("voicemail mails") < last

    wait_for(lambda: not server.run(is_behind()) and noted(server) == 0, 30)


def test_the_owner_gets_the_sound_once_from_several_servers(servers, gateway):
    one, _ = servers
    alice, sound = owner(one), wav(300_000)
    voicemail = left(one, alice, sound, sip_from="sip:bob@sip.example.org;transport=tls")
    settled(one)
    (mail,) = mails_to(gateway, alice)
    assert mail["Subject"] == "New voicemail from bob@sip.example.org"
    text = mail.get_body(("plain",)).get_content()
    assert f"bob@sip.example.org left a message for {alice.sip} on " in text
    assert f"{URL}/voicemail" in text
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == voicemail["name"]
    assert attached.get_content_type() == "audio/wav"
    assert attached.get_content() == sound


@pytest.mark.security
def test_a_blocked_account_gets_none(server, gateway):
    alice, boss = owner(server), server.person(admin_since=server.clock.second())
    slot = announce(server, alice).json()
    assert server.http.post(f"/api/accounts/{alice.id}/block", headers=boss.headers).status_code == 200
    assert upload(server, {"upload_url": slot["upload_url"].removeprefix(URL)}).status_code == 200
    settled(server)
    assert mails_to(gateway, alice) == []


def test_it_is_in_the_language_of_the_account(server, gateway):
    alice = owner(server, language="fr")
    left(server, alice, sip_from=None)
    settled(server)
    (mail,) = mails_to(gateway, alice)
    assert (mail["Subject"], mail["Content-Language"]) == ("Nouveau message vocal", "fr")
    assert "Un correspondant a laissé un message" in mail.get_body(("plain",)).get_content()


def test_one_that_is_too_large_has_a_link_alone(server, gateway):
    alice = owner(server)
    left(server, alice, wav(2_000_000))
    settled(server)
    (mail,) = mails_to(gateway, alice)
    assert list(mail.iter_attachments()) == []
    assert f"{URL}/voicemail" in mail.get_body(("plain",)).get_content()


@pytest.mark.parametrize("fields", [{"email": None}, {"claimed_email": "x@example.com", "email": "x@example.com"}])
def test_without_a_proven_address_there_is_none(server, gateway, fields):
    before = len(gateway.requests)
    left(server, server.person(**fields))
    settled(server)
    assert len(gateway.requests) == before


def test_what_fails_is_tried_again_and_given_up_in_the_end(servers, gateway):
    one, two = servers
    alice, before = owner(one), len(gateway.requests)
    gateway.answer(reply(451, body="4.3.0 try later"))
    left(one, alice)

    def tries():
        return len([request for request in gateway.requests[before:] if request.recipient == alice.account.email])

    try:
        for number, wait in enumerate(AGAIN_AFTER, 1):
            wait_for(lambda number=number: tries() == number, 30)
            wait_for(lambda: noted(one) == 1)
            one.later(seconds=wait.total_seconds() + 1)
            two.later(seconds=wait.total_seconds() + 1)
        wait_for(lambda: noted(one) == 0, 30)
        assert tries() == len(AGAIN_AFTER) + 1
        one.later(days=1)
        assert one.run(one.services.calls.voicemail_notices.send_due()) is False
    finally:
        gateway.answer(reply(250, body="2.0.0 OK"))
        one.clock.offset = two.clock.offset = timedelta()


def test_a_passing_failure_costs_no_mail_and_a_restart_none_either(servers, gateway):
    """A process that ends with a mail in its hands leaves it to be taken again."""
    one, two = servers
    alice = owner(one)
    mails, now = two.store.voicemails.mails, one.clock.now()
    voicemail = left(one, alice)
    settled(one)
    assert len(mails_to(gateway, alice)) == 1

    async def taken_by_a_process_that_ends():
        await mails.add("0" * 24, alice.id, voicemail["id"], now - timedelta(days=1))
        await mails.take_due(now, now + timedelta(minutes=5))

    two.run(taken_by_a_process_that_ends())
    one.later(minutes=6)
    try:
        wait_for(lambda: len(mails_to(gateway, alice)) == 2, 30)
    finally:
        one.clock.offset = timedelta()
    assert len({mail["Message-ID"] for mail in mails_to(gateway, alice)}) == 2


def test_an_event_that_is_read_again_makes_no_second_mail(server, gateway):
    alice = owner(server)
    left(server, alice)
    settled(server)

    async def again():
        positions = server.store._database["meta"]
        await positions.update_one({"_id": "reader voicemail mails"}, {"$set": {"number": 0}})

    server.run(again())
    settled(server)
    assert len(mails_to(gateway, alice)) == 1


def test_one_that_is_deleted_before_is_not_mailed(server, gateway):
    alice = owner(server)
    voicemail = left(server, alice)
    settled(server)
    path, mails = f"/api/accounts/me/voicemails/{voicemail['id']}", server.store.voicemails.mails
    server.http.delete(path, headers=alice.headers)
    server.run(mails.add("1" * 24, alice.id, voicemail["id"], server.clock.now()))
    settled(server)
    assert len(mails_to(gateway, alice)) == 1


def test_switched_off_none_is_sent(tmp_path, mongod_uri, monkeypatch):
    monkeypatch.setattr(voicemail_work, "SEND_SECONDS", 0.05)
    with serving({"voicemail": {"mail": False}}, tmp_path, mongod_uri) as server:
        alice = owner(server)
        left(server, alice)
        settled(server)
        assert server.messages == []
